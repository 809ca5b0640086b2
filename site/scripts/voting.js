/**
 * The close of the ballot and of the requests: in the hours of the voter too, and on the last day
 * how much is left, by the server's clock.
 */
import { clockIsKnown, serverTime } from "./api.js";
import { election } from "./election.js";
import { byId, say } from "./elements.js";
import { clockInWords, dayInWords, durationInWords, localTime, momentInWords, typeset } from "./typography.js";

const HOUR = 3600;
const MINUTE = 60;
const LAST_DAY = 24 * HOUR;
// From here on seconds are told.
const LAST_MINUTES = 10 * MINUTE;
// On paper and in a list of links the words stand for long: they change once in a second at most.
const REFRESH = 1000;

const voting = { opensAt: Date.parse(election.voting.opensAt), closesAt: Date.parse(election.voting.closesAt) };
let requestsCloseAt = Date.parse(election.reissue.closesAt);

/**
 * Return ` (12 h chez vous)` where the clocks of the voter's device show another hour than those of
 * the election, else nothing.
 * @param {Date} instant
 */
export function hourHere(instant) {
  const there = localTime(instant);
  const minutes = instant.getHours() * 60 + instant.getMinutes();
  const month = String(instant.getMonth() + 1).padStart(2, "0");
  const day = `${instant.getFullYear()}-${month}-${String(instant.getDate()).padStart(2, "0")}`;
  if (day === there.day && minutes === there.minutes) return "";
  const words = day === there.day ? "" : `${dayInWords(day)} à `;
  return typeset(` (${words}${clockInWords(minutes)} chez vous)`);
}

/**
 * When requests close, in milliseconds: the operators may close them before the election file does.
 */
export function closeOfRequests() {
  return requestsCloseAt;
}

/** @param {string} closesAt as the API told it */
export function tellCloseOfRequests(closesAt) {
  requestsCloseAt = Date.parse(closesAt);
  refresh();
}

/** How many seconds are left to vote; 0 once the ballot has closed. */
export function secondsToVote() {
  return Math.max(0, Math.ceil((voting.closesAt - serverTime()) / 1000));
}

/**
 * Return `3 h 12 min`, `25 min`, or `9 min 05 s` at the very end.
 * @param {number} seconds
 */
export function leftInWords(seconds) {
  if (seconds < LAST_MINUTES) return durationInWords(seconds);
  const minutes = Math.floor(seconds / MINUTE);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (!hours) return typeset(`${minutes} min`);
  return typeset(rest ? `${hours} h ${String(rest).padStart(2, "0")} min` : `${hours} h`);
}

/** What every page says on the last day, and after it. */
function words() {
  const now = serverTime();
  const left = secondsToVote();
  if (!left) return `Le vote est terminé depuis le ${at(voting.closesAt)}.`;
  const requestsLeft = Math.max(0, Math.ceil((requestsCloseAt - now) / 1000));
  const together = requestsCloseAt === voting.closesAt;
  if (left > LAST_DAY || now < voting.opensAt) {
    return requestsLeft && requestsLeft <= LAST_DAY
      ? closing("Les demandes ferment", requestsLeft, requestsCloseAt)
      : "";
  }
  if (together) return closing("Le vote et les demandes ferment", left, voting.closesAt);
  const requests = requestsLeft ? ` Les demandes ferment avant : dans ${leftInWords(requestsLeft)}.` : "";
  return closing("Le vote ferme", left, voting.closesAt) + requests;
}

/**
 * @param {string} what
 * @param {number} left in seconds
 * @param {number} instant
 */
function closing(what, left, instant) {
  return `${what} dans ${leftInWords(left)} : ${at(instant)}.`;
}

/** @param {number} instant */
function at(instant) {
  const date = new Date(instant);
  return `${momentInWords(date)}, ${election.zone}${hourHere(date)}`;
}

let told = "";

function refresh() {
  const text = words();
  if (text === told) return;
  told = text;
  say(byId("time-left-words"), text);
  byId("time-left").hidden = text === "";
}

for (const place of document.querySelectorAll("[data-close-here]")) {
  place.textContent = hourHere(new Date(voting.closesAt));
}
clockIsKnown.then(() => {
  refresh();
  setInterval(refresh, REFRESH);
});
