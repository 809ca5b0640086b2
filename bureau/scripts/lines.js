/** The lines of a register's file, each read as strictly as it was written (docs/register.md). */
import { fromBase64, joined } from "./bytes.js";
import { rules } from "./rules.js";

/** @typedef {{content: Uint8Array<ArrayBuffer>, ended: boolean}} Line Without its end; `ended`: it had one */
/** @typedef {{election: string, stack: string, started_at: string}} Header */
/**
 * @typedef {Header & {finished_at: string, entries: number, voters: number, issued: number, active: number,
 *   revoked: number, used: number, frozen: number, merkle_root: string, fingerprints_sha256: string,
 *   helpdesk_chains: number, helpdesk_sha256: string, key_id: string, public_key_sha256: string}} Statement
 */
/**
 * @typedef {{voter_id: string, sequence: number, change: string, generation: number, at: number, actor: string,
 *   reference: string, previous: string, identifier_hash: string, numen_hash: string, extra_proof_hash: string}} Entry
 */

const CHUNK_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 10;
const READER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const FINGERPRINTS_START = new TextEncoder().encode('{"fingerprints":"');
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const HEADER = { format: "string", election: "string", stack: "string", started_at: "string" };
const STATEMENT = {
  ...HEADER,
  finished_at: "string",
  entries: "number",
  voters: "number",
  issued: "number",
  active: "number",
  revoked: "number",
  used: "number",
  frozen: "number",
  merkle_root: "string",
  fingerprints_sha256: "string",
  helpdesk_chains: "number",
  helpdesk_sha256: "string",
  algorithm: "string",
  key_id: "string",
  public_key_sha256: "string",
};
const ENTRY = {
  voter_id: "string",
  sequence: "number",
  change: "string",
  generation: "number",
  at: "number",
  actor: "string",
  reference: "string",
  previous: "string",
};
const COMMITMENTS = Object.fromEntries(rules.commitments.map((name) => [name, "string"]));

/**
 * Read the lines of a file up to a place, some at a time. One that is longer than any line of a
 * register comes in pieces.
 * @param {Blob} file
 * @param {number} [end]
 * @returns {AsyncGenerator<Line[]>}
 */
export async function* linesOf(file, end = file.size) {
  let rest = new Uint8Array(0);
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    const read = await file.slice(at, Math.min(at + CHUNK_BYTES, end)).arrayBuffer();
    const bytes = joined(rest, new Uint8Array(read));
    const lines = [];
    let start = 0;
    while (start < bytes.length) {
      const found = bytes.indexOf(LINE_FEED, start);
      const size = (found < 0 ? bytes.length : found + 1) - start;
      if (found < 0 && size < rules.longestLine) break;
      const taken = Math.min(size, rules.longestLine);
      const ended = found >= 0 && taken === size;
      lines.push({ content: bytes.slice(start, start + taken - (ended ? 1 : 0)), ended });
      start += taken;
    }
    rest = bytes.slice(start);
    yield lines;
  }
  if (rest.length) yield [{ content: rest, ended: false }];
}

/** @param {Line} line */
export function hasFingerprints({ content }) {
  return FINGERPRINTS_START.every((byte, at) => content[at] === byte);
}

/**
 * The fingerprints of a line; null when it is none of these lines.
 * @param {Line} line
 */
export function fingerprintsOf({ content }) {
  const found = record(content, { fingerprints: "string" });
  const text = found ? String(found.fingerprints) : "";
  const most = 2 * rules.fingerprintBytes * rules.fingerprintsALine;
  if (!/^([0-9a-f]{2})+$/.test(text) || text.length > most) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/**
 * @param {Uint8Array} content
 * @returns {Header | null}
 */
export function headerOf(content) {
  const found = record(content, HEADER);
  return found?.format === rules.format ? /** @type {any} */ (found) : null;
}

/**
 * @param {Uint8Array} content
 * @returns {Statement | null}
 */
export function statementOf(content) {
  const found = record(content, STATEMENT);
  const right = found?.format === rules.format && found.algorithm === rules.algorithm;
  return right ? /** @type {any} */ (found) : null;
}

/**
 * The signature of the last line, as it was written: DER.
 * @param {Uint8Array} content
 */
export function signatureOf(content) {
  const found = record(content, { signature: "string" });
  return found ? fromBase64(String(found.signature)) : null;
}

/**
 * @param {Uint8Array} content
 * @returns {Entry | null}
 */
export function entryOf(content) {
  const found = record(content, ENTRY, COMMITMENTS);
  if (!found || !rules.changes.includes(String(found.change))) return null;
  const named = rules.commitments.filter((name) => Object.hasOwn(found, name));
  // What an entry does not commit to has no member.
  if (named.some((name) => found[name] === "")) return null;
  return /** @type {any} */ ({ identifier_hash: "", numen_hash: "", extra_proof_hash: "", ...found });
}

/**
 * Where statement and signature begin, and what they say. Without them the whole file is the rest.
 * @param {Blob} file
 */
export async function endOf(file) {
  const start = Math.max(0, file.size - rules.longestLine);
  const bytes = new Uint8Array(await file.slice(start).arrayBuffer());
  const [last, second, third] = [1, 2, 3].map(places());
  const whole = { end: file.size, statement: null, signature: null, line: bytes };
  if (third < 0 || last !== bytes.length - 1) return { ...whole, ends: false };
  const line = bytes.slice(third + 1, second);
  const statement = statementOf(line);
  const signature = signatureOf(bytes.slice(second + 1, last));
  if (!statement || !signature) return { ...whole, ends: true };
  return { end: start + third + 1, statement, signature, line, ends: true };

  /** The places of line feeds, the last one first. */
  function places() {
    let before = bytes.length;
    return () => {
      before = before > 0 ? bytes.lastIndexOf(LINE_FEED, before - 1) : -1;
      return before;
    };
  }
}

/**
 * Read a line of JSON that has these members and is written in the one way that the format has.
 * @param {Uint8Array} content
 * @param {Record<string, string>} members by name, their types
 * @param {Record<string, string>} [optional]
 * @returns {Record<string, string | number> | null}
 */
function record(content, members, optional = {}) {
  let text = "";
  let value = null;
  try {
    text = READER.decode(content);
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const names = Object.keys(value).sort();
  if (!Object.keys(members).every((name) => names.includes(name))) return null;
  for (const name of names) {
    const type = Object.hasOwn(members, name) ? members[name] : Object.hasOwn(optional, name) ? optional[name] : "";
    const found = value[name];
    if (typeof found !== type) return null;
    if (type === "number" && !Number.isSafeInteger(found)) return null;
    if (type === "string" && LONE_SURROGATE.test(found)) return null;
  }
  const written = JSON.stringify(Object.fromEntries(names.map((name) => [name, value[name]])));
  return written === text ? value : null;
}
