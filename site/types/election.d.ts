/**
 * What `build.py` tells the scripts of the election (`browser_facts`): `election.js` beside them,
 * written by the build. Hours are minutes since local midnight, times ISO 8601 with an offset.
 */
import type { Hours } from "../scripts/calendar.js";

type Window = { opensAt: string; closesAt: string };

export const election: {
  site: string;
  timezone: string;
  reissue: Window;
  voting: Window;
  helpdesk: { phone: string; tel: string; outsideVoting: Hours; duringVoting: Hours };
  domains: { domain: string; staff: string; example: string }[];
  numenLockSeconds: number;
};
