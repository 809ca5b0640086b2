/** French texts: spaces, numbers, dates. */
import { election } from "./election.js";

const NO_BREAK = "\u00a0";
const NARROW_NO_BREAK = "\u202f";

/**
 * Put the no-break spaces of French typography where a text has plain ones. No lookbehind: Safari before 16.4 has none.
 * @param {string} text
 */
export function typeset(text) {
  return text
    .replace(/(\S) (?=[:;?!»])/g, `$1${NARROW_NO_BREAK}`)
    .replace(/« /g, `«${NARROW_NO_BREAK}`)
    .replace(/n° /g, `n°${NO_BREAK}`)
    .replace(/(\d) (?=(?:minutes?|chiffres?|caractères|essais?)(?!\p{L}))/gu, `$1${NO_BREAK}`)
    .replace(/([\d•]) (?=[\d•])/g, `$1${NO_BREAK}`);
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
  return format
    .format(new Date(`${day}T00:00:00Z`))
    .replace(/ 1 /, " 1er ")
    .replaceAll(" ", NO_BREAK);
}

/**
 * Return `8 h` or `13 h 30`.
 * @param {number} minutes since midnight
 */
export function clockInWords(minutes) {
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${NO_BREAK}h${rest ? NO_BREAK + String(rest).padStart(2, "0") : ""}`;
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
  if (seconds < 60) return `${rest}${NO_BREAK}s`;
  return `${Math.floor(seconds / 60)}${NO_BREAK}min${NO_BREAK}${String(rest).padStart(2, "0")}${NO_BREAK}s`;
}
