/** French texts: spaces, numbers, dates. */
import { serverTime } from "./api.js";
import { election } from "./election.js";

const NO_BREAK = "\u00a0";
const NARROW_NO_BREAK = "\u202f";

const DAYS = "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche";
const MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre";
const UNITS = "ms|s|min|h|j|secondes?|minutes?|heures?|jours?|chiffres?|caractères|essais?";
// What stands before a space at which no line may end, and what follows it: the rules of
// reassort/french.py.
const KEPT_TOGETHER = [
  ["^|\\S", "[;!?]", NARROW_NO_BREAK],
  ["^|\\S", "[:»]", NO_BREAK],
  ["«|n°", "", NO_BREAK],
  ["[0-9•]", "[0-9•%$€]", NO_BREAK],
  ["[0-9]", `(?:${UNITS})(?![\\p{L}\\p{N}_’'])`, NO_BREAK],
  [`[0-9]${NO_BREAK}(?:h|min|j)`, "[0-9]", NO_BREAK],
  [DAYS, "[0-9]", NO_BREAK],
  ["[0-9]|1er", MONTHS, NO_BREAK],
].map(([before, after, space]) => ({ plain: new RegExp(`(${before}) (?=${after})`, "gu"), kept: `$1${space}` }));

/**
 * Put the no-break spaces of French typography where a text has plain ones. No lookbehind: Safari
 * before 16.4 has none.
 * @param {string} text
 */
export function typeset(text) {
  return KEPT_TOGETHER.reduce((typed, { plain, kept }) => typed.replace(plain, kept), text);
}

/**
 * @param {number} count
 * @param {string} noun in the singular; its plural takes an s
 */
export function counted(count, noun) {
  return `${count}${NO_BREAK}${noun}${count > 1 ? "s" : ""}`;
}

/**
 * Return `lundi 26 novembre`.
 * @param {string} day ISO date
 */
export function dayInWords(day) {
  const date = new Date(`${day}T00:00:00Z`);
  const weekday = DAYS.split("|")[(date.getUTCDay() + 6) % 7];
  const month = MONTHS.split("|")[date.getUTCMonth()];
  return typeset(`${weekday} ${date.getUTCDate() === 1 ? "1er" : date.getUTCDate()} ${month}`);
}

/**
 * Return `8 h` or `13 h 30`.
 * @param {number} minutes since midnight
 */
export function clockInWords(minutes) {
  const rest = minutes % 60;
  return typeset(`${Math.floor(minutes / 60)} h${rest ? ` ${String(rest).padStart(2, "0")}` : ""}`);
}

/**
 * Date and time of day of an instant where the election takes place, without the browser's own
 * calendar: to load it takes a slow phone 0.2 s.
 * @param {Date} instant
 * @returns {{day: string, minutes: number}} ISO date, minutes since midnight
 */
export function localTime(instant) {
  const minute = Math.floor(instant.getTime() / 60_000);
  const [first] = election.utcOffsets;
  const [, offset] = election.utcOffsets.filter(([from]) => from <= minute).pop() ?? first;
  const local = new Date((minute + offset) * 60_000);
  return { day: local.toISOString().slice(0, 10), minutes: local.getUTCHours() * 60 + local.getUTCMinutes() };
}

/**
 * Return `lundi 26 novembre à 8 h`, with the year unless it is this one.
 * @param {Date} instant
 */
export function momentInWords(instant) {
  const { day, minutes } = localTime(instant);
  const year = day.slice(0, 4);
  const yearInWords = localTime(new Date(serverTime())).day.startsWith(year) ? "" : ` ${year}`;
  return `${dayInWords(day)}${yearInWords} à ${clockInWords(minutes)}`;
}

/**
 * Return `lundi 26 novembre à 8 h, heure de Paris`.
 * @param {Date} instant
 */
export function momentThere(instant) {
  return `${momentInWords(instant)}, ${election.zone}`;
}

/**
 * Return `1er` or `2e`.
 * @param {number} number
 */
export function ordinal(number) {
  return number === 1 ? "1er" : `${number}e`;
}

/**
 * Return `14 min 05 s` or `42 s`.
 * @param {number} seconds
 */
export function durationInWords(seconds) {
  const rest = seconds % 60;
  return typeset(seconds < 60 ? `${rest} s` : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, "0")} s`);
}
