/** The home page: whether requests are open today, and a word after signing out. */

import { election } from "./election.js";
import { byId, say } from "./elements.js";
import "./helpdesk.js";
import { momentInWords } from "./typography.js";

const opensAt = new Date(election.reissue.opensAt);
const closesAt = new Date(election.reissue.closesAt);
const now = new Date();
// The clock of a phone may be wrong: the page says what it believes, and the way in stays open.
if (now < opensAt) {
  say(
    byId("window-notice"),
    `Les demandes ne sont pas encore ouvertes. Revenez à partir du ${momentInWords(opensAt)}.`,
  );
} else if (now >= closesAt) {
  say(byId("window-notice"), `Les demandes sont fermées depuis le ${momentInWords(closesAt)}.`);
}

if (location.hash === "#deconnexion") {
  history.replaceState(null, "", location.pathname);
  say(byId("notice"), "Vous avez quitté votre session.");
  byId("notice").focus();
}
