/**
 * Checking a file of the register with nothing but the file and the public key, as
 * `reassort register verify` does (ops/reassort_ops/register/file_check.py).
 */
import { Growing, hex, sha256 } from "./bytes.js";
import { isSigned } from "./keys.js";
import { HashLedger, MoveLedger } from "./ledgers.js";
import { endOf, entryOf, fingerprintsOf, hasFingerprints, headerOf, linesOf } from "./lines.js";
import { leafHash, merkleRoot } from "./merkle.js";
import { Replay } from "./replay.js";
import { rules } from "./rules.js";

/** @typedef {import("./keys.js").PublicKey} PublicKey */
/** @typedef {import("./lines.js").Entry} Entry */
/** @typedef {import("./lines.js").Header} Header */
/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Statement} Statement */
/** @typedef {"active" | "revoked" | "used" | "frozen"} Status */
/** @typedef {{line: number, voterId: string, sequence: number, why: string}} Broken `sequence`, 0 if untold */

const AT_ONCE = 1024;
const CARRIAGE_RETURN = 13;
const STATUSES = /** @type {Status[]} */ (["active", "revoked", "used", "frozen"]);
const COUNTED = /** @type {Record<string, string>} */ ({
  entries: "Écritures",
  voters: "Électeurs",
  issued: "Identifiants émis",
  active: "Identifiants valables",
  revoked: "Identifiants remplacés",
  used: "Identifiants utilisés",
  frozen: "Identifiants gelés",
});
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** What was found. */
export class Finding {
  constructor() {
    /** @type {Statement | null} */
    this.statement = null;
    this.signed = false;
    this.signature = "";
    /** @type {Broken | null} */
    this.broken = null;
    /** @type {string[]} */
    this.faults = [];
    this.counted = { voters: 0, removed: 0, entries: 0, issued: 0, active: 0, revoked: 0, used: 0, frozen: 0 };
  }

  get balances() {
    const { issued } = this.counted;
    return issued === STATUSES.reduce((sum, status) => sum + this.counted[status], 0);
  }

  get holds() {
    return this.signed && !this.broken && this.balances && this.faults.length === 0;
  }
}

/**
 * Check a file. `advance` is told how many more bytes are read.
 * @param {Blob} file
 * @param {PublicKey} key
 * @param {(bytes: number) => void} [advance]
 */
export async function checkRegister(file, key, advance = () => {}) {
  const finding = new Finding();
  const end = await takeEnd(file, key, finding);
  const body = new Body(finding);
  for await (const lines of linesOf(file, end)) {
    for (let at = 0; at < lines.length; at += AT_ONCE) {
      const some = lines.slice(at, at + AT_ONCE);
      const hashes = await Promise.all(some.map(hashesOf));
      some.forEach((line, place) => {
        body.take(line, hashes[place]);
      });
      advance(some.reduce((sum, { content }) => sum + content.length + 1, 0));
    }
  }
  body.close();
  await nameSecondIssue(file, end, body, finding);
  const { statement } = finding;
  if (statement) {
    const fingerprintsHash = hex(await sha256(body.fingerprintLines.bytes));
    const root = await merkleRoot(body.leaves.bytes);
    finding.faults.push(...disagreements(statement, body.header, root, fingerprintsHash, finding));
    if (fingerprintsHash === statement.fingerprints_sha256) await nameChangedLine(file, body, finding);
  }
  if (!finding.balances) finding.faults.push("Les comptes ne sont pas équilibrés.");
  return finding;
}

/**
 * Find the first line of an export that a later one does not have in its place. Both hold.
 * @param {Blob} earlier
 * @param {Blob} later
 * @returns {Promise<Broken | "other-stack" | null>}
 */
export async function firstDeparture(earlier, later) {
  const [before, now] = [entriesOf(earlier), entriesOf(later)];
  const [old, present] = [await before.next(), await now.next()].map(({ value }) => value && headerOf(value.content));
  if (old?.election !== present?.election || old?.stack !== present?.stack) return "other-stack";
  let number = 1;
  for await (const { content } of before) {
    number += 1;
    const entry = /** @type {Entry} */ (entryOf(content));
    let other = null;
    for (;;) {
      const { done, value } = await now.next();
      if (done) break;
      const found = /** @type {Entry} */ (entryOf(value.content));
      if (comesBefore(found, entry)) continue;
      other = { entry: found, text: hex(value.content) };
      break;
    }
    if (other?.text === hex(content)) continue;
    const there = other && other.entry.voter_id === entry.voter_id && other.entry.sequence === entry.sequence;
    const why = there ? "a été remplacée depuis" : "a été retirée depuis";
    return { line: number, voterId: entry.voter_id, sequence: entry.sequence, why };
  }
  return null;
}

/**
 * @param {Entry} one
 * @param {Entry} other
 */
function comesBefore(one, other) {
  return one.voter_id < other.voter_id || (one.voter_id === other.voter_id && one.sequence < other.sequence);
}

/**
 * The header, then the entries, one at a time.
 * @param {Blob} file
 */
async function* entriesOf(file) {
  for await (const lines of linesOf(file)) {
    for (const line of lines) {
      if (hasFingerprints(line)) return;
      yield line;
    }
  }
}

/**
 * Read statement and signature, and return where they begin.
 * @param {Blob} file
 * @param {PublicKey} key
 * @param {Finding} finding
 */
async function takeEnd(file, key, finding) {
  const { end, ends, statement, signature, line } = await endOf(file);
  if (!statement || !signature) {
    const altered = ends ? " ou modifié" : "";
    finding.faults.push(`Le fichier ne se termine pas par un relevé et sa signature : il a été coupé${altered}.`);
    return end;
  }
  finding.statement = statement;
  finding.signature = btoa(String.fromCharCode(...signature));
  const ours = key.sha256 === statement.public_key_sha256;
  finding.signed = ours && (await isSigned(key.key, signature, line));
  if (!ours) {
    finding.faults.push(
      `Le fichier a été signé avec une autre clé (${statement.public_key_sha256}) que celle donnée (${key.sha256}).`,
    );
  } else if (!finding.signed) {
    finding.faults.push("La signature ne correspond pas au relevé : l’un des deux a été modifié.");
  }
  return end;
}

/** @param {Line} line */
async function hashesOf(line) {
  const [leaf, entry] = await Promise.all([leafHash(line.content), sha256(line.content)]);
  return { leaf, entry };
}

/** Header, entries and fingerprints, line by line. */
class Body {
  /** @param {Finding} finding */
  constructor(finding) {
    this.finding = finding;
    this.line = 0;
    /** @type {Replay | null} */
    this.replay = null;
    this.chainBroken = false;
    /** @type {Header | null} */
    this.header = null;
    this.leaves = new Growing();
    this.fingerprints = new Growing();
    this.signedFingerprints = new Growing();
    this.fingerprintLines = new Growing();
    this.issued = new HashLedger();
    this.numens = new HashLedger();
    this.moves = new MoveLedger();
  }

  /**
   * @param {Line} line
   * @param {{leaf: Uint8Array, entry: Uint8Array}} hashes
   */
  take(line, hashes) {
    this.line += 1;
    if (hasFingerprints(line)) {
      this.fingerprintLines.add(line.content);
      if (line.ended) this.fingerprintLines.add(new Uint8Array([10]));
      const found = fingerprintsOf(line);
      if (found) this.signedFingerprints.add(found);
      else this.break("n’est pas une ligne d’empreintes");
      return;
    }
    this.leaves.add(hashes.leaf);
    this.fingerprints.add(hashes.leaf.subarray(0, rules.fingerprintBytes));
    if (this.line === 1) this.takeHeader(line.content);
    else this.takeEntry(line.content, hex(hashes.entry));
  }

  /** @param {Uint8Array} content */
  takeHeader(content) {
    this.header = headerOf(content);
    if (this.header) return;
    this.break(
      content.at(-1) === CARRIAGE_RETURN
        ? "se termine comme les lignes de Windows (CRLF) : cette copie a été convertie en chemin ; " +
            "prenez le fichier tel qu’il a été exporté, copié octet par octet"
        : "n’est pas l’en-tête d’un registre",
    );
  }

  /**
   * @param {Uint8Array} content
   * @param {string} hash
   */
  takeEntry(content, hash) {
    const entry = entryOf(content);
    if (!entry) {
      this.break("n’est pas une entrée du registre");
      return;
    }
    if (entry.voter_id !== this.replay?.voterId) {
      this.endChain();
      if (this.replay && entry.voter_id < this.replay.voterId) {
        this.break("n’est pas à sa place dans l’ordre des pseudonymes", entry);
      }
      this.replay = new Replay(entry.voter_id);
      this.chainBroken = false;
    }
    if (this.signedFingerprints.length) this.break("vient après les empreintes", entry);
    const { counted } = this.finding;
    counted.entries += 1;
    if (rules.issues.includes(entry.change) && entry.voter_id !== rules.electionChain) {
      counted.issued += 1;
      this.issued.add(entry.identifier_hash);
    }
    this.moves.take(entry);
    const fault = this.replay.follow(entry, hash);
    if (fault && !this.chainBroken) {
      this.chainBroken = true;
      this.break(fault, entry);
    }
  }

  /** Count the last voter, and what is held together across chains. */
  close() {
    this.endChain();
    const { faults } = this.finding;
    // Of a change of address while the voters were read, the file may have one side.
    const started = this.header && INSTANT.test(this.header.started_at) ? Date.parse(this.header.started_at) : Infinity;
    const unmatched = this.moves.unmatched();
    faults.push(...unmatched.filter(({ move }) => move.at < started).map(({ fault }) => fault));
    const meanwhile = unmatched.filter(({ move }) => move.at >= started).map(({ move }) => move.numen);
    if (this.numens.repeated().anyBut(meanwhile)) faults.push("Deux électeurs ont le même NUMEN.");
  }

  endChain() {
    const { replay } = this;
    if (!replay || replay.voterId === rules.electionChain) return;
    const { counted } = this.finding;
    counted.voters += replay.movedTo ? 0 : 1;
    counted.removed += replay.removed ? 1 : 0;
    if (replay.numenHash && !replay.movedTo) this.numens.add(replay.numenHash);
    for (const status of STATUSES) counted[status] += replay.statuses[status];
  }

  /**
   * @param {string} why
   * @param {Entry} [entry]
   */
  break(why, entry) {
    this.finding.broken ??= {
      line: this.line,
      voterId: entry?.voter_id ?? "",
      sequence: entry?.sequence ?? 0,
      why,
    };
  }
}

/**
 * In what the file is not what its statement says of it.
 * @param {Statement} statement
 * @param {Header | null} header
 * @param {string} root
 * @param {string} fingerprintsHash
 * @param {Finding} finding
 */
function disagreements(statement, header, root, fingerprintsHash, { counted }) {
  const faults = [];
  if (root !== statement.merkle_root) {
    faults.push("La racine n’est pas celle qui a été signée : l’en-tête ou des entrées ont été modifiés.");
  }
  if (fingerprintsHash !== statement.fingerprints_sha256) {
    faults.push("Les empreintes des lignes ne sont pas celles qui ont été signées.");
  }
  const { election, stack, started_at } = header ?? statement;
  if (election !== statement.election || stack !== statement.stack || started_at !== statement.started_at) {
    faults.push("L’en-tête et le relevé ne sont pas du même export.");
  }
  const found = /** @type {Record<string, number>} */ (counted);
  const said = /** @type {Record<string, number>} */ (/** @type {unknown} */ (statement));
  for (const [name, words] of Object.entries(COUNTED)) {
    if (found[name] !== said[name]) faults.push(`${words} : ${found[name]} dans le fichier, ${said[name]} signés.`);
  }
  return faults;
}

/**
 * Find the first line that issues an identifier which another has issued before.
 * @param {Blob} file
 * @param {number} end
 * @param {Body} body
 * @param {Finding} finding
 */
async function nameSecondIssue(file, end, body, finding) {
  const repeated = body.issued.repeated();
  if (!repeated.any || finding.broken) return;
  const seen = new Set();
  let number = 0;
  for await (const lines of linesOf(file, end)) {
    for (const { content } of lines) {
      number += 1;
      const entry = entryOf(content);
      if (!entry || !rules.issues.includes(entry.change) || !repeated.has(entry.identifier_hash)) continue;
      if (seen.has(entry.identifier_hash)) {
        const { voter_id: voterId, sequence } = entry;
        finding.broken = { line: number, voterId, sequence, why: "son identifiant a déjà été émis" };
        return;
      }
      seen.add(entry.identifier_hash);
    }
  }
}

/**
 * Find the first line that is not the one whose fingerprint was signed, unless an earlier one is
 * known to be broken.
 * @param {Blob} file
 * @param {Body} body
 * @param {Finding} finding
 */
async function nameChangedLine(file, body, finding) {
  const [found, signed] = [body.fingerprints.bytes, body.signedFingerprints.bytes];
  const least = Math.min(found.length, signed.length);
  let at = 0;
  while (at < least && found[at] === signed[at]) at += 1;
  if (at === least && found.length === signed.length) return;
  const place = Math.floor(at / rules.fingerprintBytes);
  if (finding.broken && finding.broken.line <= place) return;
  const missing = missingAt(found, signed, place);
  const inserted = missingAt(signed, found, place);
  const why = missing
    ? `il manque ici ${counted(missing)}`
    : inserted
      ? `${counted(inserted)} de trop ici`
      : "n’est pas la ligne qui a été signée";
  const entry = await entryAt(file, place);
  finding.broken = { line: place + 1, voterId: entry?.voter_id ?? "", sequence: entry?.sequence ?? 0, why };
}

/**
 * How many lines of `longer` are missing in `shorter` at a place, after which the two agree again.
 * @param {Uint8Array} shorter
 * @param {Uint8Array} longer
 * @param {number} place
 */
function missingAt(shorter, longer, place) {
  const missing = Math.floor((longer.length - shorter.length) / rules.fingerprintBytes);
  if (missing <= 0) return 0;
  const [at, beyond] = [place * rules.fingerprintBytes, (place + missing) * rules.fingerprintBytes];
  const step = rules.agreeingLines * rules.fingerprintBytes;
  return hex(shorter.subarray(at, at + step)) === hex(longer.subarray(beyond, beyond + step)) ? missing : 0;
}

/** @param {number} count */
function counted(count) {
  return count === 1 ? "1 ligne" : `${count} lignes`;
}

/**
 * @param {Blob} file
 * @param {number} place
 */
async function entryAt(file, place) {
  let number = 0;
  for await (const lines of linesOf(file)) {
    if (place < number + lines.length) return entryOf(lines[place - number].content);
    number += lines.length;
  }
  return null;
}
