/** The home page: whether requests are open now, and a word after signing out. */
import { call, clockIsKnown, serverTime } from "./api.js";
import { election } from "./election.js";
import { byId, helpdeskLink, make, paragraph, say } from "./elements.js";
import "./helpdesk.js";
import { momentInWords, typeset } from "./typography.js";
import { tellCloseOfRequests } from "./voting.js";

/** @typedef {import("./api.js").Window} Window */

// As long as a cache keeps the answer, and a little more.
const ASK_AGAIN = 60_000;
const REFRESH = 1000;

/** @type {Window} what the election file says, until the API says how it stands */
let reissues = { opens_at: election.reissue.opensAt, closes_at: election.reissue.closesAt, open: true, stopped: false };
// The clock of a phone may be wrong: until the server has told the time, the way in stays open.
let asked = false;
let shown = "";

async function ask() {
  if (document.hidden) return;
  try {
    /** @type {{window: Window}} */
    const { window } = await call("GET", "/api/status");
    reissues = window;
    asked = true;
    tellCloseOfRequests(reissues.closes_at);
  } catch {
    // The page says what the election file says, as it did before.
  }
  refresh();
}

/** @returns {[string, Node[]]} what it stands at, and what to say of it */
function standing() {
  const now = serverTime();
  if (now >= Date.parse(reissues.closes_at)) {
    const since = momentInWords(new Date(reissues.closes_at));
    return ["closed", [paragraph(`Les demandes sont fermées depuis le ${since}, ${election.zone}.`)]];
  }
  if (reissues.stopped) {
    const text = "Votre identifiant actuel reste valable. Revenez plus tard. C’est urgent ? Appelez l’assistance au ";
    return [
      "stopped",
      [
        make("p", {}, make("strong", {}, "L’organisateur a suspendu les demandes de nouvel identifiant.")),
        make("p", {}, typeset(text), helpdeskLink(), "."),
      ],
    ];
  }
  if (now < Date.parse(reissues.opens_at)) {
    const opens = momentInWords(new Date(reissues.opens_at));
    const early = `Les demandes ne sont pas encore ouvertes. Revenez à partir du ${opens}, ${election.zone}.`;
    return ["early", [paragraph(early)]];
  }
  return ["open", []];
}

function refresh() {
  const [state, words] = standing();
  byId("start").hidden = asked && state !== "open";
  if (state === shown) return;
  shown = state;
  byId("window-notice").replaceChildren(...words);
  byId("window-notice").hidden = words.length === 0;
}

clockIsKnown.then(() => {
  refresh();
  setInterval(refresh, REFRESH);
});
ask();
setInterval(ask, ASK_AGAIN);
document.addEventListener("visibilitychange", ask);

if (location.hash === "#deconnexion") {
  history.replaceState(null, "", location.pathname);
  say(byId("notice"), "Vous avez quitté votre session.");
  byId("notice").focus();
}
