/** The small form that opens in the place where an act was chosen. One is open at a time. */
import { input, make, say } from "./elements.js";
import { clearMessages, showErrors, showFailure } from "./errors.js";
import { whileWaiting } from "./waiting.js";

/**
 * @typedef {{id: string, label: string, hint?: string, error: string, code?: boolean, mail?: boolean,
 *   choices?: string[]}} Field `error` is what is said when it is empty or cannot be right
 * @typedef {{
 *   title: string, does: string[], fields: Field[], action: string, danger?: boolean, opener: HTMLButtonElement,
 *   faults?: Record<string, string>, submit: (values: Record<string, string>, key: string) => Promise<void>,
 * }} Form `faults`: which field a refusal of the API belongs to
 */

/** @type {{form: HTMLFormElement, opener: HTMLButtonElement} | null} */
let open = null;

/**
 * Open a form in `place`, and go to its first field.
 * @param {HTMLElement} place
 * @param {Form} wanted
 */
export function openForm(place, wanted) {
  const again = open?.opener === wanted.opener;
  closeForm({ focus: again });
  if (again) return;
  clearMessages();
  // The same key for each try of this form: a reply that is lost does nothing twice.
  const key = crypto.randomUUID();
  const submit = make(
    "button",
    wanted.danger ? { type: "submit", class: "danger" } : { type: "submit" },
    wanted.action,
  );
  const cancel = make("button", { type: "button", class: "secondary" }, "Renoncer ", make("kbd", {}, "Échap"));
  cancel.addEventListener("click", () => closeForm({ focus: true }));
  const form = make(
    "form",
    { class: "in-place", novalidate: "", "aria-label": wanted.title },
    ...wanted.does.map((text) => make("p", {}, text)),
    ...wanted.fields.map(fieldOf),
    make("div", { class: "row" }, submit, cancel),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(wanted, key);
  });
  place.append(form);
  wanted.opener.setAttribute("aria-expanded", "true");
  open = { form, opener: wanted.opener };
  (form.querySelector("input") ?? submit).focus();
  form.scrollIntoView({ block: "nearest" });
}

/**
 * Close the form that is open. Nothing has been done by it.
 * @param {{focus?: boolean}} [options] whether to go back to the button that opened it
 * @returns {boolean} whether there was one
 */
export function closeForm({ focus = false } = {}) {
  if (!open) return false;
  const { form, opener } = open;
  open = null;
  form.remove();
  opener.setAttribute("aria-expanded", "false");
  if (focus) {
    clearMessages();
    opener.focus();
  }
  return true;
}

/**
 * @param {Form} wanted
 * @param {string} key
 */
async function send(wanted, key) {
  clearMessages();
  /** @type {Record<string, string>} */
  const values = {};
  const faults = [];
  for (const field of wanted.fields) {
    const typed = input(field.id).value.trim();
    values[field.id] = field.code ? typed.replace(/\s/g, "") : typed;
    const good = field.code
      ? /^[0-9]{6}$/.test(values[field.id])
      : field.mail
        ? typed.includes("@")
        : typed.length >= 3;
    if (!good) faults.push({ field: field.id, message: field.error });
  }
  if (faults.length) {
    showErrors({ faults });
    return;
  }
  await whileWaiting("Envoi en cours…", async () => {
    try {
      await wanted.submit(values, key);
    } catch (failure) {
      showFailure(failure, wanted.faults ?? {});
    }
  });
}

/** @param {Field} field */
function fieldOf(field) {
  /** @type {Record<string, string>} */
  const attributes = {
    id: field.id,
    type: "text",
    autocomplete: "off",
    "aria-describedby": `${field.hint ? `${field.id}-hint ` : ""}${field.id}-error`,
    ...(field.code ? { class: "code", inputmode: "numeric" } : {}),
    ...(field.mail ? { inputmode: "email", autocapitalize: "none", spellcheck: "false" } : {}),
    ...(field.choices ? { list: `${field.id}-choices` } : {}),
  };
  const error = make("p", { class: "field-error", id: `${field.id}-error` });
  say(error, "");
  return make(
    "div",
    { class: "field" },
    make("label", { for: field.id }, field.label),
    ...(field.hint ? [make("p", { class: "hint", id: `${field.id}-hint` }, field.hint)] : []),
    error,
    make("input", attributes),
    ...(field.choices
      ? [make("datalist", { id: `${field.id}-choices` }, ...field.choices.map((value) => make("option", { value })))]
      : []),
  );
}

/** @param {string[]} [choices] what is written most often */
export function reasonField(choices) {
  return {
    id: "reason",
    label: "Motif",
    hint: "Sans nom, ni numéro, ni adresse : le registre le garde.",
    error: "Écrivez le motif en quelques mots.",
    ...(choices ? { choices } : {}),
  };
}
