/** A call: look a voter up, see where they stand, what to say, and what can be done. */

import { openAct } from "./acts.js";
import { call } from "./api.js";
import { button, byId, input, make, say, tell } from "./elements.js";
import { clearMessages, notice, showErrors, showFailure } from "./errors.js";
import { closeForm } from "./form.js";
import { counted } from "./moments.js";
import { entitle, showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Sheet} Sheet
 * @typedef {import("./api.js").Me} Me
 */

const FIELDS = { who: "who", caller_code: "caller-code", "no-such-voter": "who" };
// What a caller must never dictate.
const DIGITS = /[0-9]/;
const NO_SIGN_IN_CODE =
  "Des chiffres ? C’est un code de connexion : ne le demandez jamais. Faites lire les deux mots affichés sur le site.";
// Below so many the agent is told how many are left.
const FEW = 15;
const CALLERS = {
  verified: "Appelant vérifié : lit la messagerie professionnelle en ce moment",
  "wrong-code": "APPELANT NON VÉRIFIÉ : les deux mots ne correspondent pas",
  "not-asked": "Appelant non vérifié",
};

/** @type {Sheet | null} */
let current = null;
// Whose sheet it is: the field may hold the next voter's address already.
let shownWho = "";
let lookupsLeft = Number.POSITIVE_INFINITY;

export function watchCall() {
  byId("look-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileWaiting("Recherche en cours…", look);
  });
  byId("next-call").addEventListener("click", nextCall);
}

/** @param {Me} me */
export function beginCalls(me) {
  lookupsLeft = me.lookups_left ?? Number.POSITIVE_INFINITY;
  showLookupsLeft();
}

/** Forget the voter who was shown, and wait for the next. */
export function nextCall() {
  forgetCall();
  showView("call", { focus: "who" });
}

/** Leave nothing of the last call on the page. */
export function forgetCall() {
  current = null;
  shownWho = "";
  closeForm();
  input("who").value = "";
  input("caller-code").value = "";
  for (const id of ["status", "advice", "acts", "timeline"]) byId(id).replaceChildren();
  byId("caller").textContent = "";
  byId("told").textContent = "";
  byId("standing").hidden = true;
  byId("sheet").hidden = true;
  byId("guide").hidden = false;
}

async function look() {
  closeForm();
  clearMessages();
  const who = input("who").value.trim();
  const code = input("caller-code").value.trim();
  const faults = [];
  if (!who) faults.push({ field: "who", message: "Tapez l’adresse ou la référence que l’appelant vous dit." });
  if (DIGITS.test(code)) faults.push({ field: "caller-code", message: NO_SIGN_IN_CODE });
  if (faults.length) {
    showErrors({ faults });
    return;
  }
  try {
    const { body } = await call("POST", "/helpdesk/look", { body: { who, ...(code ? { caller_code: code } : {}) } });
    lookupsLeft = body.lookups_left ?? Number.POSITIVE_INFINITY;
    showLookupsLeft();
    shownWho = who;
    showSheet(body);
    goToTheNextThing(body);
  } catch (failure) {
    // Nobody may take the last voter's sheet for this one's.
    hideSheet();
    showFailure(failure, FIELDS);
  }
}

/** @param {Sheet} sheet */
function showSheet(sheet) {
  current = sheet;
  byId("guide").hidden = true;
  byId("standing").hidden = false;
  byId("sheet").hidden = false;
  entitle(`Appel : ${sheet.address}`);
  say(byId("caller"), CALLERS[sheet.caller]);
  byId("caller").dataset.caller = sheet.caller;
  // Who calls stands above, larger.
  const lines = sheet.status.filter(({ label }) => label !== "Appelant");
  byId("status").replaceChildren(
    ...lines.map(({ label, words }) => make("div", {}, make("dt", {}, label), make("dd", {}, words))),
  );
  byId("advice").replaceChildren(...sheet.advice.map(adviceItem));
  const advised = sheet.advice.map(({ act }) => act);
  const rank = (/** @type {string} */ act) => (advised.includes(act) ? advised.indexOf(act) : advised.length);
  const acts = [...sheet.acts].sort((one, other) => rank(one.act) - rank(other.act));
  byId("acts").replaceChildren(
    ...acts.filter(({ allowed }) => allowed).map((act) => actItem(act, sheet, advised.includes(act.act))),
    ...refusals(acts),
  );
  // The API refuses them all, as long as the code is another.
  byId("acts-section").hidden = acts.length === 0 || sheet.caller === "wrong-code";
  byId("timeline").replaceChildren(
    ...[...sheet.timeline]
      .reverse()
      .map(({ at, moment, words }) =>
        make("li", {}, make("time", { datetime: at }, moment), " ", make("span", {}, words)),
      ),
  );
}

/**
 * What to do, what to say and what not to. The first is open: the others wait until it is done.
 * @param {import("./api.js").Advice} advice
 * @param {number} index
 */
function adviceItem({ words, say: spoken, never_say }, index) {
  const phrases = make(
    "div",
    { class: "phrases" },
    make("div", { class: "phrase say" }, make("h3", {}, "Dites"), make("p", {}, spoken)),
    make("div", { class: "phrase never" }, make("h3", {}, "Ne dites pas, ne demandez pas"), make("p", {}, never_say)),
  );
  const told = make("p", { class: "advice-words" }, words);
  if (index === 0) return make("li", {}, told, phrases);
  return make("li", {}, told, make("details", {}, make("summary", {}, "Que dire"), phrases));
}

/**
 * @param {import("./api.js").Act} act
 * @param {Sheet} sheet
 * @param {boolean} advised
 */
function actItem(act, sheet, advised) {
  const place = make("div", { class: "act" });
  const opener = button(`${act.label}…`, () => openAct(place, opener, act, sheet, shownWho, showDone), {
    "aria-expanded": "false",
    ...(advised ? {} : { class: "secondary" }),
  });
  place.append(opener);
  return place;
}

/**
 * What cannot be done now, each with its reason.
 * @param {import("./api.js").Act[]} acts
 */
function refusals(acts) {
  const refused = acts.filter(({ allowed }) => !allowed);
  if (!refused.length) return [];
  const lines = refused.map(({ label, why }) => make("li", {}, `${label} : ${why ?? "pas possible maintenant"}`));
  return [make("ul", { class: "refused soft" }, ...lines)];
}

/**
 * @param {string} text what has been done
 * @param {Sheet} sheet where the voter stands now
 * @param {boolean} waits whether a second person has to confirm it
 */
function showDone(text, sheet, waits) {
  closeForm();
  showSheet(sheet);
  notice(text, waits ? "panel panel-warning" : "panel panel-success");
}

/** @param {Sheet} sheet */
function goToTheNextThing(sheet) {
  const asks = sheet.advice.some(({ name }) => name === "ask-caller-code" || name === "caller-wrong-code");
  tell(`Fiche de ${sheet.address}, ${sheet.establishment}. ${CALLERS[sheet.caller]}. ${sheet.advice[0]?.words ?? ""}`);
  if (asks) {
    input("caller-code").focus();
    input("caller-code").select();
  } else {
    byId("advice-title").focus();
  }
}

function hideSheet() {
  const who = input("who").value;
  const code = input("caller-code").value;
  if (current) {
    forgetCall();
    input("who").value = who;
    input("caller-code").value = code;
  }
  entitle("Nouvel appel");
}

function showLookupsLeft() {
  const few = lookupsLeft < FEW;
  const left = Math.max(0, lookupsLeft);
  say(
    byId("lookups-left"),
    few ? `Encore ${counted(left, "recherche")} possible${left > 1 ? "s" : ""} pour l’instant.` : "",
  );
}
