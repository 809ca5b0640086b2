/** From the address to the confirmation, in one document: see parts/journey.html. */
import { showFailure } from "./errors.js";
import "./helpdesk.js";
import { clearRequest, isReviewReady, showRequest, showReview, startRequest } from "./reissue-form.js";
import { forgetSession, isSignedOut, readOverview, watchSession } from "./session.js";
import { startSignIn } from "./sign-in.js";
import { currentView, pathOf, showNotice, showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Overview} Overview
 * @typedef {import("./views.js").View} View
 */

const SESSION_ENDED = "Votre session est terminée. Identifiez-vous de nouveau.";
const STRANGER = "Une autre personne s’est identifiée dans ce navigateur : ce qui était saisi ici est effacé.";
const NOT_SIGNED_IN = "Identifiez-vous pour continuer. Si vous l’avez déjà fait, votre session est terminée.";

// Whose typing the form holds: opaque, for two voters may have the same masked address.
let owner = "";
let signedIn = false;
// Where to go after signing in: the status page sent the voter here.
let toTracking = false;
// The voter comes from a page that begins a request: anyone who is signed in already goes on.
let beginning = false;
/** @type {View} */
let interrupted = "request";

/** @returns {Promise<Overview>} */
async function read() {
  const overview = await readOverview();
  signedIn = true;
  return overview;
}

/** Continue after sign-in where the voter was. */
async function enter() {
  try {
    await whileWaiting("Chargement de votre demande…", async () => {
      const overview = await read();
      if (toTracking) {
        location.replace("/suivi.html");
        return;
      }
      // Somebody else may sign in on a shared computer; they must not find what the voter before
      // typed.
      own(overview);
      showRequest(overview, "replace");
      if (interrupted === "review" && currentView() === "request" && isReviewReady()) showReview("push");
      interrupted = "request";
    });
  } catch (failure) {
    if (isSignedOut(failure)) {
      signInAgain();
      return;
    }
    showFailure(failure, { retry: enter });
  }
}

/** The session has ended: sign in again on this very page, so that nothing typed is lost. */
function signInAgain() {
  const typed = isFormStarted();
  interrupted = currentView() === "review" ? "review" : "request";
  const first = currentView() === "loading";
  signedIn = false;
  forgetSession();
  showView("address", { history: first ? "replace" : "push" });
  if (first && beginning) return;
  const ended = first ? NOT_SIGNED_IN : SESSION_ENDED;
  showNotice(typed ? `${SESSION_ENDED} Ce que vous avez saisi est conservé.` : ended);
}

/** Another voter has the session: what was typed is not theirs to see, nor is the request. */
async function welcomeStranger() {
  clearRequest();
  showView("loading", { history: "keep" });
  await enter();
  if (signedIn && currentView() !== "loading") showNotice(STRANGER);
}

async function readAgain() {
  const overview = await read();
  own(overview);
  return overview;
}

/**
 * What another voter has typed is not for this one.
 * @param {Overview} overview
 */
function own({ voter, revision }) {
  const reader = voter ?? revision;
  if (reader !== owner) clearRequest();
  owner = reader;
}

function isFormStarted() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#request-form input"));
  return [...fields].some((field) =>
    field.type === "text" || field.type === "tel" ? field.value !== "" : field.checked,
  );
}

/**
 * Back and forward move between the steps that make sense now. An anchor is no step: nothing moves.
 * @param {PopStateEvent} event
 */
function followHistory({ state }) {
  const path = location.pathname;
  if (isCurrent(state?.view, path)) return;
  if (path === "/demande.html") {
    // Only a new look tells whether what was refused is possible now.
    if (!signedIn || currentView() === "refused") enterOrSignIn();
    else if (location.hash === "#verification" && isReviewReady()) showReview("keep");
    else showView("request", { history: "keep" });
  } else {
    showView(path === "/code.html" ? "code" : "address", { history: "keep" });
  }
}

/**
 * Tell whether an entry of the history is the step that is shown. One without a step was made by an
 * anchor, or by hand.
 * @param {View | undefined} view
 * @param {string} path
 */
function isCurrent(view, path) {
  return view ? view === currentView() : path === pathOf(currentView());
}

function enterOrSignIn() {
  showView("loading", { history: "keep" });
  enter();
}

startSignIn(enter);
startRequest({ readAgain, signInAgain, welcomeStranger });
watchSession(signInAgain, welcomeStranger);
window.addEventListener("popstate", followHistory);
// A page that comes back from the browser's memory may show somebody's form after they signed out.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted || !signedIn) return;
  interrupted = currentView() === "review" ? "review" : "request";
  enterOrSignIn();
});

if (location.pathname === "/demande.html") {
  beginning = location.hash === "#commencer";
  if (beginning) history.replaceState(null, "", location.pathname);
  enterOrSignIn();
} else {
  toTracking = location.hash === "#suivi";
  showViewOfPage();
}

function showViewOfPage() {
  const name = location.pathname === "/code.html" ? "code" : "address";
  history.replaceState({ view: name }, "", location.pathname);
  if (toTracking) showNotice(NOT_SIGNED_IN);
}

document.dispatchEvent(new Event("scripts-ready"));
