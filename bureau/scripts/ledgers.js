/**
 * What is held together across chains: identifiers and NUMENs that come once, and both sides of a
 * change of address.
 */
import { otherSide } from "./replay.js";

/** @typedef {import("./lines.js").Entry} Entry */
/** @typedef {{former: string, present: string, numen: string, at: number}} Move */

const KEPT_BYTES = 8;
const WRITER = new TextEncoder();

/**
 * The beginning of a keyed hash: 48 of its bits.
 * @param {string} hash
 */
function short(hash) {
  const bytes = WRITER.encode(hash.slice(0, KEPT_BYTES)).subarray(0, KEPT_BYTES);
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

/** Keyed hashes, eight bytes each: which of them came more than once. */
export class HashLedger {
  constructor() {
    this.taken = new BigUint64Array(1024);
    this.length = 0;
  }

  /** @param {string} hash */
  add(hash) {
    if (this.length === this.taken.length) {
      const larger = new BigUint64Array(2 * this.length);
      larger.set(this.taken);
      this.taken = larger;
    }
    this.taken[this.length++] = short(hash);
  }

  /** Those that were added more than once, as a question about a hash. */
  repeated() {
    const sorted = this.taken.slice(0, this.length).sort();
    const twice = new Set(sorted.filter((one, at) => at > 0 && one === sorted[at - 1]));
    return {
      any: twice.size > 0,
      /** @param {string} hash */
      has: (hash) => twice.has(short(hash)),
      /** @param {string[]} hashes */
      anyBut: (hashes) => {
        const others = new Set(hashes.map(short));
        return [...twice].some((one) => !others.has(one));
      },
    };
  }
}

/** Takes entries in any order; what is left in the end has one side alone. */
export class MoveLedger {
  constructor() {
    this.open = /** @type {Map<string, {move: Move, balance: number}>} */ (new Map());
  }

  /** @param {Entry} entry */
  take(entry) {
    if (entry.change !== "departed" && entry.change !== "arrived") return;
    const departed = entry.change === "departed";
    const [former, present] = departed ? [entry.voter_id, otherSide(entry)] : [otherSide(entry), entry.voter_id];
    const move = { former, present, numen: entry.numen_hash, at: entry.at };
    const key = JSON.stringify(move);
    const balance = (this.open.get(key)?.balance ?? 0) + (departed ? 1 : -1);
    if (balance) this.open.set(key, { move, balance });
    else this.open.delete(key);
  }

  /** The moves of which one side is missing, each with what is to be said of it. */
  unmatched() {
    return [...this.open.values()].map(({ move, balance }) => ({
      move,
      fault:
        balance > 0
          ? `L’électeur ${move.former} est parti vers l’électeur ${move.present}, sans l’arrivée qui y répond.`
          : `L’électeur ${move.present} est arrivé de l’électeur ${move.former}, sans le départ qui y répond.`,
    }));
  }
}
