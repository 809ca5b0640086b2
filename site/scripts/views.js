/** The steps of one document: one is shown at a time, with its own title and address. */

import { election } from "./election.js";
import { byId, say } from "./elements.js";
import { clearErrors } from "./errors.js";

/** @typedef {"loading" | "address" | "code" | "request" | "review" | "refused"} View */

const SITE = ` – ${election.site}`;

/** @type {View} */
let current = viewAtStart();

/** The step that is shown. */
export function currentView() {
  return current;
}

/**
 * Show a step and put the focus on its title.
 * @param {View} name
 * @param {{history?: "push" | "replace" | "keep", title?: string}} [options] what becomes of the address bar
 */
export function showView(name, { history = "push", title } = {}) {
  current = name;
  clearErrors();
  hideNotice();
  for (const view of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    view.hidden = view.dataset.view !== name;
  }
  const { title: heading = "", step = "", path } = viewElement(name).dataset;
  say(byId("step"), step && `Étape ${step} sur 4`);
  byId("step").dataset.step = step;
  say(byId("title"), title ?? heading);
  document.title = (title ?? heading) + SITE;
  if (path && history === "push") window.history.pushState({ view: name }, "", path);
  if (path && history === "replace") window.history.replaceState({ view: name }, "", path);
  if (name !== "loading") byId("title").focus();
  window.scrollTo(0, 0);
}

/**
 * Where a step is, without its fragment.
 * @param {View} name
 */
export function pathOf(name) {
  return viewElement(name).dataset.path?.split("#")[0] ?? "/demande.html";
}

/**
 * Tell the voter something before the title, and put the focus on it.
 * @param {string} text
 */
export function showNotice(text) {
  say(byId("notice"), text);
  byId("notice").focus();
}

export function hideNotice() {
  say(byId("notice"), "");
}

/** @returns {View} the step that the document came with */
function viewAtStart() {
  const shown = /** @type {HTMLElement | null} */ (document.querySelector("[data-view]:not([hidden])"));
  return /** @type {View} */ (shown?.dataset.view ?? "loading");
}

/**
 * @param {View} name
 * @returns {HTMLElement}
 */
function viewElement(name) {
  const found = document.querySelector(`[data-view="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`no view ${name}`);
  return found;
}
