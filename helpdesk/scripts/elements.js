/** Finding and making elements of the page, and the spaces of French typography. */

const NARROW = "\u202f";
const NO_BREAK = "\u00a0";

/**
 * Put the no-break spaces where the API's words have plain ones.
 * @param {string} text
 */
export function typeset(text) {
  return text
    .replace(/ (?=[;!?])/g, NARROW)
    .replace(/ (?=[:»])/g, NO_BREAK)
    .replace(/(«|n°) /g, `$1${NO_BREAK}`)
    .replace(/([0-9•]) (?=[0-9•%]|(?:h|min|s)(?![\p{L}\p{N}]))/gu, `$1${NO_BREAK}`)
    .replace(/([0-9]\u00a0(?:h|min)) (?=[0-9])/g, `$1${NO_BREAK}`);
}

/**
 * The element of that id. The page is broken without it.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** @param {string} id */
export function input(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** @param {string} id */
export function dialog(id) {
  return /** @type {HTMLDialogElement} */ (byId(id));
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.map((child) => (typeof child === "string" ? typeset(child) : child)));
  return made;
}

/**
 * A button and what it does.
 * @param {string} label
 * @param {() => void} run
 * @param {Record<string, string>} [attributes]
 */
export function button(label, run, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", run);
  return made;
}

/**
 * Put a text into an element, and show it; an empty text hides it.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  element.textContent = typeset(text);
  element.hidden = text === "";
}

/**
 * Let a screen reader say something without moving the focus.
 * @param {string} text
 */
export function tell(text) {
  const line = byId("told");
  line.textContent = "";
  // A text that is put back unchanged is not read again.
  requestAnimationFrame(() => {
    line.textContent = typeset(text);
  });
}
