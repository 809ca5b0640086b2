/** The shift, for the supervisor: calls, acts, queues, alarms, and an end to an agent's session. */
import { call } from "./api.js";
import { button, byId, make } from "./elements.js";
import { notice, showFailure } from "./errors.js";
import { closeForm, openForm, reasonField } from "./form.js";
import { clockTime, counted, duration } from "./moments.js";
import { ACTIONS } from "./record.js";
import { whileWaiting } from "./waiting.js";

/** @typedef {import("./api.js").Shift} Shift */

const OF_THE_POOL = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function watchShift() {
  byId("shift-again").addEventListener("click", () => whileWaiting("Lecture en cours…", readShift));
}

/** Read it and show it. */
export async function readShift() {
  try {
    const { body } = await call("GET", "/helpdesk/shift");
    closeForm();
    show(body);
  } catch (failure) {
    showFailure(failure);
  }
}

export function forgetShift() {
  closeForm();
  byId("shift").replaceChildren();
}

/** @param {Shift} shift */
function show(shift) {
  const { waiting, oldest_seconds } = shift.queues;
  const alarms = shift.alarms.map(({ words, since }) => make("li", {}, `${words} Depuis ${clockTime(since)}.`));
  const acts = Object.entries(shift.acts).map(([act, count]) =>
    make("div", {}, make("dt", {}, ACTIONS[act] ?? act), make("dd", {}, String(count))),
  );
  byId("shift").replaceChildren(
    make("p", { class: "soft" }, `Depuis ${clockTime(shift.since)}.`),
    make(
      "div",
      { class: "parts" },
      part(
        "Alertes",
        alarms.length
          ? make("ul", { class: "panel panel-warning alarms" }, ...alarms)
          : make("p", {}, "Aucune alerte : tout fonctionne."),
      ),
      part(
        "Envois",
        make(
          "p",
          {},
          waiting
            ? `${counted(waiting, "envoi")} en attente, le plus ancien depuis ${duration(oldest_seconds)}.`
            : "Rien n’attend d’être envoyé.",
        ),
      ),
      part(
        "Actes",
        acts.length ? make("dl", { class: "figures" }, ...acts) : make("p", {}, "Aucun acte pour l’instant."),
      ),
    ),
    make("h2", {}, "Agents"),
    agents(shift.agents),
  );
}

/**
 * @param {string} title
 * @param {HTMLElement} content
 */
function part(title, content) {
  return make("div", {}, make("h2", {}, title), content);
}

/** @param {Shift["agents"]} people */
function agents(people) {
  if (!people.length) return make("p", {}, "Personne n’a encore consulté de fiche.");
  const body = make("tbody", {}, ...people.map(row));
  const heads = ["Agent", "Consultations", "dont appelant vérifié", "Actes", "Dernière activité", "Session"];
  return make(
    "section",
    { class: "wide-table", "aria-label": "Agents", tabindex: "0" },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      body,
    ),
  );
}

/** @param {Shift["agents"][number]} person */
function row({ agent, name, looks, verified, acts, last_at }) {
  const place = make("td", { class: "act" });
  const opener = button("Fermer sa session…", () => endSessions(place, opener, agent, name), {
    "aria-expanded": "false",
    "aria-label": `Fermer la session : ${name}…`,
    class: "secondary small",
  });
  // An operator signs with credentials of AWS's own, which end there.
  if (OF_THE_POOL.test(agent)) place.append(opener);
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", {}, String(looks)),
    make("td", {}, String(verified)),
    make("td", {}, String(acts)),
    make("td", {}, clockTime(last_at)),
    place,
  );
}

/**
 * @param {HTMLElement} place
 * @param {HTMLButtonElement} opener
 * @param {string} agent
 * @param {string} name
 */
function endSessions(place, opener, agent, name) {
  openForm(place, {
    title: `Fermer la session : ${name}`,
    does: [
      `Tout ce que demande ${name} est refusé aussitôt, et pendant douze heures.`,
      "Pour le faire revenir plus tôt, retirez-le et invitez-le de nouveau.",
    ],
    fields: [reasonField(["compte volé ou prêté", "consultations sans rapport avec des appels", "fin de mission"])],
    action: "Fermer sa session",
    danger: true,
    opener,
    faults: { reason: "reason" },
    async submit({ reason }) {
      await call("POST", `/helpdesk/sessions/${encodeURIComponent(agent)}/end`, { body: { reason } });
      await readShift();
      notice(`Session fermée : ${name}.`, "panel panel-success");
    },
  });
}
