/** Steps 1 and 2: an address, and the code that was sent to it. */
import { call, Problem, serverTime } from "./api.js";
import { election } from "./election.js";
import { byId, input, make, say, send } from "./elements.js";
import { clearErrors, findFaults, showErrors, showFailure } from "./errors.js";
import { readAddress, readCode, suggestAddress } from "./pasted.js";
import { durationInWords } from "./typography.js";
import { showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

const DOMAINS = election.domains.map(({ domain }) => domain);

// After these a code that was typed is of no more use here.
const NEW_CODE = new Set(["code-expired", "code-used", "no-challenge"]);
const NOT_SENT =
  "Plusieurs codes viennent d’être demandés pour cette adresse. " +
  "Un code ne sert que dans le navigateur qui l’a demandé. " +
  "Si vous en avez déjà demandé un ici, utilisez-le. Sinon, recommencez dans quelques minutes.";
// The helpdesk lets this page in by the number that its requests carry.
const CALL =
  "Si aucun code ne part, restez sur cette page, appelez l’assistance et donnez le numéro de votre demande :";

// The address lives here, while the page does, so that a new code needs no second typing.
let address = "";
let resendAt = 0;
// Whether the last request queued a code: too many may have been asked for, by anybody.
let sent = true;
const number = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000).padStart(6, "0");
// The tries of this browser's challenge are used up: no code redeems it any more, so the next one
// needs another challenge.
let exhausted = false;

/** @param {() => Promise<void>} whenSignedIn */
export function startSignIn(whenSignedIn) {
  onSubmit("address-form", askCode);
  onSubmit("code-form", () => redeemCode(whenSignedIn));
  byId("resend").addEventListener("click", askAgain);
  byId("change-address").addEventListener("click", (event) => {
    event.preventDefault();
    showView("address");
  });
  setInterval(showWait, 1000);
}

async function askCode() {
  const { value: typed, fault } = readAddress(input("email").value);
  const faults = findFaults(form("address-form"), { email: () => fault || true });
  if (faults.length) {
    showErrors({ faults });
    return;
  }
  try {
    if (!(await requestCode(typed))) return;
    showView("code");
    input("code").value = "";
    showAddress();
  } catch (failure) {
    if (failure instanceof Problem && failure.code === "email-domain") showAcceptedAddresses(failure, typed);
    else showFailure(failure, { fields: { email: "email" }, retry: () => send("address-form") });
  }
}

/**
 * @param {string} typed
 * @returns {Promise<boolean>} whether the API was asked
 */
function requestCode(typed) {
  return whileWaiting("Envoi du code…", async () => {
    if (exhausted) await call("DELETE", "/api/login");
    exhausted = false;
    const answer = await call("POST", "/api/login", { body: { email: typed, number } });
    address = typed;
    // While a version is being deployed the page may be newer than the API.
    sent = answer.sent !== false;
    resendAt = serverTime() + answer.resend_in * 1000;
  });
}

/** @param {() => Promise<void>} whenSignedIn */
async function redeemCode(whenSignedIn) {
  const { value: code, fault } = readCode(input("code").value);
  const faults = findFaults(form("code-form"), { code: () => fault || true });
  if (faults.length) {
    showErrors({ faults });
    return;
  }
  const retry = () => send("code-form");
  try {
    const redeemed = await whileWaiting("Vérification du code…", async () => {
      await call("POST", "/api/login/code", { body: { code } });
    });
    if (!redeemed) return;
  } catch (failure) {
    showCodeFailure(failure, retry);
    return;
  }
  // Anyone who signs in next on this page may be somebody else.
  input("code").value = "";
  input("email").value = "";
  address = "";
  say(byId("code-sent"), "");
  await whenSignedIn();
}

/**
 * @param {unknown} failure
 * @param {() => void} retry
 */
function showCodeFailure(failure, retry) {
  const again = { label: "Demander un nouveau code", run: askAgain };
  if (failure instanceof Problem && failure.attemptsLeft === 0) exhausted = true;
  if (failure instanceof Problem && failure.code === "too-many-tries") {
    showFailure(failure, { action: again });
    return;
  }
  if (failure instanceof Problem && NEW_CODE.has(failure.code)) {
    failure.errors = [{ field: "code", code: failure.code, message: failure.detail }];
    failure.detail = "";
    showFailure(failure, { fields: { code: "code" }, action: again });
    return;
  }
  if (failure instanceof Problem && failure.code === "wrong-code") {
    failure.errors = [{ field: "code", code: failure.code, message: failure.detail }];
    failure.detail = failure.attemptsLeft ? "Si vous avez demandé plusieurs codes, essayez le dernier reçu." : "";
    showFailure(failure, { fields: { code: "code" }, action: failure.attemptsLeft ? undefined : again });
    return;
  }
  showFailure(failure, { fields: { code: "code" }, retry });
}

async function askAgain() {
  if (!address) {
    showView("address");
    return;
  }
  if (serverTime() < resendAt) {
    const wait = `Attendez encore ${durationInWords(secondsLeft())} avant de demander un nouveau code.`;
    say(byId("announcer"), wait);
    byId("resend").focus();
    return;
  }
  clearErrors();
  try {
    if (!(await requestCode(address))) return;
    input("code").value = "";
    const news = sent ? "Un nouveau code est parti" : "Aucun nouveau code n’est parti";
    say(byId("code-sent"), sent ? `${news} vers ${address}. Utilisez le dernier reçu.` : `${news}. ${notSent()}`);
    say(byId("announcer"), `${news}.`);
    input("code").focus();
  } catch (failure) {
    showFailure(failure, { retry: askAgain });
  }
}

function showAddress() {
  const listed = `Si l’adresse ${address} figure sur la liste électorale, un code à 6 chiffres vient d’y être envoyé.`;
  say(byId("code-sent"), sent ? listed : `Aucun nouveau code n’est parti vers ${address}. ${notSent()}`);
}

function notSent() {
  return `${NOT_SENT} ${CALL} ${number.slice(0, 3)}\u00a0${number.slice(3)}.`;
}

function showWait() {
  const left = secondsLeft();
  say(byId("resend-wait"), left > 0 ? `Nouveau code possible dans ${durationInWords(left)}.` : "");
}

function secondsLeft() {
  return Math.max(0, Math.ceil((resendAt - serverTime()) / 1000));
}

/**
 * An address that is not professional: which ones are, and what was meant if it was a slip.
 * @param {Problem} problem
 * @param {string} typed
 */
function showAcceptedAddresses(problem, typed) {
  const accepted = election.domains.map(({ staff, example }) =>
    make("li", {}, `${staff} : `, make("span", { class: "address" }, example)),
  );
  const suggested = suggestAddress(typed, DOMAINS);
  const meant = suggested
    ? [make("p", {}, "Vouliez-vous écrire ", make("span", { class: "address" }, make("strong", {}, suggested), " ?"))]
    : [];
  const accept = () => {
    input("email").value = suggested ?? "";
    clearErrors();
    input("email").focus();
  };
  showErrors({
    title: problem.title,
    faults: problem.errors.map(({ message }) => ({ field: "email", message })),
    texts: ["Adresses acceptées :", make("ul", { class: "addresses" }, ...accepted), ...meant],
    action: suggested ? { label: "Utiliser cette adresse", run: accept } : null,
  });
}

/** @param {string} id */
function form(id) {
  return /** @type {HTMLFormElement} */ (byId(id));
}

/**
 * @param {string} id
 * @param {() => void} action
 */
function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
}
