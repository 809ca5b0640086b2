/** Signing in: password, a new one at the first time, the second factor. */
import {
  choosePassword,
  confirmAuthenticator,
  currentCredentials,
  giveCode,
  newAuthenticator,
  startSignIn,
} from "./cognito.js";
import { byId, input } from "./elements.js";
import { notice, showErrors, showFailure } from "./errors.js";
import { correction, generate } from "./lean-qr.js";
import { Problem } from "./problem.js";
import { showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/** @typedef {import("./cognito.js").Step} Step */

const CODE = /^[0-9]{6}$/;
// As the user pool wants it (template.yaml).
const SHORTEST = 14;
/** @type {() => Promise<void>} */
let onSignedIn = async () => {};

/** @param {() => Promise<void>} whenSignedIn */
export function watchSignIn(whenSignedIn) {
  onSignedIn = whenSignedIn;
  onSubmit("sign-in-form", async () => {
    const name = input("username").value.trim();
    const password = input("password").value;
    const faults = [];
    if (!name) faults.push({ field: "username", message: "Tapez votre nom d’utilisateur." });
    if (!password) faults.push({ field: "password", message: "Tapez votre mot de passe." });
    if (faults.length) {
      showErrors({ faults });
      return;
    }
    await goOn(() => startSignIn(name, password), { NotAuthorizedException: "password" });
    input("password").value = "";
  });
  onSubmit("new-password-form", async () => {
    const password = input("new-password").value;
    if (password.length < SHORTEST) {
      showErrors({ faults: [{ field: "new-password", message: `Tapez au moins ${SHORTEST} caractères.` }] });
      return;
    }
    await goOn(() => choosePassword(password), { InvalidPasswordException: "new-password" });
  });
  onSubmit("authenticator-form", () => withCode("first-code", confirmAuthenticator));
  onSubmit("second-factor-form", () => withCode("totp", giveCode));
}

/**
 * Ask to sign in, from the beginning.
 * @param {string} [why] what to say first
 */
export function askToSignIn(why = "") {
  forgetSecrets();
  showView("sign-in", { focus: why ? "title" : "username" });
  if (why) notice(why);
}

/** Leave neither password nor code nor what the second factor is made of on the page. */
function forgetSecrets() {
  for (const id of ["password", "new-password", "first-code", "totp"]) input(id).value = "";
  byId("otp-secret").textContent = "";
  byId("otpauth-link").setAttribute("href", "#main");
  // A canvas that is given a size is empty.
  const canvas = qrCode();
  canvas.width = 0;
}

function qrCode() {
  return /** @type {HTMLCanvasElement} */ (byId("qr"));
}

/**
 * @param {string} id
 * @param {() => Promise<void>} action
 */
function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    whileWaiting("Vérification en cours…", action);
  });
}

/**
 * @param {string} field
 * @param {(code: string) => Promise<Step>} give
 */
async function withCode(field, give) {
  const code = input(field).value.replace(/\s/g, "");
  if (!CODE.test(code)) {
    showErrors({ faults: [{ field, message: "Tapez les 6 chiffres que l’application affiche." }] });
    return;
  }
  await goOn(() => give(code), { CodeMismatchException: field });
}

/**
 * Do a step, and show what is asked for next.
 * @param {() => Promise<Step>} action
 * @param {Record<string, string>} fields
 */
async function goOn(action, fields) {
  try {
    await show(await action());
  } catch (failure) {
    if (failure instanceof Problem && failure.code === "start-again") {
      askToSignIn(`${failure.title}. ${failure.detail}`);
      return;
    }
    showFailure(failure, fields);
  }
}

/** @param {Step} step */
async function show(step) {
  switch (step) {
    case null:
      forgetSecrets();
      await currentCredentials();
      await onSignedIn();
      return;
    case "NEW_PASSWORD_REQUIRED":
      showView("new-password", { focus: "new-password" });
      return;
    case "MFA_SETUP":
      await showAuthenticator();
      return;
    case "SOFTWARE_TOKEN_MFA":
      showView("second-factor", { focus: "totp" });
      return;
    default:
      throw new Problem("unknown-step", {
        title: "Votre compte demande autre chose",
        detail: "Cette page ne sait pas le faire. Demandez à l’encadrement une nouvelle invitation.",
      });
  }
}

async function showAuthenticator() {
  const { secret, link } = await newAuthenticator();
  byId("otp-secret").textContent = secret.replace(/(.{4})(?=.)/g, "$1 ");
  byId("otpauth-link").setAttribute("href", link);
  generate(link, { minCorrectionLevel: correction.M }).toCanvas(qrCode());
  showView("authenticator");
}
