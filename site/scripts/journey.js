/** From the address to the confirmation, in one document: see parts/journey.html. */
import { showFailure } from "./errors.js";
import "./helpdesk.js";
import { clearRequest, isReviewReady, showRequest, showReview, startRequest } from "./reissue-form.js";
import { forgetSession, isSignedOut, readOverview, watchSession } from "./session.js";
import { startSignIn } from "./sign-in.js";
import { currentView, showNotice, showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Overview} Overview
 * @typedef {import("./views.js").View} View
 */

const SESSION_ENDED = "Votre session est terminée. Identifiez-vous de nouveau.";
const NOT_SIGNED_IN = "Identifiez-vous pour continuer. Si vous l’avez déjà fait, votre session est terminée.";

// Whose typing the form holds: the revision that was shown, for two voters may have the same masked
// address.
let owner = "";
let signedIn = false;
// Where to go after signing in: the status page sent the voter here.
let toTracking = false;
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
      if (overview.revision !== owner) clearRequest();
      owner = overview.revision;
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
  const ended = first ? NOT_SIGNED_IN : SESSION_ENDED;
  showNotice(typed ? `${SESSION_ENDED} Ce que vous avez saisi est conservé.` : ended);
}

async function readAgain() {
  const overview = await read();
  owner = overview.revision;
  return overview;
}

function isFormStarted() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#request-form input"));
  return [...fields].some((field) =>
    field.type === "text" || field.type === "tel" ? field.value !== "" : field.checked,
  );
}

/** Back and forward move between the steps that make sense now. */
function followHistory() {
  const path = location.pathname;
  if (path === "/demande.html") {
    if (!signedIn) enterOrSignIn();
    else if (location.hash === "#verification" && isReviewReady()) showReview("keep");
    else showView("request", { history: "keep" });
  } else {
    showView(path === "/code.html" ? "code" : "address", { history: "keep" });
  }
}

function enterOrSignIn() {
  showView("loading", { history: "keep" });
  enter();
}

startSignIn(enter);
startRequest({ readAgain, signInAgain });
watchSession(signInAgain);
window.addEventListener("popstate", followHistory);
// A page that comes back from the browser's memory may show somebody's form after they signed out.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && signedIn) enter();
});

if (location.pathname === "/demande.html") {
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
