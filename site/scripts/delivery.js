/**
 * What the state of a delivery means for the voter: words, advice, and when the other channel is
 * worth offering.
 */
import { election } from "./election.js";

/**
 * @typedef {import("./api.js").Channel} Channel
 * @typedef {import("./api.js").Confirmation} Confirmation
 * @typedef {import("./api.js").Reason} Reason
 * @typedef {import("./api.js").Status} Status
 * @typedef {import("./api.js").Step} Step
 * @typedef {import("./api.js").TrackedReissue} TrackedReissue
 * @typedef {{kind: string, text: string, button: string}} Offer
 */

// Anyone who has received nothing by then is offered the other channel.
const PATIENCE = 120_000;
// In the last hours of the vote nobody has as much time.
const SHORT_PATIENCE = 30_000;
const LAST_HOURS = 2 * 3600;
const MINUTE = 60;
const MOVING = new Set(["queued", "sending", "sent"]);
/** @type {Record<Status, string>} */
const LABELS = {
  queued: "En attente d’envoi",
  sending: "Envoi en cours",
  sent: "Envoyé",
  delivered: "Arrivé",
  failed: "Échec de l’envoi",
  superseded: "Remplacé",
  disputed: "Bloqué",
};
/** @type {Record<string, string>} what the voter can do meanwhile */
const DELAYS = {
  "mailbox-full": "Votre boîte est pleine. Videz-la : nous réessayons automatiquement.",
  "mail-delayed": "Votre messagerie ne répond pas pour l’instant. Nous réessayons automatiquement.",
  "phone-unreachable": "Votre téléphone est injoignable. Allumez-le et vérifiez qu’il capte le réseau.",
};
/** @type {Record<string, string>} what the voter can put right */
const ADVICE = {
  "mailbox-full": "Videz votre boîte : elle ne reçoit plus rien.",
  "phone-unreachable": "Vérifiez que votre téléphone est allumé et qu’il capte le réseau.",
  "unknown-number": "Vérifiez le numéro que vous avez indiqué.",
};

/**
 * The state in a word or two.
 * @param {{status: Status, reason?: Reason}} at
 */
export function stateWords({ status, reason }) {
  if (isSpam({ status, reason })) return "Classé indésirable";
  return isDelayed({ status, reason }) ? "Retardé" : LABELS[status];
}

/**
 * How the state is coloured: as its status, or as something that the voter should look after.
 * @param {TrackedReissue} reissue
 */
export function tone(reissue) {
  return isSpam(reissue) || isDelayed(reissue) ? "delayed" : reissue.status;
}

/**
 * A step of the history, for example `Échec de l’envoi (SMS, numéro inconnu)`.
 * @param {Step} step
 */
export function stepWords(step) {
  const details = [step.channel && { sms: "SMS", email: "courriel" }[step.channel], step.reason?.words];
  const told = details.filter(Boolean).join(", ");
  return told ? `${stateWords(step)} (${told})` : stateWords(step);
}

/**
 * What the state means for the voter, in paragraphs.
 * @param {TrackedReissue} reissue
 * @returns {string[]}
 */
export function explain(reissue) {
  const { status, channel, destination } = reissue;
  if (status === "superseded") return ["Vous avez un identifiant plus récent. Celui-ci ne fonctionne plus."];
  if (status === "disputed") {
    return [`Cet identifiant a été bloqué après un signalement. Appelez l’assistance au ${election.helpdesk.phone}.`];
  }
  const failure = failedBefore(reissue);
  const by = channel === "sms" ? "par SMS" : "par courriel";
  const to = channel === "sms" ? `au numéro ${destination}` : `à l’adresse ${destination}`;
  if (status === "failed") {
    const what = channel === "sms" ? "Le SMS" : "Le courriel";
    const failed = `${what} n’a pas pu être remis${failure ? " non plus" : ""} ${to}${because(reissue.reason)}.`;
    return [...fallback(failure), [failed, ADVICE[reissue.reason?.code ?? ""]].filter(Boolean).join(" ")];
  }
  if (isSpam(reissue)) {
    return [
      ...fallback(failure),
      "Votre messagerie a classé notre courriel comme indésirable. " +
        "Cherchez-le dans le dossier des courriers indésirables (« spam »).",
    ];
  }
  if (isDelayed(reissue)) return [...fallback(failure), delayWords(/** @type {Reason} */ (reissue.reason))];
  if (status === "delivered") {
    const arrived = failure ? `Le même identifiant est arrivé ${by}, ${to}.` : `Votre identifiant est arrivé ${by}.`;
    return [...fallback(failure), `${arrived} Utilisez-le pour voter.${lookForIt(channel)}`];
  }
  if (status === "sent") {
    const left = failure ? `Le même identifiant a été envoyé ${by}, ${to}.` : `Votre identifiant est parti ${by}.`;
    return [...fallback(failure), `${left} En général, il arrive en quelques minutes.${lookForIt(channel)}`];
  }
  if (reissue.expected_wait) return [waitWords(reissue.expected_wait, channel)];
  if (failure) return [...fallback(failure), `Le même identifiant part ${by}, ${to}.`];
  return [`Votre identifiant part ${by} dans quelques instants.`];
}

/**
 * The other channel, when the first one has failed, is late or would take long; null when it is of
 * no use.
 * @param {TrackedReissue} reissue
 * @param {string} address the voter's own, masked
 * @param {number} now in milliseconds
 * @param {number} [left] seconds until the vote closes
 * @returns {Offer | null}
 */
export function offerOf(reissue, address, now, left = Number.POSITIVE_INFINITY) {
  const other = otherChannel(reissue.channel);
  if (!reissue.redelivery?.channels.includes(other)) return null;
  if (!(MOVING.has(reissue.status) || reissue.status === "failed")) return null;
  const by = other === "email" ? "par courriel" : "par SMS";
  const to = other === "email" ? `à l’adresse ${address}` : "sur le mobile indiqué dans votre demande";
  const again = `le même identifiant ${by}, ${to}`;
  if (reissue.status === "failed") {
    return { kind: "failed", text: `Vous pouvez recevoir ${again}. Il reste valable.`, button: `Recevoir ${by}` };
  }
  if (reissue.expected_wait) {
    return { kind: "wait", text: `Pour ne pas attendre, recevez ${again}.`, button: `Recevoir ${by} maintenant` };
  }
  const button = `Recevoir ${by} à la place`;
  if (isSpam(reissue)) return { kind: "spam", text: `Vous ne le trouvez pas ? Recevez ${again}.`, button };
  if (isDelayed(reissue)) return { kind: "delayed", text: `Pour ne pas attendre, recevez ${again}.`, button };
  const queued = lastOf(reissue.history, (step) => step.status === "queued") ?? reissue.history[0];
  const patience = left < LAST_HOURS ? SHORT_PATIENCE : PATIENCE;
  if (!(now - Date.parse(queued?.at ?? "") >= patience)) return null;
  return { kind: "slow", text: `Rien reçu ? Vous pouvez recevoir ${again}. Il reste valable.`, button };
}

/**
 * What became of the confirmation e-mail, and whether the voter should know.
 * @param {Confirmation} confirmation
 * @param {string} address masked
 * @returns {{text: string, trouble: boolean}}
 */
export function confirmationWords({ status, reason }, address) {
  if (status === "failed") {
    const failed = `Le courriel de confirmation n’a pas pu être remis à l’adresse ${address}${because(reason)}.`;
    const next = "Votre nouvel identifiant reste valable. Notez la référence ci-dessus.";
    return { text: `${failed} ${next}`, trouble: true };
  }
  if (isSpam({ status, reason })) {
    const text = "Le courriel de confirmation est peut-être dans votre dossier des courriers indésirables.";
    return { text, trouble: true };
  }
  if (isDelayed({ status, reason })) {
    const late = `Le courriel de confirmation n’est pas encore arrivé à l’adresse ${address}.`;
    return { text: `${late} ${delayWords(/** @type {Reason} */ (reason))}`, trouble: true };
  }
  const how = status === "delivered" ? "est aussi arrivé" : "est aussi envoyé";
  const text = `Un courriel de confirmation ${how} à l’adresse ${address}. Il ne contient pas l’identifiant.`;
  return { text, trouble: false };
}

/**
 * Tell whether there is something to wait for: the identifier, its confirmation, or what follows a
 * failure by itself.
 * @param {TrackedReissue} reissue
 */
export function isMoving(reissue) {
  const { status, channel, confirmation } = reissue;
  if (status === "superseded" || status === "disputed") return false;
  return MOVING.has(status) || MOVING.has(confirmation?.status ?? "") || (status === "failed" && channel === "sms");
}

/**
 * @param {Channel} channel
 * @returns {Channel}
 */
export function otherChannel(channel) {
  return channel === "sms" ? "email" : "sms";
}

/**
 * The failure by one channel, in whose place the identifier goes by the other.
 * @param {TrackedReissue} reissue
 */
function failedBefore({ channel, history }) {
  return lastOf(history, (step) => step.status === "failed" && step.channel === otherChannel(channel));
}

/**
 * The last step of a kind. `findLast` is of 2022.
 * @param {Step[]} history
 * @param {(step: Step) => boolean} isMeant
 */
function lastOf(history, isMeant) {
  return [...history].reverse().find(isMeant);
}

/** @param {Step | undefined} failure */
function fallback(failure) {
  if (!failure) return [];
  return [`${failure.channel === "sms" ? "Le SMS" : "Le courriel"} n’a pas pu être remis${because(failure.reason)}.`];
}

/** @param {{status: Status, reason?: Reason}} at */
function isSpam({ status, reason }) {
  return status !== "failed" && reason?.code === "marked-as-spam";
}

/** @param {{status: Status, reason?: Reason}} at */
function isDelayed({ status, reason }) {
  return MOVING.has(status) && reason !== undefined && !isSpam({ status, reason });
}

/** @param {Reason} reason */
function delayWords(reason) {
  return DELAYS[reason.code] ?? `L’envoi prend du retard${because(reason)}. Nous réessayons automatiquement.`;
}

/**
 * @param {number} seconds
 * @param {Channel} channel
 */
function waitWords(seconds, channel) {
  const minutes = Math.ceil(seconds / MINUTE);
  const many = channel === "sms" ? "Beaucoup de SMS" : "Beaucoup de courriels";
  return `${many} attendent leur tour. Le vôtre partira dans environ ${minutes} minute${minutes > 1 ? "s" : ""}.`;
}

/** @param {Channel} channel */
function lookForIt(channel) {
  return channel === "email" ? " Si vous ne le voyez pas, regardez dans les courriers indésirables." : "";
}

/** @param {Reason | undefined} reason */
function because(reason) {
  return reason ? ` (${reason.words})` : "";
}
