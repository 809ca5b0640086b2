/** The parts of the page: one is shown at a time, with its own title. */
import { byId, say } from "./elements.js";
import { clearMessages } from "./errors.js";

/**
 * @typedef {"loading" | "unavailable" | "sign-in" | "new-password" | "authenticator" | "second-factor" | "call"
 *   | "proposals" | "shift" | "record"} View
 */

/** @type {Record<View, string>} */
const TITLES = {
  loading: "Assistance",
  unavailable: "La page ne peut pas s’ouvrir",
  "sign-in": "S’identifier",
  "new-password": "Choisir un mot de passe",
  authenticator: "Ajouter le second facteur",
  "second-factor": "Code du second facteur",
  call: "Nouvel appel",
  proposals: "À confirmer",
  shift: "L’équipe",
  record: "Journal de l’assistance",
};
const PLACE = " – Assistance";

/** @type {View} */
let current = "loading";

export function currentView() {
  return current;
}

/**
 * Show a part. The focus goes to its first field, or to the title.
 * @param {View} name
 * @param {{focus?: string}} [options] the id of what gets the focus
 */
export function showView(name, { focus = "title" } = {}) {
  current = name;
  clearMessages();
  for (const view of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    view.hidden = view.dataset.view !== name;
  }
  entitle(TITLES[name]);
  for (const tab of document.querySelectorAll("#tabs button")) {
    if (/** @type {HTMLElement} */ (tab).dataset.tab === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  byId(focus).focus();
}

/** @param {string} title */
export function entitle(title) {
  say(byId("title"), title);
  document.title = title + PLACE;
}
