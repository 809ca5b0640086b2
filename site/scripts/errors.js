/** Errors: a summary above the title, the same words at the field, and what to do next. */
import { isClockInDoubt, Problem, serverTime, Unreachable } from "./api.js";
import { isCallerCodeShown } from "./caller-code.js";
import { election } from "./election.js";
import { byId, helpdeskLink, make, paragraph, say } from "./elements.js";
import { helpdeskInWords, meanwhile } from "./helpdesk.js";
import { counted, durationInWords, momentInWords, momentThere, typeset } from "./typography.js";
import { closeOfRequests } from "./voting.js";

/**
 * @typedef {{field: string, message: string}} Fault `field` is the id of the input to go to
 * @typedef {{label: string, run: () => void}} Action a button of the summary
 * @typedef {{title?: string, faults?: Fault[], texts?: (Node | string)[], next?: (Node | string)[],
 *   wait?: number | null, action?: Action | null}} Summary
 */

const PREFIX = typeset("Erreur : ");
// Beyond this a running clock is of no use: say at what time to come back.
const LONGEST_COUNTDOWN = 3600;
// What voters put right by themselves; for all else the helpdesk is named.
const WITHOUT_HELPDESK = new Set([
  "busy",
  "code-expired",
  "code-used",
  "delivery-in-progress",
  "email-domain",
  "idempotency-mismatch",
  "invalid-fields",
  "no-challenge",
  "numen-mismatch",
  "stale-page",
  "superseded",
  "too-many-tries",
  "unavailable",
  "window-closed",
  "wrong-code",
]);
// What may succeed a moment later, unchanged.
const PASSING = new Set(["busy", "delivery-in-progress", "unavailable"]);
/** @type {Record<string, [string, string]>} */
const LINKS = {
  "already-delivered": ["/suivi.html", "Voir le suivi de la demande"],
  "delivery-in-progress": ["/suivi.html", "Voir le suivi de la demande"],
  superseded: ["/suivi.html", "Voir le suivi de la dernière demande"],
  "redelivery-expired": ["/demande.html", "Faire une nouvelle demande"],
  "too-many-redeliveries": ["/demande.html", "Faire une nouvelle demande"],
  "numen-mismatch": ["/numen.html#secretariat", "NUMEN oublié : à qui le demander (nouvel onglet)"],
  "window-closed": ["/index.html", "Voir les dates des demandes"],
  "foreign-origin": ["/index.html", "Aller à l’accueil"],
  "not-found": ["/demande.html", "Faire une demande"],
};

// A stale page of the same voter: they have a later identifier.
const FOLLOW = LINKS["already-delivered"];

/** @type {Record<string, string>} */
const ADVICE = {
  "redelivery-expired": "Une nouvelle demande vous donne un autre identifiant, qui remplace celui-ci.",
  "too-many-redeliveries":
    "Cherchez-le dans vos SMS et dans vos courriers indésirables : il reste valable. " +
    "Sinon, faites une nouvelle demande.",
};

/** @type {number | undefined} */
let clock;

/** Remove the summary and the marks of all fields. */
export function clearErrors() {
  clearInterval(clock);
  byId("errors").hidden = true;
  byId("errors").replaceChildren();
  for (const marked of document.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
  for (const message of document.querySelectorAll(".field-error")) say(/** @type {HTMLElement} */ (message), "");
  for (const field of document.querySelectorAll(".field.faulty")) field.classList.remove("faulty");
  if (document.title.startsWith(PREFIX)) document.title = document.title.slice(PREFIX.length);
}

/**
 * Show a summary above the title and put the focus on it.
 * @param {Summary} summary
 */
export function showErrors({ title, faults = [], texts = [], next = [], wait = null, action = null }) {
  clearErrors();
  const box = byId("errors");
  const alert = make("div", { role: "alert" }, make("p", { class: "errors-title" }, title || "Il y a un problème"));
  if (faults.length) alert.append(make("ul", {}, ...faults.map((fault) => make("li", {}, fieldLink(fault)))));
  alert.append(...texts.map(block));
  box.append(alert, ...next.map(block));
  if (wait) box.append(countdown(wait));
  if (action) {
    const button = make("button", { type: "button" }, action.label);
    button.addEventListener("click", action.run);
    box.append(make("div", { class: "actions" }, button));
  }
  for (const fault of faults) markField(fault);
  document.title = PREFIX + document.title;
  box.hidden = false;
  box.focus();
  box.scrollIntoView({ block: "start" });
}

/**
 * Show why a call failed.
 * @param {unknown} failure
 * @param {{fields?: Record<string, string>, retry?: () => void, reassurance?: string, action?: Action}} [options]
 *   `fields`: input id of each field of the API; `retry`: what to do again when the call may succeed unchanged;
 *   `reassurance`: what to add when the outcome is unknown; `action`: what to offer instead
 */
export function showFailure(failure, { fields = {}, retry, reassurance, action } = {}) {
  const again = retry ? { label: "Réessayer", run: retry } : null;
  if (failure instanceof Unreachable) {
    const kept = document.querySelector("main input") ? ["Ce que vous avez saisi est conservé."] : [];
    const texts = [...kept, "Vérifiez votre connexion, puis réessayez."];
    if (reassurance) texts.push(reassurance);
    showErrors({
      title: navigator.onLine ? "Le service ne répond pas" : "Pas de connexion à internet",
      texts,
      action: again,
    });
    return;
  }
  if (!(failure instanceof Problem)) throw failure;
  const faults = failure.errors
    .filter((fault) => fields[fault.field])
    .map((fault) => ({ field: fields[fault.field], message: fault.message }));
  // A fault of something that the page has no field for.
  const elsewhere = failure.errors.filter((fault) => !fields[fault.field]).map((fault) => fault.message);
  const texts = failure.code === "invalid-fields" && failure.errors.length ? elsewhere : [failure.detail];
  const passes = PASSING.has(failure.code);
  if (passes && reassurance) texts.push(reassurance);
  showErrors({
    title: failure.title,
    faults,
    texts,
    next: nextSteps(failure),
    wait: endsByItself(failure) ? failure.retryAfter : null,
    action: action ?? (passes ? again : null),
  });
}

/**
 * Say a refusal at a field: the API does not name it, but the voter must know where to go.
 * @param {Problem} problem
 * @param {string} field
 */
export function atField(problem, field) {
  problem.errors = [{ field, code: problem.code, message: problem.detail }];
  problem.detail = "";
}

/**
 * What the voter can do after a refusal.
 * @param {Problem} problem
 * @returns {(Node | string)[]}
 */
export function nextSteps(problem) {
  const steps = [];
  if (problem.attemptsLeft) steps.push(`Il vous reste ${counted(problem.attemptsLeft, "essai")}.`);
  if (problem.code === "locked" && !endsByItself(problem)) steps.push("Seule l’assistance peut vous débloquer.");
  if (ADVICE[problem.code]) steps.push(ADVICE[problem.code]);
  const link = problem.sameVoter ? FOLLOW : LINKS[problem.code];
  // The page that the voter is on needs no link.
  if (link && link[0] !== location.pathname) {
    /** @type {Record<string, string>} */
    const tab = link[1].includes("nouvel onglet") ? { target: "_blank", rel: "noopener" } : {};
    steps.push(make("p", {}, make("a", { href: link[0], ...tab }, link[1])));
  }
  if (!WITHOUT_HELPDESK.has(problem.code)) {
    const now = new Date(serverTime());
    steps.push(make("p", {}, "Assistance : ", helpdeskLink(), ". ", helpdeskInWords(now), ...meanwhile(now)));
    if (isCallerCodeShown()) steps.push("Elle vous demandera les deux mots affichés sous « Besoin d’aide ? ».");
  }
  return steps;
}

/**
 * Tell whether waiting is enough; otherwise only the helpdesk can put an end to it.
 * @param {Problem} problem
 */
function endsByItself(problem) {
  if (problem.code === "locked") return (problem.retryAfter ?? 0) <= election.numenLockSeconds;
  return !["too-many-redeliveries", "too-many-tries"].includes(problem.code);
}

/** @param {Node | string} item */
function block(item) {
  return typeof item === "string" ? paragraph(item) : item;
}

/** @param {Fault} fault */
function fieldLink({ field, message }) {
  const link = make("a", { href: `#${field}` }, message);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    byId(field).focus();
  });
  return link;
}

/** @param {Fault} fault */
function markField({ field, message }) {
  const marked = byId(field);
  const group = marked.closest("fieldset") ?? marked;
  group.setAttribute("aria-invalid", "true");
  marked.closest(".field")?.classList.add("faulty");
  say(byId(`${group.id}-error`), message);
}

/**
 * A clock that runs to the moment when the voter may try again. Only its end is announced.
 * @param {number} seconds
 */
function countdown(seconds) {
  const until = serverTime() + seconds * 1000;
  if (until >= closeOfRequests()) return make("p", {}, ...tooLate(until));
  if (seconds > LONGEST_COUNTDOWN) {
    return make("p", {}, `Vous pourrez recommencer ${momentThere(new Date(serverTime() + seconds * 1000))}.`);
  }
  const remaining = make("strong", { id: "countdown" }, durationInWords(seconds));
  const line = make("p", { class: "countdown" }, "Vous pourrez recommencer dans ", remaining, ".");
  const ending = make("div", { role: "status" });
  const end = serverTime() + seconds * 1000;
  clock = setInterval(() => {
    if (isClockInDoubt()) return;
    const left = Math.ceil((end - serverTime()) / 1000);
    remaining.textContent = durationInWords(Math.max(left, 0));
    if (left > 0) return;
    clearInterval(clock);
    line.hidden = true;
    ending.append(make("p", {}, make("strong", {}, "Vous pouvez recommencer.")));
  }, 1000);
  return make("div", {}, line, ending);
}

/**
 * A wait that ends after the close is of no use: say so, and who can end it before.
 * @param {number} until
 * @returns {(Node | string)[]}
 */
function tooLate(until) {
  const [end, close] = [until, closeOfRequests()].map((instant) => momentInWords(new Date(instant)));
  return [
    make(
      "strong",
      {},
      `N’attendez pas : l’attente finirait ${end}, et les demandes ferment ${close}, ${election.zone}.`,
    ),
    " Appelez tout de suite l’assistance au ",
    helpdeskLink(),
    ".",
  ];
}

/**
 * The faults of a form by its own inputs: each names in `data-fault` what is expected of it.
 * @param {HTMLFormElement} form
 * @param {Record<string, (value: string) => boolean | string>} rules whether each text is good, or what is wrong
 * @returns {Fault[]}
 */
export function findFaults(form, rules = {}) {
  const faults = [];
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-fault]"))) {
    const choice = field.type === "radio" || field.type === "checkbox";
    const found = choice ? isChosen(form, field) : rules[field.name](field.value);
    if (found !== true) faults.push({ field: field.id, message: typeset(found || (field.dataset.fault ?? "")) });
  }
  return faults;
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} field
 */
function isChosen(form, field) {
  return form.querySelector(`[name="${field.name}"]:checked`) !== null;
}
