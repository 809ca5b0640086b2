/** The voter's session: who is signed in, a warning before it ends, signing out. */
import { call, isClockInDoubt, Problem, serverTime } from "./api.js";
import { focusCallerCode, hideCallerCode, showCallerCode } from "./caller-code.js";
import { byId } from "./elements.js";
import { clearErrors, showFailure } from "./errors.js";
import { leave, onNews, tellTabs } from "./tabs.js";
import { durationInWords } from "./typography.js";
import { tellCloseOfRequests } from "./voting.js";

/** @typedef {import("./api.js").Overview} Overview */

const LONGEST_WARNING = 120_000;
const SHORTEST_WARNING = 60_000;

let endsAt = 0;
let warnsAt = 0;
/** @type {() => void} */
let onEnd = () => {};
/** @type {() => void} */
let onStranger = () => {};
// Whose session it is, or was: opaque, for two addresses may be masked alike.
let voter = "";

/**
 * Watch the session of this page.
 * @param {() => void} whenEnded what to do once it has ended
 * @param {() => void} whenStranger what to do once another voter has the session of this browser
 */
export function watchSession(whenEnded, whenStranger) {
  onEnd = whenEnded;
  onStranger = whenStranger;
  onNews((news) => {
    if (!endsAt || !news.endsAt) return;
    if (news.voter === voter) prolong(news.endsAt);
    else onStranger();
  });
  setInterval(tick, 1000);
  // A computer that slept has missed its ticks.
  document.addEventListener("visibilitychange", tick);
  byId("sign-out").addEventListener("click", signOut);
  byId("session-leave").addEventListener("click", signOut);
  byId("caller-code-renew").addEventListener("click", renewCallerCode);
  byId("session-extend").addEventListener("click", extend);
  dialog().addEventListener("cancel", extend);
}

/**
 * Read where the voter stands; that also prolongs the session.
 * @returns {Promise<Overview>}
 */
export async function readOverview() {
  /** @type {Overview} */
  const overview = await call("GET", "/api/reissue");
  // While a version is being deployed the page may be newer than the API.
  voter = overview.voter ?? overview.revision;
  prolong(serverTime() + overview.session.expires_in * 1000);
  tellTabs({ endsAt, voter });
  byId("account-address").textContent = overview.address;
  byId("account-establishment").textContent = overview.establishment ? `, ${overview.establishment}` : "";
  byId("account").hidden = false;
  showCallerCode(overview);
  tellCloseOfRequests(overview.window.closes_at);
  return overview;
}

/** Prolong the session of the voter whom the page shows, and of nobody else. */
async function readAgain() {
  const shown = voter;
  await readOverview();
  if (voter !== shown) onStranger();
}

/**
 * Tell whether a call failed because nobody is signed in any more.
 * @param {unknown} failure
 */
export function isSignedOut(failure) {
  return failure instanceof Problem && failure.code === "signed-out";
}

/** Forget the session: the API says that it has ended. */
export function forgetSession() {
  endsAt = 0;
  closeWarning();
  byId("account").hidden = true;
  hideCallerCode();
}

/** @param {number} until */
function prolong(until) {
  const lasts = until - serverTime();
  endsAt = until;
  warnsAt = until - Math.min(LONGEST_WARNING, Math.max(SHORTEST_WARNING, lasts / 3));
  closeWarning();
}

function tick() {
  if (!endsAt || isClockInDoubt()) return;
  const left = Math.ceil((endsAt - serverTime()) / 1000);
  if (left <= 0) {
    end();
    return;
  }
  byId("session-remaining").textContent = durationInWords(left);
  if (serverTime() < warnsAt || dialog().hasAttribute("open")) return;
  warnsAt = endsAt;
  byId("session-final").hidden = true;
  openWarning();
}

function end() {
  if (!endsAt) return;
  forgetSession();
  onEnd();
}

/** @param {Event} event */
async function extend(event) {
  event.preventDefault();
  if (!byId("session-final").hidden) {
    closeWarning();
    return;
  }
  try {
    const before = endsAt;
    await readAgain();
    if (endsAt - before < 5000 && endsAt - serverTime() <= LONGEST_WARNING) {
      // The longest life of a session: the API does not prolong it any more.
      warnsAt = endsAt;
      byId("session-final").hidden = false;
      openWarning();
    }
  } catch (failure) {
    if (isSignedOut(failure)) {
      end();
      return;
    }
    closeWarning();
    showFailure(failure, {
      retry() {
        clearErrors();
        byId("session-extend").click();
      },
    });
  }
}

/** Another page may have prolonged the session, and shown the code that this one lacks. */
async function renewCallerCode() {
  try {
    await readAgain();
    focusCallerCode();
  } catch (failure) {
    if (isSignedOut(failure)) end();
    else showFailure(failure, { retry: renewCallerCode });
  }
}

async function signOut() {
  try {
    await call("DELETE", "/api/login");
  } catch (failure) {
    closeWarning();
    showFailure(failure, { retry: signOut });
    return;
  }
  tellTabs({ signedOut: true });
  leave();
}

function openWarning() {
  if ("showModal" in dialog()) {
    dialog().showModal();
    return;
  }
  // Safari before 15.4: the style sheet puts it over the page.
  /** @type {HTMLElement} */ (dialog()).setAttribute("open", "");
  byId("session-extend").focus();
}

function closeWarning() {
  if ("close" in dialog()) dialog().close();
  /** @type {HTMLElement} */ else dialog().removeAttribute("open");
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (byId("session-warning"));
}
