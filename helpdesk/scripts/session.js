/**
 * The agent's session: who is signed in, a warning before it ends, signing out.
 *
 * It lasts as long as a shift, and half an hour without a key being pressed. Nothing is stored: a
 * page that is loaded again asks to sign in.
 */
import { signedIn, signOutOfCognito } from "./cognito.js";
import { config } from "./config.js";
import { byId, dialog, say } from "./elements.js";
import { clockTime } from "./moments.js";

/** @typedef {import("./api.js").Me} Me */

const MINUTE = 60_000;
// The user pool renews no longer (template.yaml).
const SHIFT = 600 * MINUTE;
const IDLE = 30 * MINUTE;
const WARN_IDLE = 2 * MINUTE;
const WARN_END = 10 * MINUTE;
/** @type {Record<import("./api.js").Role, string>} */
const ROLES = { agent: "agent", supervisor: "encadrement", auditor: "contrôle", operator: "exploitation" };

let endsAt = 0;
let idleUntil = 0;
let warnedOfEnd = false;
/** @type {(why: string) => void} */
let onEnd = () => {};

/** @param {(why: string) => void} whenEnded */
export function watchSession(whenEnded) {
  onEnd = whenEnded;
  setInterval(tick, 1000);
  // A computer that slept has missed its ticks.
  document.addEventListener("visibilitychange", tick);
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, seen);
  byId("sign-out").addEventListener("click", () => endSession("Vous êtes déconnecté."));
  byId("session-leave").addEventListener("click", () => endSession("Vous êtes déconnecté."));
  byId("session-extend").addEventListener("click", prolong);
  dialog("session-warning").addEventListener("close", prolong);
}

/** @param {Me} me */
export function beginSession(me) {
  endsAt = Date.now() + (config().session_minutes ?? SHIFT / MINUTE) * MINUTE;
  warnedOfEnd = false;
  prolong();
  say(byId("account-name"), me.name);
  say(byId("account-role"), ROLES[me.role]);
  say(byId("account-until"), clockTime(endsAt));
  byId("account").hidden = false;
}

/** @param {string} why what the agent is told */
export function endSession(why) {
  if (!signedIn() && !endsAt) return;
  endsAt = 0;
  signOutOfCognito();
  if (dialog("session-warning").open) dialog("session-warning").close();
  byId("account").hidden = true;
  say(byId("account-name"), "");
  onEnd(why);
}

function seen() {
  if (!dialog("session-warning").open) idleUntil = Date.now() + IDLE;
}

function prolong() {
  idleUntil = Date.now() + IDLE;
  if (dialog("session-warning").open) dialog("session-warning").close();
}

function tick() {
  if (!endsAt) return;
  const now = Date.now();
  if (now >= endsAt) endSession("Votre session est terminée. Identifiez-vous de nouveau.");
  else if (now >= idleUntil) endSession("Vous avez été déconnecté : la page n’a pas servi pendant une demi-heure.");
  else if (idleUntil - now <= WARN_IDLE)
    warn("Êtes-vous toujours là ? Sans réponse, vous serez déconnecté dans moins de deux minutes.");
  else if (endsAt - now <= WARN_END && !warnedOfEnd) {
    warnedOfEnd = true;
    warn(`Elle se termine à ${clockTime(endsAt)}. Finissez cet appel, puis identifiez-vous de nouveau.`);
  }
}

/** @param {string} text */
function warn(text) {
  if (dialog("session-warning").open) return;
  say(byId("session-warning-text"), text);
  dialog("session-warning").showModal();
}
