/** The status page: what was issued, where it went, how it goes. */
import { call, serverTime } from "./api.js";
import { byId, make, say } from "./elements.js";
import { clearErrors, showFailure } from "./errors.js";
import "./helpdesk.js";
import { forgetSession, isSignedOut, readOverview, watchSession } from "./session.js";
import { momentInWords, typeset } from "./typography.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Overview} Overview
 * @typedef {import("./api.js").TrackedReissue} TrackedReissue
 * @typedef {import("./api.js").Status} Status
 */

// Seconds between two questions: short while things move, long when they do not.
const PAUSES = [1, 2, 2, 3, 5, 8, 13, 20, 30];
const PATIENCE = 120_000;
const MOVING = new Set(["queued", "sending", "sent"]);
/** @type {Record<Status, [string, string]>} what is shown, and what it means for the voter */
const WORDS = {
  queued: ["En attente d’envoi", "Votre identifiant part dans quelques instants."],
  sending: ["Envoi en cours", "Votre identifiant est en train de partir."],
  sent: ["Envoyé", "Votre identifiant est parti. Il devrait arriver dans quelques minutes."],
  delivered: ["Arrivé", "Votre identifiant est arrivé. Vous pouvez voter avec."],
  failed: ["Échec de l’envoi", "Votre identifiant n’a pas pu être remis. Recevez-le autrement ou appelez l’assistance."],
  superseded: ["Remplacé", "Un identifiant plus récent vous a été attribué. Celui-ci ne fonctionne plus."],
  disputed: ["Bloqué", "Cet identifiant a été bloqué après un signalement. Appelez l’assistance."],
};

/** @type {TrackedReissue} */
let reissue;
let asked = 0;
/** @type {number | undefined} */
let timer;

async function start() {
  clearErrors();
  try {
    await whileWaiting("Chargement de votre demande…", async () => {
      const overview = await readOverview();
      const last = overview.last_reissue;
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
 * @param {TrackedReissue} read
 * @param {Overview} overview
 */
function show(read, overview) {
  const { generation, reference } = read;
  say(byId("receipt-title"), `Réassort n° ${generation}, remplace le n° ${generation - 1}`);
  say(byId("replaced"), `L’identifiant n° ${generation - 1} ne fonctionne plus.`);
  byId("reference").textContent = reference;
  const at = overview.last_reissue?.at ?? overview.issued_at;
  byId("requested-at").replaceChildren(make("time", { datetime: at }, momentInWords(new Date(at))));
  const confirmed = `Un courriel de confirmation est aussi envoyé à ${overview.address}.`;
  say(byId("confirmation"), `${confirmed} Il ne contient pas l’identifiant.`);
  showStatus(read);
  byId("tracking").hidden = false;
}

/** @param {TrackedReissue} read */
function showStatus(read) {
  const changed = reissue && (reissue.status !== read.status || reissue.channel !== read.channel);
  reissue = read;
  const [words, meaning] = WORDS[read.status];
  say(byId("destination"), `${read.channel === "sms" ? "le mobile" : "l’adresse"} ${read.destination}`);
  byId("status").dataset.status = read.status;
  byId("status").textContent = words;
  say(byId("status-text"), meaning);
  byId("vote-advice").hidden = read.status === "superseded" || read.status === "disputed";
  if (changed) say(byId("status-announcer"), `État de l’envoi : ${words}. ${meaning}`);
  byId("history").replaceChildren(
    ...read.history.map((step) =>
      make("li", {}, make("time", { datetime: step.at }, momentInWords(new Date(step.at))), ` : ${WORDS[step.status][0]}`),
    ),
  );
  offerOtherChannel();
}

/** Offer the other channel when the first one failed, or has not arrived in due time. */
function offerOtherChannel() {
  const queued = reissue.history.findLast((step) => step.status === "queued") ?? reissue.history[0];
  const waited = serverTime() - Date.parse(queued?.at ?? "");
  const offered = reissue.status === "failed" || (MOVING.has(reissue.status) && waited >= PATIENCE);
  byId("redeliver").textContent = `Recevoir par ${reissue.channel === "sms" ? "courriel" : "SMS"} à la place`;
  if (offered && byId("redelivery").hidden && reissue.status !== "failed") {
    say(byId("status-announcer"), "Rien reçu ? Vous pouvez recevoir le même identifiant par l’autre moyen.");
  }
  byId("redelivery").hidden = !offered;
}

function askLater() {
  clearTimeout(timer);
  if (!MOVING.has(reissue.status)) return;
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
    // A question that fails is asked again later; what is shown stays true.
  }
  askLater();
}

async function redeliver() {
  const channel = reissue.channel === "sms" ? "email" : "sms";
  clearErrors();
  try {
    await whileWaiting("Envoi en cours…", async () => {
      const sent = await call("POST", `/api/reissue/${reissue.reference}/redelivery`, { body: { channel } });
      const destination = channel === "sms" ? "le mobile" : "l’adresse";
      say(byId("redelivered"), `Le même identifiant part maintenant vers ${destination} ${sent.destination}.`);
      byId("redelivered").focus();
      byId("redelivery").hidden = true;
      asked = 0;
      showStatus(await call("GET", `/api/reissue/${reissue.reference}`));
      askLater();
    });
  } catch (failure) {
    if (isSignedOut(failure)) sessionEnded();
    else showFailure(failure, { retry: redeliver });
  }
}

/** What is shown stays: the reference is what the voter needs on the phone. */
function sessionEnded() {
  clearTimeout(timer);
  forgetSession();
  byId("redelivery").hidden = true;
  const link = make("a", { href: "/connexion.html#suivi" }, "S’identifier de nouveau");
  const text = typeset("Votre session est terminée : le suivi n’est plus mis à jour. ");
  byId("notice").replaceChildren(make("p", {}, text, link));
  byId("notice").hidden = false;
  byId("notice").focus();
}

byId("redeliver").addEventListener("click", redeliver);
byId("print").addEventListener("click", () => window.print());
watchSession(sessionEnded);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
start();
