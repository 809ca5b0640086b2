/** The helpdesk box: open or closed now, and the next opening. */
import { serverTime } from "./api.js";
import { helpdeskState } from "./calendar.js";
import { election } from "./election.js";
import { byId, say } from "./elements.js";
import { clockInWords, dayInWords, localTime } from "./typography.js";

const REFRESH = 20_000;

const calendar = {
  outsideVoting: election.helpdesk.outsideVoting,
  duringVoting: election.helpdesk.duringVoting,
  firstVotingDay: election.voting.opensAt.slice(0, 10),
  lastVotingDay: election.voting.closesAt.slice(0, 10),
};

/**
 * Say whether the helpdesk is open, for example
 * `Fermée maintenant, rouvre lundi 26 novembre à 8 h.`
 * @param {Date} instant
 */
export function helpdeskInWords(instant) {
  const now = localTime(instant);
  const state = helpdeskState(now, calendar);
  if (state.open) return `Ouverte maintenant, jusqu’à ${clockInWords(state.until)}.`;
  if (!state.next) return "Fermée maintenant.";
  const day = state.next.day === now.day ? "aujourd’hui" : dayInWords(state.next.day);
  return `Fermée maintenant, rouvre ${day} à ${clockInWords(state.next.minutes)}.`;
}

function refresh() {
  const text = helpdeskInWords(new Date(serverTime()));
  const box = byId("helpdesk-state");
  box.dataset.open = String(text.startsWith("Ouverte"));
  say(box, text);
}

refresh();
setInterval(refresh, REFRESH);
