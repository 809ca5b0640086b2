/** The acts on a voter: each says what it will do, asks for a reason, and shows it done. */
import { call } from "./api.js";
import { input } from "./elements.js";
import { openForm, reasonField } from "./form.js";
import { clockTime } from "./moments.js";

/**
 * @typedef {import("./api.js").Act} Act
 * @typedef {import("./api.js").Sheet} Sheet
 */

/** @type {Record<string, string>} what the supervisor reads of an act */
export const ACTS = {
  unlock: "Débloquer les demandes",
  "let-in": "Laisser passer un code",
  freeze: "Geler l’identifiant",
  unfreeze: "Dégeler l’identifiant",
  reissue: "Donner l’identifiant suivant",
  settle: "Marquer comme réglé",
};
const DANGEROUS = new Set(["freeze", "reissue"]);
/** @type {Record<string, string[]>} the reasons that are written most often */
const REASONS = {
  unlock: ["appelant vérifié, NUMEN mal saisi", "appelant vérifié, mauvais NUMEN corrigé par le secrétariat"],
  "let-in": ["appelant vérifié, trop de codes demandés par d’autres"],
  freeze: ["messagerie piratée", "téléphone volé", "demande que l’électeur n’a pas faite"],
  unfreeze: ["messagerie remise en sécurité, appelant vérifié"],
  reissue: ["appelant vérifié, identifiant jamais arrivé", "appelant vérifié, identifiant contesté"],
  settle: ["électeur rappelé par son établissement", "électeur en congé, ne votera pas"],
};
const FAULTS = {
  reason: "reason",
  number: "number",
  who: "address",
  caller_code: "caller-code",
  "caller-not-verified": "caller-code",
};

/**
 * Open the form of an act in its place.
 * @param {HTMLElement} place
 * @param {HTMLButtonElement} opener
 * @param {Act} act
 * @param {Sheet} sheet
 * @param {string} who the address or reference by which the sheet was looked up
 * @param {(text: string, sheet: Sheet, waits: boolean) => void} showDone
 */
export function openAct(place, opener, act, sheet, who, showDone) {
  const needs = new Set(act.needs);
  const asksAddress = needs.has("address") && !who.includes("@");
  const does = [act.does];
  if (needs.has("second-person")) does.push("Une deuxième personne devra confirmer : rien ne change avant.");
  if (sheet.caller !== "verified") {
    does.push("L’appelant n’est pas vérifié. Avez-vous une autre preuve que c’est bien cette personne ?");
  }
  openForm(place, {
    title: act.label,
    does,
    fields: [
      ...(needs.has("number")
        ? [
            {
              id: "number",
              label: "Numéro affiché sur la page de l’appelant",
              hint: "6 chiffres, sur la page du code. Ce n’est pas le code reçu par courriel.",
              error: "Tapez les 6 chiffres affichés sur la page de l’appelant.",
              code: true,
            },
          ]
        : []),
      ...(asksAddress
        ? [
            {
              id: "address",
              label: "Adresse professionnelle, dite par l’appelant",
              hint: "L’identifiant part à cette adresse. Elle doit être celle de la liste.",
              error: "Tapez l’adresse que l’appelant vous dit.",
              mail: true,
            },
          ]
        : []),
      reasonField(REASONS[act.act]),
    ],
    action: act.label,
    danger: DANGEROUS.has(act.act),
    opener,
    faults: asksAddress ? FAULTS : { ...FAULTS, who: "who" },
    async submit(values, key) {
      const code = input("caller-code").value.trim();
      const { status, body } = await call("POST", "/helpdesk/acts", {
        key,
        body: {
          act: act.act,
          who: values.address ?? who,
          reason: values.reason,
          ...(code ? { caller_code: code } : {}),
          ...(values.number ? { number: values.number } : {}),
        },
      });
      if (status === 202) {
        const until = clockTime(body.proposal.expires_at);
        const handedOn = `Transmis à une deuxième personne, qui doit confirmer avant ${until}.`;
        showDone(`${handedOn} Rien n’a changé pour l’instant.`, body.sheet, true);
      } else {
        showDone(body.done, body.sheet, false);
      }
    },
  });
}
