/**
 * What `build.py` tells the scripts of the election (`browser_facts`): `election.js` beside them,
 * written by the build. Hours are minutes since local midnight, times ISO 8601 with an offset.
 */
import type { Hours } from "../scripts/helpdesk.js";

type Window = { opensAt: string; closesAt: string };

export const election: {
  site: string;
  /** In order: an instant in epoch minutes, and the minutes that clocks are ahead of UTC since. */
  utcOffsets: number[][];
  /** « heure de Paris » */
  zone: string;
  reissue: Window;
  voting: Window;
  helpdesk: {
    phone: string;
    tel: string;
    written: { href: string; words: string } | null;
    outsideVoting: Hours;
    duringVoting: Hours;
  };
  domains: { domain: string; staff: string; example: string }[];
  /** By field, then by the code of the fault; `{name}` is what the text or the election gives. */
  fieldMessages: Record<string, Record<string, string>>;
  /** Patterns of the digits behind the country code; `trunk`: a 0 is dialled before them. */
  phonePlans: {
    code: string;
    name: string;
    accepted: boolean;
    trunk: boolean;
    mobile: string;
    landline: string;
  }[];
  numenLockSeconds: number;
};
