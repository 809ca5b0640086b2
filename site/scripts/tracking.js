/** The status page: what was issued, where it went, how it goes. */
import { call, Problem, serverTime } from "./api.js";
import { offerCopy } from "./copying.js";
import {
  confirmationWords,
  explain,
  isMoving,
  offerOf,
  otherChannel,
  stateWords,
  stepWords,
  tone,
} from "./delivery.js";
import { byId, input, make, paragraph, say } from "./elements.js";
import { atField, clearErrors, findFaults, showErrors, showFailure } from "./errors.js";
import "./helpdesk.js";
import { readNumen } from "./pasted.js";
import { forgetSession, isSignedOut, readOverview, watchSession } from "./session.js";
import { momentInWords, momentThere, ordinal, typeset } from "./typography.js";
import { secondsToVote } from "./voting.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Overview} Overview
 * @typedef {import("./api.js").TrackedReissue} TrackedReissue
 */

// Seconds between two questions: short while things move, long when they do not.
const PAUSES = [1, 2, 2, 3, 5, 8, 13, 20, 30];
// After these refusals the same identifier cannot be sent again.
const LAST_REFUSALS = new Set([
  "already-voted",
  "frozen",
  "redelivery-expired",
  "too-many-redeliveries",
  "window-closed",
]);

/** @type {TrackedReissue} */
let reissue;
/** The voter's own address, masked. */
let address = "";
let redeliverable = true;
let requestable = true;
/** What was told to those who do not see the page. */
let told = new Set();
let asked = 0;
/** @type {number | undefined} */
let timer;

async function start() {
  clearErrors();
  try {
    await whileWaiting("Chargement de votre demande…", async () => {
      const overview = await readOverview();
      const last = overview.last_reissue;
      showWhatIsOpen(overview);
      byId("none").hidden = last !== null;
      if (!last) return;
      show(await call("GET", `/api/reissue/${last.reference}`), overview);
      askLater();
    });
  } catch (failure) {
    if (isSignedOut(failure)) location.replace("/connexion.html#suivi");
    else showFailure(failure, { retry: start });
  }
}

/**
 * What cannot be asked for any more is not offered.
 * @param {Overview} overview
 */
function showWhatIsOpen({ window, status, request }) {
  // While a version is being deployed the page may be newer than the API.
  requestable = request ? request.refused === null : window.open && status === "active";
  byId("none-request").hidden = !requestable;
  byId("new-request-form").hidden = !requestable;
}

/**
 * @param {TrackedReissue} read
 * @param {Overview} overview
 */
function show(read, overview) {
  const { generation, reference } = read;
  address = overview.address;
  const before = ordinal(generation - 1);
  say(byId("receipt-title"), `Votre ${ordinal(generation)} identifiant (il remplace le ${before})`);
  say(byId("replaced"), `Le ${before} ne fonctionne plus.`);
  say(byId("reissue-number"), `Réassort n° ${generation}, remplace le n° ${generation - 1}`);
  byId("reference").textContent = reference;
  const at = overview.last_reissue?.at ?? overview.issued_at;
  byId("requested-at").replaceChildren(make("time", { datetime: at }, momentThere(new Date(at))));
  byId("tracking").hidden = false;
  showStatus(read);
}

/** @param {TrackedReissue} read */
function showStatus(read) {
  reissue = read;
  const state = stateWords(read);
  const texts = explain(read);
  const ended = read.status === "superseded" || read.status === "disputed";
  say(byId("destination"), `${read.channel === "sms" ? "le mobile" : "l’adresse"} ${read.destination}`);
  byId("status").dataset.status = tone(read);
  byId("status").textContent = state;
  byId("status-text").replaceChildren(...texts.map(paragraph));
  byId("vote-advice").hidden = ended || read.status === "failed" || secondsToVote() === 0;
  byId("wrong-destination").hidden = ended || !requestable;
  if (read.status === "delivered" || read.status === "failed") byId("redelivered").hidden = true;
  byId("history").replaceChildren(
    ...read.history.map((step) =>
      make("li", {}, make("time", { datetime: step.at }, momentInWords(new Date(step.at))), ` : ${stepWords(step)}`),
    ),
  );
  // While a version is being deployed the page may be newer than the API, which then tells nothing
  // of the confirmation.
  const confirmation = confirmationWords(read.confirmation ?? { status: "sent" }, address);
  say(byId("confirmation"), confirmation.text);
  byId("confirmation").className = confirmation.trouble ? "panel panel-warning" : "";
  const offer = showOffer();
  announce([
    [
      `${state} ${read.channel} ${read.reason?.code} ${Boolean(read.expected_wait)}`,
      `État de l’envoi : ${state}. ${texts.join(" ")}`,
    ],
    [`offer ${offer?.kind}`, offer?.text ?? ""],
    [`confirmation ${confirmation.text}`, confirmation.trouble ? confirmation.text : ""],
  ]);
}

/**
 * Offer the other channel when it is of use; when both have failed, say what is left to do. A
 * refusal says so itself.
 */
function showOffer() {
  const offer = redeliverable ? offerOf(reissue, address, serverTime(), secondsToVote()) : null;
  byId("redelivery").hidden = !offer;
  if (offer) {
    say(byId("redelivery-text"), offer.text);
    byId("redeliver").textContent = offer.button;
    byId("redelivery-numen").hidden = !reissue.redelivery?.numen;
  }
  byId("new-request").hidden = reissue.status !== "failed" || offer !== null || !redeliverable;
  return offer;
}

/**
 * Tell those who do not see the page what is new: each fact once, however often it is read.
 * @param {[string, string][]} facts what tells one from another, and its words
 */
function announce(facts) {
  const news = facts.filter(([key, words]) => words && !told.has(key)).map(([, words]) => words);
  told = new Set(facts.map(([key]) => key));
  if (news.length) say(byId("status-announcer"), news.join(" "));
}

function askLater() {
  clearTimeout(timer);
  if (!isMoving(reissue)) return;
  timer = setTimeout(ask, PAUSES[Math.min(asked, PAUSES.length - 1)] * 1000);
  asked += 1;
}

async function ask() {
  if (document.hidden) {
    // Nobody looks: the page asks again when it is seen.
    document.addEventListener("visibilitychange", ask, { once: true });
    return;
  }
  try {
    showStatus(await call("GET", `/api/reissue/${reissue.reference}`));
  } catch (failure) {
    if (isSignedOut(failure)) {
      sessionEnded();
      return;
    }
    // It was asked in the session of another voter.
    if (failure instanceof Problem && failure.code === "not-found") location.reload();
    // Any other question that fails is asked again later; what is shown stays true.
  }
  askLater();
}

async function redeliver() {
  const channel = otherChannel(reissue.channel);
  clearErrors();
  /** @type {{channel: string, numen?: string}} */
  const body = { channel };
  if (reissue.redelivery?.numen) {
    const faults = findFaults(/** @type {HTMLFormElement} */ (byId("redelivery-form")), {
      numen: (typed) => readNumen(typed).fault || true,
    });
    if (faults.length) {
      showErrors({ faults });
      return;
    }
    body.numen = readNumen(input("numen").value).value;
  }
  try {
    await whileWaiting("Envoi en cours…", async () => {
      const sent = await call("POST", `/api/reissue/${reissue.reference}/redelivery`, { body });
      input("numen").value = "";
      const way = channel === "sms" ? "par SMS, sur le mobile" : "par courriel, à l’adresse";
      say(byId("redelivered"), `Le même identifiant part maintenant ${way} ${sent.destination}.`);
      byId("redelivered").focus();
      byId("redelivery").hidden = true;
      readAgain();
    });
  } catch (failure) {
    if (isSignedOut(failure)) {
      sessionEnded();
      return;
    }
    if (failure instanceof Problem) {
      redeliverable = !LAST_REFUSALS.has(failure.code);
      showOffer();
      // What is shown may no longer be so.
      readAgain();
      if (failure.code === "numen-mismatch") atField(failure, "numen");
    }
    showFailure(failure, { fields: { numen: "numen" }, retry: redeliver });
  }
}

function readAgain() {
  clearTimeout(timer);
  asked = 0;
  ask();
}

/** What is shown stays: the reference is what the voter needs on the phone. */
function sessionEnded() {
  clearTimeout(timer);
  forgetSession();
  byId("redelivery").hidden = true;
  byId("new-request").hidden = true;
  const link = make("a", { href: "/connexion.html#suivi" }, "S’identifier de nouveau");
  const text = typeset("Votre session est terminée : le suivi n’est plus mis à jour. ");
  byId("notice").replaceChildren(make("p", {}, text, link));
  byId("notice").hidden = false;
  byId("notice").focus();
}

byId("redelivery-form").addEventListener("submit", (event) => {
  event.preventDefault();
  redeliver();
});
offerCopy("copy-reference", "reference");
byId("print").addEventListener("click", () => window.print());
watchSession(sessionEnded, () => location.reload());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
start();

document.dispatchEvent(new Event("scripts-ready"));
