/** French texts: spaces, numbers, dates. */
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
  const format = new Intl.DateTimeFormat("fr-FR", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });
  return typeset(format.format(new Date(`${day}T00:00:00Z`)).replace(/ 1 /, " 1er "));
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
 * Date and time of day of an instant where the election takes place.
 * @param {Date} instant
 * @returns {{day: string, minutes: number}} ISO date, minutes since midnight
 */
export function localTime(instant) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: election.timezone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  /** @type {Record<string, string>} */
  const part = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = value;
  return { day: `${part.year}-${part.month}-${part.day}`, minutes: Number(part.hour) * 60 + Number(part.minute) };
}

/**
 * Return `lundi 26 novembre à 8 h`, with the year unless it is this one.
 * @param {Date} instant
 */
export function momentInWords(instant) {
  const { day, minutes } = localTime(instant);
  const year = day.slice(0, 4);
  const yearInWords = localTime(new Date()).day.startsWith(year) ? "" : ` ${year}`;
  return `${dayInWords(day)}${yearInWords} à ${clockInWords(minutes)}`;
}

/**
 * Return `14 min 05 s` or `42 s`.
 * @param {number} seconds
 */
export function durationInWords(seconds) {
  const rest = seconds % 60;
  return typeset(seconds < 60 ? `${rest} s` : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, "0")} s`);
}
