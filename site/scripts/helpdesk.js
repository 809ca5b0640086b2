/**
 * When the helpdesk answers, and the box that says so. Days and times are local to the election.
 */
import { clockIsKnown, serverTime } from "./api.js";
import { election } from "./election.js";
import { byId, make, say } from "./elements.js";
import { clockInWords, dayInWords, localTime } from "./typography.js";
import "./voting.js";

/**
 * @typedef {number[]} Span start and end in minutes since midnight, end excluded
 * @typedef {{weekdays: Span[], dates: Record<string, Span[]>}} Hours
 * @typedef {{day: string, minutes: number}} LocalTime
 * @typedef {{outsideVoting: Hours, duringVoting: Hours, firstVotingDay: string, lastVotingDay: string}} Calendar
 * @typedef {{open: true, until: number} | {open: false, next: LocalTime | null}} State
 */

const REFRESH = 20_000;
const DAY = 86_400_000;
// The longest closure is a few days; anyone who looks further has an election file without hours.
const DAYS_AHEAD = 60;

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

/**
 * How to reach the helpdesk while nobody answers the telephone: `En attendant, écrivez-lui : …`,
 * or nothing while somebody does.
 * @param {Date} instant
 * @returns {(Node | string)[]}
 */
export function meanwhile(instant) {
  const { written } = election.helpdesk;
  if (!written || helpdeskState(localTime(instant), calendar).open) return [];
  const link = make("a", { href: written.href, class: "address" }, written.words);
  return [" En attendant, écrivez-lui : ", link, "."];
}

/**
 * Tell whether the helpdesk is open, until when, or when it opens next.
 * @param {LocalTime} now
 * @param {Calendar} calendar
 * @returns {State}
 */
function helpdeskState(now, calendar) {
  const today = spansOf(now.day, calendar);
  const current = today.find(([start, end]) => start <= now.minutes && now.minutes < end);
  if (current) return { open: true, until: current[1] };
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead += 1) {
    const day = addDays(now.day, ahead);
    const starts = spansOf(day, calendar).map(([start]) => start);
    const next = starts.filter((start) => ahead > 0 || start > now.minutes).sort((one, other) => one - other)[0];
    if (next !== undefined) return { open: false, next: { day, minutes: next } };
  }
  return { open: false, next: null };
}

/**
 * Opening hours of a day: those given for its date, else none at weekends and on public holidays.
 * @param {string} day
 * @param {Calendar} calendar
 * @returns {Span[]}
 */
function spansOf(day, calendar) {
  const voting = calendar.firstVotingDay <= day && day <= calendar.lastVotingDay;
  const hours = voting ? calendar.duringVoting : calendar.outsideVoting;
  if (hours.dates[day]) return hours.dates[day];
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  if (weekday === 0 || weekday === 6 || publicHolidays(Number(day.slice(0, 4))).has(day)) return [];
  return hours.weekdays;
}

/**
 * Public holidays of a year in France (article L3133-1 of the code du travail).
 * @param {number} year
 * @returns {Set<string>}
 */
function publicHolidays(year) {
  const fixed = ["01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25"];
  const easter = easterSunday(year);
  const movable = [1, 39, 50].map((days) => addDays(easter, days));
  return new Set([...fixed.map((day) => `${year}-${day}`), ...movable]);
}

/**
 * Easter Sunday in the Gregorian calendar (Meeus, Jones and Butcher).
 * @param {number} year
 */
function easterSunday(year) {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
}

/**
 * @param {string} day
 * @param {number} days
 */
function addDays(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

function refresh() {
  const text = helpdeskInWords(new Date(serverTime()));
  const box = byId("helpdesk-state");
  box.dataset.open = String(text.startsWith("Ouverte"));
  say(box, text);
}

clockIsKnown.then(() => {
  refresh();
  setInterval(refresh, REFRESH);
});
