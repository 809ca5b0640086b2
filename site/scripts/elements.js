/** Finding and making elements of a page. */
import { election } from "./election.js";
import { typeset } from "./typography.js";

/**
 * The element of that id. The page is broken without it.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * The input of that id.
 * @param {string} id
 */
export function input(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.map((child) => (typeof child === "string" ? typeset(child) : child)));
  return made;
}

/**
 * Put a text into an element, and show it; an empty text hides it.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  element.replaceChildren(...inline(text));
  element.hidden = text === "";
}

/**
 * Send a form as its button does. `requestSubmit` is of 2022.
 * @param {string} id
 */
export function send(id) {
  /** @type {HTMLElement} */ (byId(id).querySelector("[type=submit]")).click();
}

/** @returns {HTMLElement} a link that calls the helpdesk */
export function helpdeskLink() {
  return make("a", { href: `tel:${election.helpdesk.tel}`, class: "number" }, election.helpdesk.phone);
}

/**
 * A paragraph of such a text.
 * @param {string} text
 */
export function paragraph(text) {
  return make("p", {}, ...inline(text));
}

// The number may stand with the spaces of French typography.
const NUMBER = election.helpdesk.phone.replace(/[.+]/g, "\\$&").replaceAll(" ", "\\s");
const SPECIAL = new RegExp(`(${NUMBER}|\\S+@[\\w.-]*\\w)`);

/**
 * A text in which the helpdesk's number can be touched and no address is broken at a hyphen.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  return typeset(text)
    .split(SPECIAL)
    .map((part, index) => {
      if (index % 2 === 0) return part;
      return part.includes("@") ? make("span", { class: "address" }, part) : helpdeskLink();
    })
    .filter(Boolean);
}
