/** One action at a time, and a word when it takes long. */
import { byId, say } from "./elements.js";

// Below this a message would only flicker.
const NOTICE_AFTER = 400;
const SLOW_AFTER = 6000;

let working = false;

/**
 * Do something that waits for the API. A second click meanwhile is ignored.
 * @param {string} text what is going on
 * @param {() => Promise<void>} action
 * @returns {Promise<boolean>} whether it was done
 */
export async function whileWaiting(text, action) {
  if (working) return false;
  working = true;
  const line = byId("busy");
  /** @param {string} words */
  const tell = (words) => {
    say(line, words);
    line.scrollIntoView({ block: "nearest" });
  };
  const notice = setTimeout(() => tell(text), NOTICE_AFTER);
  const patience = "C’est plus long que d’habitude. Ne fermez pas la page.";
  const slow = setTimeout(() => tell(`${text} ${patience}`), SLOW_AFTER);
  document.body.classList.add("working");
  try {
    await action();
    return true;
  } finally {
    working = false;
    clearTimeout(notice);
    clearTimeout(slow);
    line.textContent = "";
    document.body.classList.remove("working");
  }
}
