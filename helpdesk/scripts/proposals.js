/** The second person: what agents ask to be confirmed. */
import { ACTS } from "./acts.js";
import { call } from "./api.js";
import { button, byId, make, say } from "./elements.js";
import { notice, showFailure } from "./errors.js";
import { closeForm, openForm, reasonField } from "./form.js";
import { clockTime } from "./moments.js";
import { whileWaiting } from "./waiting.js";

/** @typedef {import("./api.js").Proposal} Proposal */

export function watchProposals() {
  byId("proposals-again").addEventListener("click", () => whileWaiting("Lecture en cours…", readProposals));
}

/** Read them and show them. */
export async function readProposals() {
  try {
    const { body } = await call("GET", "/helpdesk/proposals");
    closeForm();
    show(body.proposals);
  } catch (failure) {
    showFailure(failure);
  }
}

export function forgetProposals() {
  closeForm();
  byId("proposals").replaceChildren();
}

/** @param {Proposal[]} proposals */
function show(proposals) {
  say(byId("proposals-none"), proposals.length ? "" : "Rien n’attend une deuxième personne.");
  byId("proposals").replaceChildren(...proposals.map(card));
}

/** @param {Proposal} proposal */
function card(proposal) {
  const place = make("div", { class: "act" });
  const label = ACTS[proposal.act] ?? proposal.act;
  const confirm = button("Confirmer…", () => decide(place, confirm, proposal, "confirm"), { "aria-expanded": "false" });
  const refuse = button("Refuser…", () => decide(place, refuse, proposal, "refuse"), {
    "aria-expanded": "false",
    class: "secondary",
  });
  for (const choice of [confirm, refuse]) choice.setAttribute("aria-describedby", `proposal-${proposal.id}`);
  place.append(make("div", { class: "row" }, confirm, refuse));
  return make(
    "article",
    { class: "card" },
    make("h2", { id: `proposal-${proposal.id}` }, `${label} : ${proposal.address}`),
    make(
      "dl",
      {},
      ...[
        ["Demandé par", `${proposal.agent}, à ${clockTime(proposal.at)}`],
        ["Motif", `« ${proposal.reason} »`],
        ["Appelant", proposal.caller_verified ? "vérifié par ses deux mots" : "NON VÉRIFIÉ"],
        ["À décider avant", clockTime(proposal.expires_at)],
      ].map(([name, words]) => make("div", {}, make("dt", {}, name), make("dd", {}, words))),
    ),
    place,
  );
}

/**
 * @param {HTMLElement} place
 * @param {HTMLButtonElement} opener
 * @param {Proposal} proposal
 * @param {"confirm" | "refuse"} decision
 */
function decide(place, opener, proposal, decision) {
  const label = ACTS[proposal.act] ?? proposal.act;
  const confirms = decision === "confirm";
  openForm(place, {
    title: confirms ? `Confirmer : ${label}` : `Refuser : ${label}`,
    does: [
      confirms
        ? "L’acte est fait aussitôt, et inscrit au registre à vos deux noms."
        : "Rien ne change pour l’électeur. Le refus est inscrit au registre des consultations.",
    ],
    fields: [
      reasonField(confirms ? ["vu avec l’agent, appelant vérifié"] : ["appelant non vérifié", "motif insuffisant"]),
    ],
    action: confirms ? "Confirmer" : "Refuser",
    danger: confirms,
    opener,
    faults: { reason: "reason" },
    async submit({ reason }) {
      const path = `/helpdesk/proposals/${encodeURIComponent(proposal.id)}`;
      const { body } = await call("POST", path, { body: { decision, reason } });
      await readProposals();
      notice(body.done, confirms ? "panel panel-success" : "panel");
    },
  });
}
