/** Names the voter's secretariat on the page about a forgotten NUMEN. */
import { call } from "./api.js";
import { byId } from "./elements.js";
import "./helpdesk.js";
import "./tabs.js";

/** Asked only when the voter comes from a page where they were signed in. */
async function nameSecretariat() {
  try {
    const { secretariat } = await call("GET", "/api/reissue");
    if (!secretariat) return;
    for (const name of document.querySelectorAll("[data-secretariat-name]")) name.textContent = secretariat;
    byId("secretariat").hidden = false;
  } catch {
    // The page says whom to ask in any case.
  }
}

if (location.hash === "#secretariat") nameSecretariat();
