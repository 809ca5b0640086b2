/**
 * Steps 3 and 4: the form, its review, and the request itself. What is typed stays in the fields of
 * this document.
 */
import { call, Problem, serverTime, Unreachable } from "./api.js";
import { byId, input, make, paragraph, say, send } from "./elements.js";
import { atField, findFaults, nextSteps, showErrors, showFailure } from "./errors.js";
import { compact, plain, readNumen, readPhone } from "./pasted.js";
import { isSignedOut } from "./session.js";
import { momentThere, ordinal, typeset } from "./typography.js";
import { showView } from "./views.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {import("./api.js").Overview} Overview
 * @typedef {{readAgain: () => Promise<Overview>, signInAgain: () => void, welcomeStranger: () => void}} Session
 */

/** @type {Record<string, string>} */
const FIELDS = { numen: "numen", phone: "phone", channel: "channel-sms", consent: "consent" };
// Is there only when the election asks for a further proof.
const EXTRA_PROOF = "extra-proof";
const asksForMore = document.getElementById(EXTRA_PROOF) !== null;
if (asksForMore) FIELDS.extra_proof = EXTRA_PROOF;
const REFUSALS = new Set(["window-closed", "reissues-stopped", "already-voted", "frozen"]);
const SAFE_TO_REPEAT = "Vous pouvez réessayer sans risque : la demande ne sera pas faite deux fois.";
const FORM_FAULTS = new Set(["idempotency-mismatch", "invalid-fields", "numen-mismatch", "phone-in-use"]);

/** @type {Record<string, (value: string) => boolean | string>} */
const RULES = {
  numen: (typed) => readNumen(typed).fault || true,
  phone: (typed) => readPhone(typed).fault || true,
  extra_proof: (value) => normalisedExtraProof(value) !== "",
};

/** @type {Overview} */
let overview;
// One key for one review: however often it is confirmed, one identifier is issued.
let key = "";
// A confirmation was sent and no answer came.
let uncertain = false;

/** @param {Session} session */
export function startRequest(session) {
  onSubmit("request-form", () => review(session));
  onSubmit("review-form", () => confirm(session));
  byId("review-back").addEventListener("click", () => history.back());
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-edit]"))) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      showView("request");
      byId(link.dataset.edit ?? "numen").focus();
    });
  }
}

/**
 * Show the form to a voter who may use it, or why they may not.
 * @param {Overview} read
 * @param {"push" | "replace" | "keep"} historyChange
 */
export function showRequest(read, historyChange) {
  overview = read;
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-secretariat]"))) {
    line.hidden = !overview.secretariat;
  }
  for (const name of document.querySelectorAll("[data-secretariat-name]"))
    name.textContent = overview.secretariat ?? "";
  const refusal = refusalOf(overview);
  if (refusal) {
    showRefusal(...refusal, historyChange);
    return;
  }
  showExisting();
  showView("request", { history: historyChange });
}

/** Tell whether a review is ready to be shown again: the form is complete. */
export function isReviewReady() {
  return key !== "" && findFaults(form("request-form"), RULES).length === 0;
}

/**
 * Show the review without a new key: the voter comes back to it.
 * @param {"push" | "replace" | "keep"} historyChange
 */
export function showReview(historyChange) {
  byId("review-numen").textContent = readNumen(input("numen").value).value;
  if (asksForMore) byId("review-extra-proof").textContent = normalisedExtraProof(input(EXTRA_PROOF).value);
  byId("review-phone").textContent = input("phone").value.trim();
  const mail = `Par courriel, à ${overview.address}`;
  say(byId("review-channel"), channel() === "sms" ? "Par SMS, sur ce mobile" : mail);
  say(byId("review-confirmation"), mail);
  byId("review-current").textContent = typeset(` (le ${ordinal(overview.generation)})`);
  showView("review", { history: historyChange });
}

/** Empty the form: somebody else may use the page, or the request is done. */
export function clearRequest() {
  form("request-form").reset();
  key = "";
  uncertain = false;
}

/** @param {Session} session */
async function review(session) {
  const faults = findFaults(form("request-form"), RULES);
  if (faults.length) {
    showErrors({ faults });
    return;
  }
  if (uncertain && (await committedMeanwhile(session))) return;
  key = freshKey();
  showReview("push");
}

/** A value that no other request has. `randomUUID` is of 2022. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Before a second request, find out what became of one whose answer was lost.
 * @param {Session} session
 */
async function committedMeanwhile(session) {
  const shown = overview;
  try {
    overview = await session.readAgain();
  } catch (failure) {
    showCallFailure(failure, session, () => send("request-form"));
    return true;
  }
  uncertain = false;
  if (overview.revision === shown.revision) return false;
  if (overview.voter === shown.voter) finish();
  else session.welcomeStranger();
  return true;
}

/** @param {Session} session */
async function confirm(session) {
  const body = {
    revision: overview.revision,
    numen: readNumen(input("numen").value).value,
    ...(asksForMore && { extra_proof: normalisedExtraProof(input(EXTRA_PROOF).value) }),
    phone: input("phone").value.trim(),
    channel: channel(),
    consent: input("consent").checked,
  };
  try {
    await whileWaiting("Envoi de la demande…", async () => {
      await call("POST", "/api/reissue", { body, key });
      finish();
    });
  } catch (failure) {
    uncertain = failure instanceof Unreachable || (failure instanceof Problem && failure.code === "unavailable");
    showCallFailure(failure, session, () => send("review-form"));
  }
}

/**
 * @param {unknown} failure
 * @param {Session} session
 * @param {() => void} retry
 */
function showCallFailure(failure, session, retry) {
  if (isSignedOut(failure)) {
    session.signInAgain();
    return;
  }
  if (failure instanceof Problem && REFUSALS.has(failure.code)) {
    showRefusal(failure.title, failure.detail, failure, "replace");
    return;
  }
  if (failure instanceof Problem && failure.code === "stale-page") {
    showStalePage(failure, session);
    return;
  }
  // The key was used for another form: that one was taken.
  if (failure instanceof Problem && failure.code === "idempotency-mismatch") uncertain = true;
  if (failure instanceof Problem && FORM_FAULTS.has(failure.code)) {
    showView("request");
    // The API does not say which field these are about, but the voter must know where to go.
    if (failure.code === "numen-mismatch") {
      atField(failure, "numen");
      if (asksForMore) failure.errors.push({ field: "extra_proof", code: failure.code, message: checkExtraProof() });
    }
    if (failure.code === "phone-in-use") atField(failure, "phone");
  }
  showFailure(failure, { fields: FIELDS, retry, reassurance: uncertain ? SAFE_TO_REPEAT : "" });
}

/**
 * The page shows what is no longer so: read where the voter stands, and say what happened. What was
 * typed stays, unless it was typed by somebody else.
 * @param {Problem} problem
 * @param {Session} session
 */
async function showStalePage(problem, session) {
  if (!problem.sameVoter) clearRequest();
  try {
    overview = await session.readAgain();
  } catch (failure) {
    showCallFailure(failure, session, () => showStalePage(problem, session));
    return;
  }
  key = "";
  input("consent").checked = false;
  showRequest(overview, "replace");
  showFailure(problem);
}

/** The request is committed: its status page takes over, and Back does not lead to the form. */
function finish() {
  clearRequest();
  location.replace("/suivi.html");
}

/**
 * @param {Overview} read
 * @returns {[string, string, Problem] | null} title, detail, problem
 */
function refusalOf(read) {
  if (read.status === "used") {
    const detail =
      "Votre vote est enregistré : aucun nouvel identifiant ne peut être envoyé. " +
      "Si vous n’avez pas voté, appelez tout de suite l’assistance.";
    return ["Vous avez déjà voté", detail, new Problem(409, { code: "already-voted" }, null)];
  }
  if (read.status === "frozen") {
    const detail = "Il a été bloqué après un signalement. Appelez l’assistance.";
    return ["Votre identifiant est bloqué", detail, new Problem(409, { code: "frozen" }, null)];
  }
  if (read.window.open) return lockOf(read);
  if (read.window.stopped) {
    const detail =
      "L’organisateur a suspendu les demandes de nouvel identifiant. Votre identifiant actuel reste valable. " +
      "Appelez l’assistance.";
    return ["Les demandes sont suspendues", detail, new Problem(409, { code: "reissues-stopped" }, null)];
  }
  const opensAt = new Date(read.window.opens_at);
  const [title, detail] =
    opensAt.getTime() > serverTime()
      ? ["Les demandes ne sont pas encore ouvertes", `Revenez à partir du ${momentThere(opensAt)}.`]
      : ["Les demandes sont fermées", `Elles ont fermé le ${momentThere(new Date(read.window.closes_at))}.`];
  return [title, detail, new Problem(409, { code: "window-closed" }, null)];
}

/**
 * A lock, or too many requests, is told before anything is typed.
 * @param {Overview} read
 * @returns {[string, string, Problem] | null} title, detail, problem
 */
function lockOf({ lock, request }) {
  const many = request?.refused === "too-many-reissues";
  // While a version is being deployed the page may be newer than the API.
  if (!lock && !many) return null;
  const end = many ? request.again_at : lock?.ends_at;
  const again = end
    ? `Vous pourrez faire votre demande ${momentThere(new Date(end))} : rechargez alors cette page.`
    : "Seule l’assistance peut vous débloquer.";
  return many
    ? ["Trop de demandes", again, new Problem(429, { code: request.refused }, 0)]
    : [
        "Trop d’essais",
        `Un NUMEN qui n’est pas le vôtre a été saisi trop de fois. ${again}`,
        new Problem(429, { code: "locked" }, 0),
      ];
}

/**
 * @param {string} title
 * @param {string} detail
 * @param {Problem} problem
 * @param {"push" | "replace" | "keep"} historyChange
 */
function showRefusal(title, detail, problem, historyChange) {
  byId("refused-detail").replaceChildren(...paragraph(detail).childNodes);
  const steps = nextSteps(problem).map((step) => (typeof step === "string" ? make("p", {}, step) : step));
  byId("refused-next").replaceChildren(...steps);
  byId("refused-follow").hidden = !overview?.last_reissue;
  showView("refused", { history: historyChange, title });
}

function showExisting() {
  const last = overview.last_reissue;
  byId("existing").hidden = !last;
  if (!last) return;
  say(
    byId("existing-title"),
    `Vous avez déjà demandé un nouvel identifiant : c’est votre ${ordinal(last.generation)}.`,
  );
  const way = last.channel === "sms" ? "par SMS, au numéro" : "par courriel, à l’adresse";
  const sent = `Demandé ${momentThere(new Date(last.at))}, envoyé ${way} ${last.destination}.`;
  say(byId("existing-text"), `${sent} ${existingAdvice(last)}`);
}

/** @param {NonNullable<Overview["last_reissue"]>} last */
function existingAdvice({ status, redeliverable }) {
  return status === "failed" && !redeliverable
    ? "L’envoi a échoué. Faites une nouvelle demande, avec un autre mobile."
    : "S’il n’arrive pas, ne refaites pas de demande : suivez l’envoi.";
}

function channel() {
  return input("channel-sms").checked ? "sms" : "email";
}

/** Either of the two may be wrong, and the API does not say which. */
function checkExtraProof() {
  const label = document.querySelector(`label[for="${EXTRA_PROOF}"]`)?.textContent ?? "";
  return `Vérifiez aussi le renseignement « ${label} ».`;
}

/**
 * The further proof as it is shown and sent: JJ/MM/AAAA, or capitals and digits. Empty when it is
 * not of the kind that is asked for.
 * @param {string} typed
 */
function normalisedExtraProof(typed) {
  const { minLength, maxLength } = input(EXTRA_PROOF).dataset;
  if (!minLength) return normalisedDay(typed);
  const text = compact(typed);
  const fits = text.length >= Number(minLength) && text.length <= Number(maxLength);
  return fits && /^[A-Za-z0-9]+$/.test(text) ? text.toUpperCase() : "";
}

/**
 * A phone's numeric keypad has no separator: a day may be typed without any.
 * @param {string} typed
 */
function normalisedDay(typed) {
  const text = plain(typed).replace(/[\s/.-]+/g, "/");
  const found = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? /^(\d{2})(\d{2})(\d{4})$/.exec(text);
  if (!found) return "";
  const [day, month, year] = found.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || year < 1900 || year > 2099) return "";
  const [twoOfDay, twoOfMonth] = [day, month].map((part) => String(part).padStart(2, "0"));
  return `${twoOfDay}/${twoOfMonth}/${year}`;
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
