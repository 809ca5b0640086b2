/**
 * What must hold before the other scripts are there, and without them: no module, and in words that
 * old browsers know.
 */

// From then on a page whose scripts have not come is taken for one whose scripts do not come.
const PATIENCE = 15_000;

let scriptsReady = false;
let scriptsBroken = false;
/** @type {HTMLElement | null} what was pressed before any script could act */
let pressed = null;

mendAddress();
document.addEventListener("click", stayOnStep);
document.addEventListener("click", keepForLater, true);
document.addEventListener("submit", keepOnPage, true);
document.addEventListener("scripts-ready", startWork);
document.addEventListener("DOMContentLoaded", lookAtBrowser);
// Faults of what is loaded do not bubble.
window.addEventListener("error", noticeFault, true);
setTimeout(sayBroken, PATIENCE);

/** A mail gateway may write `%23` instead of `#`, and the page is served all the same. */
function mendAddress() {
  const [path, ...fragment] = location.pathname.split(/%(?:25)*23/);
  if (fragment.length) history.replaceState(null, "", `${path}#${fragment.join("")}`);
}

/**
 * Follow a link within the page without a word to the address bar: a fragment there may be a token,
 * and a new one would be a step of the browser's history.
 * @param {MouseEvent} event
 */
function stayOnStep(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target instanceof Element && event.target.closest('a[href^="#"]');
  const place = link && document.getElementById(link.getAttribute("href")?.slice(1) ?? "");
  if (!place) return;
  event.preventDefault();
  place.focus();
  if (document.activeElement !== place) {
    place.tabIndex = -1;
    place.focus();
  }
  place.scrollIntoView();
}

/**
 * A press before the scripts are there is done when they are; without them the page says so.
 * @param {MouseEvent} event
 */
function keepForLater(event) {
  const button = event.target instanceof Element && event.target.closest("button");
  if (scriptsReady || !button || !document.getElementById("not-yet")) return;
  event.preventDefault();
  event.stopPropagation();
  pressed = button;
  if (scriptsBroken) document.getElementById("broken")?.focus();
  else showPanel("not-yet", true);
}

/**
 * No form is ever sent by the browser itself: what was typed would be in the address.
 * @param {Event} event
 */
function keepOnPage(event) {
  event.preventDefault();
}

function startWork() {
  scriptsReady = true;
  showPanel("not-yet", false);
  showPanel("broken", false);
  if (pressed) pressed.click();
}

/**
 * A script that was not found, or fails before the page is ready.
 * @param {Event} event
 */
function noticeFault(event) {
  const { target } = event;
  if (target === window || target instanceof HTMLScriptElement) sayBroken();
}

function sayBroken() {
  if (scriptsReady) return;
  scriptsBroken = true;
  showPanel("not-yet", false);
  showPanel("broken", true);
}

function lookAtBrowser() {
  if (!("noModule" in HTMLScriptElement.prototype)) sayBroken();
  // A fault may have come before the place to say so.
  if (scriptsBroken) sayBroken();
  if (!navigator.cookieEnabled) showPanel("no-cookies", true);
}

/**
 * @param {string} id
 * @param {boolean} shown
 */
function showPanel(id, shown) {
  const panel = document.getElementById(id);
  if (panel) panel.hidden = !shown;
}
