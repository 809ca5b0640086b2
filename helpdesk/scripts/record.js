/** The record of looks and acts, for the auditor: by day, and as a file. */
import { call } from "./api.js";
import { button, byId, input, make, tell } from "./elements.js";
import { clearMessages, showErrors, showFailure } from "./errors.js";
import { clockTime, counted, today } from "./moments.js";
import { whileWaiting } from "./waiting.js";

/** @typedef {import("./api.js").Entry} Entry */

// A day of a busy helpdesk has some thousands; a page of that length is read by nobody.
const SHOWN = 200;
/** @type {(keyof Entry)[]} */
const COLUMNS = [
  "agent",
  "name",
  "sequence",
  "at",
  "action",
  "voter",
  "reason",
  "reference",
  "correlation_id",
  "caller_verified",
  "previous",
  "hash",
];
/** @type {Record<string, string>} what the record calls an act, in words */
export const ACTIONS = {
  looked: "Fiche consultée",
  "data-given": "Données remises à l’électeur",
  unlocked: "Demandes débloquées",
  "let-in": "Code laissé passer",
  frozen: "Identifiant gelé",
  unfrozen: "Identifiant dégelé",
  reissued: "Identifiant suivant donné",
  settled: "Envoi sans arrivée réglé",
  proposed: "Identifiant suivant demandé",
  confirmed: "Identifiant suivant confirmé",
  refused: "Identifiant suivant refusé",
  "ended-sessions": "Session d’un agent fermée",
};

export function watchRecord() {
  byId("record-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileWaiting("Lecture en cours…", readDay);
  });
}

export function beginRecord() {
  input("day").value = today();
  input("day").max = today();
}

export function forgetRecord() {
  byId("record").replaceChildren();
}

async function readDay() {
  clearMessages();
  const day = input("day").value;
  if (!day) {
    showErrors({ faults: [{ field: "day", message: "Choisissez un jour." }] });
    return;
  }
  try {
    show(day, await entriesOf(day));
  } catch (failure) {
    showFailure(failure, { day: "day" });
  }
}

/** @param {string} day */
async function entriesOf(day) {
  /** @type {Entry[]} */
  const entries = [];
  let from = "";
  do {
    const page = from ? `&from=${encodeURIComponent(from)}` : "";
    const { body } = await call("GET", `/helpdesk/record?day=${day}${page}`);
    entries.push(...body.entries);
    from = body.next ?? "";
  } while (from);
  return entries;
}

/**
 * @param {string} day
 * @param {Entry[]} entries
 */
function show(day, entries) {
  const title = make("h2", { tabindex: "-1" }, `${counted(entries.length, "ligne")}`);
  const place = byId("record");
  if (!entries.length) {
    place.replaceChildren(title, make("p", {}, "Personne n’a consulté de fiche ce jour-là."));
  } else {
    const heads = ["Heure", "Agent", "Action", "Électeur (pseudonyme)", "Motif", "Appelant"];
    const rows = entries.slice(0, SHOWN).map(row);
    const table = make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows),
    );
    place.replaceChildren(
      title,
      make(
        "p",
        { class: "row" },
        button("Télécharger en CSV", () => save(`journal-${day}.csv`, "text/csv", csv(entries))),
        button("Télécharger en JSON", () => save(`journal-${day}.json`, "application/json", json(day, entries)), {
          class: "secondary",
        }),
      ),
      ...(entries.length > SHOWN
        ? [make("p", {}, `Les ${SHOWN} premières sont montrées. Le fichier les a toutes.`)]
        : []),
      make("section", { class: "wide-table", "aria-label": "Lignes du journal", tabindex: "0" }, table),
    );
  }
  title.focus();
  tell(`${counted(entries.length, "ligne")} le ${day}.`);
}

/** @param {Entry} entry */
function row({ at, name, action, voter, reason, caller_verified }) {
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, clockTime(at)),
    make("td", {}, name),
    make("td", {}, ACTIONS[action] ?? action),
    make("td", {}, make("code", {}, voter)),
    make("td", {}, reason || "–"),
    make("td", {}, caller_verified ? "vérifié" : "non vérifié"),
  );
}

/** @param {Entry[]} entries */
export function csv(entries) {
  const lines = entries.map((entry) => COLUMNS.map((column) => cell(entry[column])).join(";"));
  // The mark tells a spreadsheet that it is UTF-8.
  return `\ufeff${[COLUMNS.join(";"), ...lines].join("\r\n")}\r\n`;
}

/**
 * A reason is what an agent wrote: no spreadsheet may take it for a formula.
 * @param {unknown} value
 */
function cell(value) {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/**
 * @param {string} day
 * @param {Entry[]} entries
 */
function json(day, entries) {
  return `${JSON.stringify({ day, entries }, null, 2)}\n`;
}

/**
 * @param {string} name
 * @param {string} kind
 * @param {string} content
 */
function save(name, kind, content) {
  const url = URL.createObjectURL(new Blob([content], { type: `${kind};charset=utf-8` }));
  const link = make("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
