/**
 * The two words that the helpdesk asks a caller for: shown while the voter is signed in, and no
 * longer than they are accepted.
 */
import { serverTime } from "./api.js";
import { byId } from "./elements.js";

/** @typedef {import("./api.js").Overview} Overview */

let expiresAt = 0;

/**
 * Show the code of an overview instead of the one before.
 * @param {Overview} overview
 */
export function showCallerCode({ caller_code: shown }) {
  // While a version is being deployed the page may be newer than the API, which then tells none.
  if (!shown?.words) return;
  const { words } = shown;
  expiresAt = Date.parse(shown.expires_at);
  byId("caller-code-words").textContent = words;
  offerNewOne(false);
  byId("caller-code").hidden = false;
}

/** Take the code away: nobody is signed in any more. */
export function hideCallerCode() {
  expiresAt = 0;
  byId("caller-code").hidden = true;
  byId("caller-code-words").replaceChildren();
}

/** Tell whether the page shows a code. */
export function isCallerCodeShown() {
  return expiresAt > serverTime();
}

/** Put the focus on the code, for anyone who asked for it. */
export function focusCallerCode() {
  byId("caller-code-words").focus();
}

/** @param {boolean} offered */
function offerNewOne(offered) {
  byId("caller-code-words").hidden = offered;
  byId("caller-code-renew").hidden = !offered;
}

function expire() {
  if (expiresAt && !isCallerCodeShown()) offerNewOne(true);
}

setInterval(expire, 1000);
// A computer that slept has missed its ticks.
document.addEventListener("visibilitychange", expire);
