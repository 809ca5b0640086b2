/** The voter's session: who is signed in, a warning before it ends, signing out. */
import { call, Problem } from "./api.js";
import { focusCallerCode, hideCallerCode, showCallerCode } from "./caller-code.js";
import { byId } from "./elements.js";
import { clearErrors, showFailure } from "./errors.js";
import { durationInWords } from "./typography.js";

/** @typedef {import("./api.js").Overview} Overview */

const LONGEST_WARNING = 120_000;
const SHORTEST_WARNING = 60_000;

let endsAt = 0;
let warnsAt = 0;
/** @type {() => void} */
let onEnd = () => {};
// Another tab may prolong or end the same session; nothing is stored for that.
const tabs = new BroadcastChannel("session");

/**
 * Watch the session of this page.
 * @param {() => void} whenEnded what to do once it has ended, here or in another tab
 */
export function watchSession(whenEnded) {
  onEnd = whenEnded;
  tabs.addEventListener("message", ({ data }) => {
    if (!endsAt) return;
    if (data.endsAt) prolong(data.endsAt);
    else end();
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
  prolong(Date.now() + overview.session.expires_in * 1000);
  tabs.postMessage({ endsAt });
  byId("account-address").textContent = overview.address;
  byId("account-establishment").textContent = overview.establishment ? `, ${overview.establishment}` : "";
  byId("account").hidden = false;
  showCallerCode(overview);
  return overview;
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
  dialog().close();
  byId("account").hidden = true;
  hideCallerCode();
}

/** @param {number} until */
function prolong(until) {
  const lasts = until - Date.now();
  endsAt = until;
  warnsAt = until - Math.min(LONGEST_WARNING, Math.max(SHORTEST_WARNING, lasts / 3));
  dialog().close();
}

function tick() {
  if (!endsAt) return;
  const left = Math.ceil((endsAt - Date.now()) / 1000);
  if (left <= 0) {
    end();
    return;
  }
  byId("session-remaining").textContent = durationInWords(left);
  if (Date.now() < warnsAt || dialog().open) return;
  warnsAt = endsAt;
  byId("session-final").hidden = true;
  dialog().showModal();
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
    dialog().close();
    return;
  }
  try {
    const before = endsAt;
    await readOverview();
    if (endsAt - before < 5000 && endsAt - Date.now() <= LONGEST_WARNING) {
      // The longest life of a session: the API does not prolong it any more.
      warnsAt = endsAt;
      byId("session-final").hidden = false;
      dialog().showModal();
    }
  } catch (failure) {
    if (isSignedOut(failure)) {
      end();
      return;
    }
    dialog().close();
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
    await readOverview();
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
    dialog().close();
    showFailure(failure, { retry: signOut });
    return;
  }
  tabs.postMessage({ endsAt: 0 });
  location.replace("/index.html#deconnexion");
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (byId("session-warning"));
}
