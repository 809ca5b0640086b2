/** The help page: the words to read to the helpdesk, for a voter who has a session. */
import { call, Problem } from "./api.js";
import { focusCallerCode, showCallerCode } from "./caller-code.js";
import { byId, helpdeskLink, make } from "./elements.js";
import "./helpdesk.js";
import "./tabs.js";

let asking = false;

/** Asked only when the voter wants it: most who read this page are not signed in. */
async function ask() {
  if (asking) return;
  asking = true;
  const answer = byId("caller-code-answer");
  answer.replaceChildren("Chargement des deux mots…");
  try {
    showCallerCode(await call("GET", "/api/reissue"));
    answer.replaceChildren();
    byId("caller-code-ask").hidden = true;
    focusCallerCode();
  } catch (failure) {
    byId("caller-code").hidden = true;
    byId("caller-code-ask").hidden = false;
    answer.replaceChildren(...sayWhy(failure));
  } finally {
    asking = false;
  }
}

/**
 * Why no words can be shown, and what to do.
 * @param {unknown} failure
 * @returns {Node[]}
 */
function sayWhy(failure) {
  if (failure instanceof Problem && failure.code === "signed-out") {
    const way = make("a", { href: "/connexion.html#suivi" }, "Identifiez-vous");
    return [
      make("span", {}, "Votre session n’est pas ouverte. ", way, " : les deux mots s’affichent ensuite sur la page."),
    ];
  }
  return [
    make(
      "span",
      {},
      "Les deux mots ne peuvent pas être affichés pour l’instant. Réessayez, ou appelez l’assistance au ",
      helpdeskLink(),
      ".",
    ),
  ];
}

byId("show-caller-code").addEventListener("click", ask);
byId("caller-code-renew").addEventListener("click", ask);

document.dispatchEvent(new Event("scripts-ready"));
