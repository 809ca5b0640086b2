/** One action at a time, and a word when it takes long. */
import { byId } from "./elements.js";

const NOTICE_AFTER = 400;

let working = false;

/**
 * Do something that waits for an answer. What is pressed meanwhile is ignored.
 * @param {string} text what is going on
 * @param {() => Promise<void>} action
 */
export async function whileWaiting(text, action) {
  if (working) return;
  working = true;
  const notice = setTimeout(() => {
    byId("busy").textContent = text;
  }, NOTICE_AFTER);
  document.body.classList.add("working");
  try {
    await action();
  } finally {
    working = false;
    clearTimeout(notice);
    byId("busy").textContent = "";
    document.body.classList.remove("working");
  }
}
