/** Copying a reference: a button where the browser can, nothing where it cannot. */
import { byId } from "./elements.js";

const DONE_FOR = 3000;

/**
 * Let a button copy the text of an element, and say that it did.
 * @param {string} button id
 * @param {string} source id
 */
export function offerCopy(button, source) {
  if (!navigator.clipboard) return;
  const pressed = byId(button);
  const words = pressed.textContent ?? "";
  pressed.hidden = false;
  pressed.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId(source).textContent ?? "");
      pressed.textContent = "Référence copiée";
    } catch {
      pressed.textContent = "Copie impossible : notez la référence";
    }
    setTimeout(() => {
      pressed.textContent = words;
    }, DONE_FOR);
  });
}
