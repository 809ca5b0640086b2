/**
 * « Ce n’était pas moi »: the token of the e-mailed link freezes the identifier, once the button is
 * pressed.
 */
import { call, serverTime } from "./api.js";
import { offerCopy } from "./copying.js";
import { election } from "./election.js";
import { byId, say } from "./elements.js";
import { clearErrors, showFailure } from "./errors.js";
import { helpdeskInWords, meanwhile } from "./helpdesk.js";
import { momentThere } from "./typography.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Channel} Channel
 * @typedef {{reference: string, at?: string, channel?: Channel, destination?: string}} DisputedRequest
 */

// The reference of a request and 32 bytes in base64: what stands before or behind is not of it.
const TOKEN = /[0-9A-Z]{5}-[0-9A-Z]{5}\.[\w-]{43}/;
const title = byId("title").textContent ?? "";
const documentTitle = document.title;

let token = "";

/**
 * Take the token out of the address bar, so that it stays in no history. A fragment without one
 * changes nothing: it is an anchor.
 */
function takeToken() {
  const found = TOKEN.exec(fragment());
  history.replaceState(null, "", location.pathname);
  if (found) {
    token = found[0];
    clearErrors();
    byId("disputed").hidden = true;
    byId("title").textContent = title;
    document.title = documentTitle;
    lookAt(token);
  }
  const disputed = !byId("disputed").hidden;
  byId("dispute").hidden = !token || disputed;
  byId("incomplete").hidden = token !== "";
}

/** The fragment as it was meant, also where a mail gateway has cut through an escape. */
function fragment() {
  try {
    return decodeURIComponent(location.hash);
  } catch {
    return location.hash;
  }
}

/**
 * Say which request it is before anything is pressed. The token tells the reference; the rest is
 * asked for, and the page does without it.
 * @param {string} looked
 */
async function lookAt(looked) {
  byId("about-reference").textContent = looked.split(".")[0];
  byId("about-request").hidden = true;
  try {
    const found = await call("POST", "/api/dispute/look", { body: { token: looked } });
    // Another link may have been opened meanwhile.
    if (looked === token) tellOf("about-request", found);
  } catch {
    // Whatever it is, the button meets it too, and then says so.
  }
}

/**
 * @param {string} id
 * @param {DisputedRequest} request
 */
function tellOf(id, { at, channel, destination }) {
  // While a version is being deployed the page may be newer than the API.
  if (!at) return;
  const way = channel === "sms" ? "au numéro" : "à l’adresse";
  say(byId(id), `Demande faite ${momentThere(new Date(at))}, envoyée ${way} ${destination}.`);
}

async function dispute() {
  clearErrors();
  try {
    await whileWaiting("Blocage de l’identifiant…", async () => {
      showDisputed(await call("POST", "/api/dispute", { body: { token } }));
    });
  } catch (failure) {
    showFailure(failure, { retry: dispute });
  }
}

/** @param {DisputedRequest} disputed */
function showDisputed(disputed) {
  byId("dispute").hidden = true;
  byId("disputed").hidden = false;
  byId("reference").textContent = disputed.reference;
  tellOf("disputed-request", disputed);
  const now = new Date(serverTime());
  say(byId("helpdesk-now"), helpdeskInWords(now));
  byId("helpdesk-now").append(...meanwhile(now));
  byId("title").textContent = "Votre signalement est enregistré";
  document.title = `Votre signalement est enregistré – ${election.site}`;
  byId("title").focus();
}

offerCopy("copy-reference", "reference");
byId("dispute-form").addEventListener("submit", (event) => {
  event.preventDefault();
  dispute();
});
// A second link opened in the same tab changes only the fragment.
window.addEventListener("hashchange", takeToken);
takeToken();

document.dispatchEvent(new Event("scripts-ready"));
