/**
 * Following one chain of the register from its first entry, as `reassort register verify` does
 * (ops/reassort_ops/register/replay.py). The sets of changes come from there. What each rule says
 * of a voter who stands so is held to the same by the tests.
 */
import { rules } from "./rules.js";

/** @typedef {import("./lines.js").Entry} Entry */

const NAMES = /** @type {Record<string, string>} */ ({
  issued: "premier envoi",
  reissued: "réassort",
  voted: "vote",
  frozen: "gel",
  unfrozen: "dégel",
  unlocked: "déblocage après des NUMEN erronés",
  corrected: "correction de la liste",
  disputed: "contestation",
  departed: "départ vers une autre adresse",
  arrived: "arrivée d’une autre adresse",
  removed: "radiation",
  restored: "réinscription",
  opened: "ouverture",
  closed: "arrêt",
  prolonged: "prolongation",
});
const STATUS_WORDS = /** @type {Record<string, string>} */ ({ active: "valable", frozen: "gelé" });

/**
 * The other pseudonym that an entry of a change of address names; a reason follows it.
 * @param {Entry} entry
 */
export function otherSide(entry) {
  return entry.reference.split(" ")[0];
}

/** One chain, as far as it was followed. */
export class Replay {
  /** @param {string} voterId */
  constructor(voterId) {
    this.voterId = voterId;
    this.length = 0;
    this.head = rules.genesis;
    this.generation = 0;
    this.frozen = false;
    this.voted = false;
    this.removed = false;
    this.movedTo = "";
    this.disputed = 0;
    this.identifierHash = "";
    this.numenHash = "";
  }

  /**
   * Take the next entry, and return in French why it cannot be the next one, or an empty text.
   * @param {Entry} entry
   * @param {string} hash
   */
  follow(entry, hash) {
    const ofElection = this.voterId === rules.electionChain;
    let fault = this.linkFault(entry, this.length + 1);
    if (ofElection !== rules.ofElection.includes(entry.change)) {
      fault ||= `${named(entry)} n’a pas sa place dans cette chaîne`;
    } else if (!ofElection) {
      fault ||= this.storyFault(entry) || this.commitmentFault(entry);
      this.apply(entry);
    }
    this.length += 1;
    this.head = hash;
    return fault;
  }

  /** What became of the identifiers of this voter, by status. */
  get statuses() {
    const found = { active: 0, revoked: 0, used: 0, frozen: 0 };
    if (!this.generation) return found;
    if (this.movedTo) return { ...found, revoked: this.generation };
    const current = this.voted ? "used" : this.removed || this.frozen || this.isDisputed ? "frozen" : "active";
    return { ...found, revoked: this.generation - 1, [current]: 1 };
  }

  get isDisputed() {
    return this.generation > 0 && this.disputed === this.generation;
  }

  /**
   * @param {Entry} entry
   * @param {number} place
   */
  linkFault(entry, place) {
    if (entry.sequence > place) return `l’entrée ${place} manque`;
    if (entry.sequence < place) return `l’entrée ${entry.sequence} est à la place de l’entrée ${place}`;
    if (entry.previous === this.head) return "";
    return this.length ? `l’entrée ${place} ne suit pas l’entrée ${place - 1}` : "l’entrée 1 ne commence pas de chaîne";
  }

  /** @param {Entry} entry */
  storyFault(entry) {
    const what = named(entry);
    if (!this.isNextGeneration(entry)) {
      return `${what} porte le n° ${entry.generation}, après le n° ${this.generation}`;
    }
    if (this.voted && rules.notAfterVote.includes(entry.change)) return `${what} vient après le vote`;
    const fault = this.rollFault(entry, what);
    if (fault) return fault;
    const byVoter = entry.change === "reissued" && entry.actor === rules.voterActor;
    if (this.frozen && (byVoter || entry.change === "voted" || entry.change === "frozen")) {
      return `${what} vient alors que l’identifiant est gelé`;
    }
    if (this.isDisputed && (entry.change === "voted" || entry.change === "unfrozen")) {
      return `${what} vient après la contestation de l’identifiant`;
    }
    if (!this.frozen && entry.change === "unfrozen") return `${what} vient alors que l’identifiant n’est pas gelé`;
    return "";
  }

  /** @param {Entry} entry */
  isNextGeneration({ change, generation }) {
    switch (change) {
      case "issued":
        return generation === 1 && this.generation === 0;
      case "reissued":
        return generation === this.generation + 1 && this.generation > 0;
      case "arrived":
        return generation === this.generation + 1 && (!this.generation || this.movedTo !== "");
      case "disputed":
        return generation >= 1 && generation <= this.generation;
      default:
        return generation === this.generation && this.generation > 0;
    }
  }

  /**
   * @param {Entry} entry
   * @param {string} what
   */
  rollFault(entry, what) {
    if (this.movedTo && !rules.afterDeparture.includes(entry.change)) {
      return `${what} vient après le changement d’adresse`;
    }
    const byDispute = entry.change === "frozen" && entry.actor === rules.disputeActor;
    if (this.removed && !rules.whileRemoved.includes(entry.change) && !byDispute) {
      return `${what} vient alors que l’électeur est radié`;
    }
    if (entry.change !== "restored") return "";
    if (!this.removed) return `${what} vient alors que l’électeur est sur la liste`;
    const status = this.frozen || this.isDisputed ? "frozen" : "active";
    return otherSide(entry) === status
      ? ""
      : `${what} ne rend pas l’identifiant ${STATUS_WORDS[status]}, comme il était`;
  }

  /** @param {Entry} entry */
  commitmentFault(entry) {
    const what = named(entry);
    const values = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (entry));
    const committed = rules.commitments.filter((name) => values[name]);
    const allowed = rules.commits[entry.change] ?? [];
    if (committed.some((name) => !allowed.includes(name))) return `${what} engage sur ce dont elle ne décide pas`;
    if (rules.issues.includes(entry.change) && !entry.identifier_hash) return `${what} ne nomme aucun identifiant`;
    if (rules.namesProofs.includes(entry.change) && !committed.some((name) => rules.proofs.includes(name))) {
      return `${what} ne nomme aucune preuve`;
    }
    if (entry.change === "departed" && entry.numen_hash !== this.numenHash) return `${what} porte un autre NUMEN`;
    if (entry.change === "voted" && entry.identifier_hash !== this.identifierHash) {
      return `${what} est faite avec un identifiant qui n’a pas été émis pour cet électeur`;
    }
    return "";
  }

  /** @param {Entry} entry */
  apply(entry) {
    if (rules.namesProofs.includes(entry.change)) this.numenHash = entry.numen_hash;
    if (rules.issues.includes(entry.change)) {
      this.generation = entry.generation;
      this.identifierHash = entry.identifier_hash;
      this.frozen = false;
      this.movedTo = "";
    }
    if (entry.change === "voted") this.voted = true;
    if (entry.change === "frozen") {
      this.frozen = true;
      if (entry.actor === rules.disputeActor) this.disputed = entry.generation;
    }
    if (entry.change === "disputed" && entry.generation === this.generation) this.disputed = entry.generation;
    if (entry.change === "unfrozen") this.frozen = false;
    if (entry.change === "departed") this.movedTo = otherSide(entry);
    if (entry.change === "removed" || entry.change === "restored") this.removed = entry.change === "removed";
  }
}

/** @param {Entry} entry */
function named(entry) {
  return `l’entrée ${entry.sequence} (${NAMES[entry.change] ?? entry.change})`;
}
