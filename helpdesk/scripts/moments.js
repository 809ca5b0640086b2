/** Times in words, in the time zone of the election. */
import { election } from "./election.js";
import { typeset } from "./elements.js";

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  return new Intl.DateTimeFormat("fr-FR", { timeZone: election.timezone, ...options });
}

/**
 * Return `9 h 12` or `9 h`.
 * @param {string | number} at ISO 8601, or milliseconds since 1970
 */
export function clockTime(at) {
  const parts = format({ hour: "numeric", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date(at));
  /** @param {string} type */
  const part = (type) => parts.find((found) => found.type === type)?.value ?? "";
  const minutes = part("minute");
  return typeset(`${Number(part("hour"))} h${minutes === "00" ? "" : ` ${minutes}`}`);
}

/**
 * Return `29 novembre à 9 h 12`.
 * @param {string} at ISO 8601
 */
export function moment(at) {
  return typeset(`${format({ day: "numeric", month: "long" }).format(new Date(at))} à ${clockTime(at)}`);
}

/** Today's date, `2018-11-29`. */
export function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: election.timezone }).format(new Date());
}

/**
 * Return `12 appels`, `1 appel`.
 * @param {number} count
 * @param {string} noun in the singular; its plural takes an s
 */
export function counted(count, noun) {
  return `${count}\u00a0${noun}${count > 1 ? "s" : ""}`;
}

/**
 * Return `40 s`, `12 min` or `3 h`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)}\u00a0s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)}\u00a0min` : `${Math.round(seconds / 3600)}\u00a0h`;
}
