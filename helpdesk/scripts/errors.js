/** Errors: a summary above the title, the same words at the field. */
import { byId, make, say, typeset } from "./elements.js";
import { Problem, Unreachable } from "./problem.js";

/** @typedef {{field: string, message: string}} Fault `field` is the id of the input to go to */

const PREFIX = typeset("Erreur : ");

/** Remove the summary, the notice and the marks of all fields. */
export function clearMessages() {
  byId("errors").hidden = true;
  byId("errors").replaceChildren();
  say(byId("notice"), "");
  for (const marked of document.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
  for (const message of document.querySelectorAll(".field-error")) say(/** @type {HTMLElement} */ (message), "");
  if (document.title.startsWith(PREFIX)) document.title = document.title.slice(PREFIX.length);
}

/**
 * Say something above the title, and put the focus on it.
 * @param {string} text
 * @param {"panel" | "panel panel-success" | "panel panel-warning"} [look]
 */
export function notice(text, look = "panel") {
  clearMessages();
  byId("notice").className = look;
  say(byId("notice"), text);
  byId("notice").focus();
}

/**
 * Show a summary above the title and put the focus on it.
 * @param {{title?: string, faults?: Fault[], texts?: string[]}} summary
 */
export function showErrors({ title = "Il y a un problème", faults = [], texts = [] }) {
  clearMessages();
  const box = byId("errors");
  const alert = make("div", { role: "alert" }, make("p", { class: "errors-title" }, title));
  if (faults.length) alert.append(make("ul", {}, ...faults.map((fault) => make("li", {}, link(fault)))));
  alert.append(...texts.filter(Boolean).map((text) => make("p", {}, text)));
  box.append(alert);
  for (const { field, message } of faults) {
    byId(field).setAttribute("aria-invalid", "true");
    say(byId(`${field}-error`), message);
  }
  document.title = PREFIX + document.title;
  box.hidden = false;
  box.focus();
  box.scrollIntoView({ block: "nearest" });
}

/**
 * Show why a call failed.
 * @param {unknown} failure
 * @param {Record<string, string>} [fields] input id of each field of the API, and of each refusal that is one's fault
 */
export function showFailure(failure, fields = {}) {
  if (failure instanceof Unreachable) {
    showErrors({
      title: "Aucune réponse",
      texts: [
        "Vérifiez la connexion, puis recommencez. Le même envoi n’agit qu’une fois : rien ne sera fait deux fois.",
      ],
    });
    return;
  }
  if (!(failure instanceof Problem)) throw failure;
  if (failure.code === "signed-out" || failure.code === "session-ended") {
    const why = [failure.title, failure.detail].filter(Boolean).join(". ");
    document.dispatchEvent(new CustomEvent("signed-out", { detail: why }));
    return;
  }
  const faults = failure.errors
    .filter((fault) => fields[fault.field])
    .map((fault) => ({ field: fields[fault.field], message: fault.message }));
  const elsewhere = failure.errors.filter((fault) => !fields[fault.field]).map((fault) => fault.message);
  const own = fields[failure.code];
  const wait = failure.retryAfter
    ? `Vous pourrez recommencer dans ${Math.max(1, Math.ceil(failure.retryAfter / 60))} min.`
    : "";
  showErrors({
    title: failure.title || undefined,
    faults: own ? [{ field: own, message: failure.detail || failure.title }] : faults,
    texts: [...(own || faults.length ? [] : [failure.detail]), ...elsewhere, wait],
  });
}

/** @param {Fault} fault */
function link({ field, message }) {
  const made = make("a", { href: `#${field}` }, message);
  made.addEventListener("click", (event) => {
    event.preventDefault();
    byId(field).focus();
  });
  return made;
}
