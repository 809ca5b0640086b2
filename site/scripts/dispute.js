/**
 * « Ce n’était pas moi »: the token of the e-mailed link freezes the identifier, once the button is
 * pressed.
 */
import { call, serverTime } from "./api.js";
import { election } from "./election.js";
import { byId, say } from "./elements.js";
import { clearErrors, showFailure } from "./errors.js";
import { helpdeskInWords } from "./helpdesk.js";
import { whileWaiting } from "./waiting.js";

/** @type {string} */
let token;

/** Take the token out of the address bar, so that it stays in no history. */
function takeToken() {
  if (location.hash.length > 1) token = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  byId("dispute").hidden = !token;
  byId("incomplete").hidden = Boolean(token);
}

async function dispute() {
  clearErrors();
  try {
    await whileWaiting("Blocage de l’identifiant…", async () => {
      const { reference } = await call("POST", "/api/dispute", { body: { token } });
      showDisputed(reference);
    });
  } catch (failure) {
    showFailure(failure, { retry: dispute });
  }
}

/** @param {string} reference */
function showDisputed(reference) {
  byId("dispute").hidden = true;
  byId("disputed").hidden = false;
  byId("reference").textContent = reference;
  say(byId("helpdesk-now"), helpdeskInWords(new Date(serverTime())));
  byId("title").textContent = "Votre signalement est enregistré";
  document.title = `Votre signalement est enregistré – ${election.site}`;
  byId("title").focus();
}

byId("dispute-form").addEventListener("submit", (event) => {
  event.preventDefault();
  dispute();
});
// A second link opened in the same tab changes only the fragment.
window.addEventListener("hashchange", takeToken);
takeToken();
