/** The page of the helpdesk: what is shown follows from who is signed in. */
import { call } from "./api.js";
import { beginCalls, forgetCall, nextCall, watchCall } from "./call.js";
import { forget } from "./cognito.js";
import { readConfig } from "./config.js";
import { button, byId, dialog } from "./elements.js";
import { clearMessages } from "./errors.js";
import { closeForm } from "./form.js";
import { Problem } from "./problem.js";
import { forgetProposals, readProposals, watchProposals } from "./proposals.js";
import { beginRecord, forgetRecord, watchRecord } from "./record.js";
import { beginSession, endSession, watchSession } from "./session.js";
import { forgetShift, readShift, watchShift } from "./shift.js";
import { askToSignIn, watchSignIn } from "./sign-in.js";
import { currentView, showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./views.js").View} View
 * @typedef {import("./api.js").Role} Role
 */

/** @type {Record<Role, [View, string][]>} what each role works with, the first thing first */
const TABS = {
  agent: [["call", "Appels"]],
  supervisor: [
    ["call", "Appels"],
    ["proposals", "À confirmer"],
    ["shift", "L’équipe"],
  ],
  auditor: [["record", "Journal"]],
  operator: [
    ["call", "Appels"],
    ["shift", "L’équipe"],
    ["record", "Journal"],
  ],
};

async function begin() {
  const { body: me } = await call("GET", "/helpdesk/me");
  const tabs = (TABS[/** @type {Role} */ (me.role)] ?? []).filter(([view]) => me.views.includes(view));
  if (!tabs.length) {
    forget();
    throw new Problem("no-role", {
      title: "Votre compte n’a pas encore de rôle",
      detail: "Demandez à l’encadrement de vous ajouter à un groupe.",
    });
  }
  beginSession(me);
  beginCalls(me);
  beginRecord();
  byId("tabs").replaceChildren(...tabs.map(([view, label]) => button(label, () => open(view), { "data-tab": view })));
  byId("tabs").hidden = tabs.length < 2;
  await open(tabs[0][0]);
}

/** @param {View} view */
async function open(view) {
  closeForm();
  if (view === "call") {
    nextCall();
    return;
  }
  forgetCall();
  showView(view);
  if (view === "proposals") await whileWaiting("Lecture en cours…", readProposals);
  if (view === "shift") await whileWaiting("Lecture en cours…", readShift);
}

/** @param {string} why */
function leave(why) {
  forgetCall();
  forgetProposals();
  forgetShift();
  forgetRecord();
  byId("tabs").hidden = true;
  byId("tabs").replaceChildren();
  askToSignIn(why);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (byId("account").hidden || dialog("session-warning").open) return;
  // On a Mac, Option+N writes an accent: its key counts.
  const letter = event.key.toLowerCase() === "n" || event.code === "KeyN";
  if (event.altKey && !event.ctrlKey && !event.metaKey && letter) {
    if (byId("tabs").hidden ? currentView() !== "call" : !document.querySelector('[data-tab="call"]')) return;
    event.preventDefault();
    nextCall();
  } else if (event.key === "Escape" && closeForm({ focus: true })) {
    event.preventDefault();
  }
}

// Its credentials are refused: whatever was asked for, the page asks to sign in.
document.addEventListener("signed-out", (event) =>
  endSession(/** @type {CustomEvent} */ (event).detail || "Votre session est terminée. Identifiez-vous de nouveau."),
);
byId("reload").addEventListener("click", () => location.reload());
document.addEventListener("keydown", onKey);
watchSession(leave);
watchSignIn(begin);
watchCall();
watchProposals();
watchShift();
watchRecord();
try {
  await readConfig();
  clearMessages();
  askToSignIn();
} catch {
  showView("unavailable");
}
