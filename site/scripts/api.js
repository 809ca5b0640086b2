/**
 * Calls to the API of the voter space, and the server's time: the clock of a phone or a PC may be
 * wrong, or be set right while a page is open.
 */

// A Lambda that starts cold on a slow phone answers well within this.
const TIMEOUT = 20_000;

/**
 * @typedef {{field: string, code: string, message: string}} FieldFault
 * @typedef {"sms" | "email"} Channel
 * @typedef {"queued" | "sending" | "sent" | "delivered" | "failed" | "superseded" | "disputed"} Status
 * @typedef {{reference: string, generation: number, channel: Channel, destination: string, status: Status}} Reissue
 * @typedef {{code: string, words: string}} Reason `words`: French, without a full stop
 * @typedef {{at: string, status: Status, channel?: Channel, reason?: Reason}} Step
 * @typedef {{status: "queued" | "sending" | "sent" | "delivered" | "failed", reason?: Reason}} Confirmation
 * @typedef {Reissue & {
 *   reason?: Reason, expected_wait?: number, redelivery?: {channels: Channel[], numen: boolean}, history: Step[],
 *   confirmation: Confirmation,
 * }} TrackedReissue `expected_wait`: seconds until its turn, while the queue is long
 * @typedef {{opens_at: string, closes_at: string, open: boolean, stopped: boolean}} Window of requests
 * @typedef {{
 *   window: Window,
 *   address: string, establishment: string, secretariat: string | null,
 *   generation: number, voter: string, revision: string, issued_at: string, status: "active" | "used" | "frozen",
 *   lock: {ends_at: string | null} | null,
 *   request?: {refused: string | null, again_at: string | null},
 *   last_reissue: (Reissue & {at: string, redeliverable?: boolean}) | null,
 *   session: {expires_in: number},
 *   caller_code?: {words: string, expires_at: string},
 * }} Overview
 */

/** A refusal by the API (RFC 9457); `title` and `detail` are written for the voter. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   * @param {number | null} retryAfter seconds
   */
  constructor(status, body, retryAfter) {
    super(body.code);
    this.status = status;
    /** @type {string} */
    this.code = body.code;
    /** @type {string} */
    this.title = body.title ?? "";
    /** @type {string} */
    this.detail = body.detail ?? "";
    /** @type {boolean | undefined} of a stale page: it showed the voter who is signed in, before their last reissue */
    this.sameVoter = body.same_voter;
    /** @type {FieldFault[]} */
    this.errors = body.errors ?? [];
    /** @type {number | null} */
    this.attemptsLeft = body.attempts_left ?? null;
    this.retryAfter = retryAfter;
  }
}

/** No answer came: whether the call took effect is unknown. */
export class Unreachable extends Error {}

/**
 * Call the API and return the body of its answer.
 *
 * Throws Problem for a refusal, Unreachable when no answer came.
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path
 * @param {{body?: object, key?: string}} [options] `key` makes a repeated call take effect once
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, key } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const answer = await fetch(path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: abort.signal,
    });
    return await read(answer);
  } catch (fault) {
    if (fault instanceof Problem) throw fault;
    throw new Unreachable("no answer");
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} answer */
async function read(answer) {
  setClock(answer);
  if (answer.status === 204) return null;
  const content = await answer.text();
  const body = parse(content);
  if (answer.ok && body) return body;
  const retryAfter = body?.retry_after ?? (Number(answer.headers.get("Retry-After")) || null);
  // Without a code it is not this service that answered, but what stands in front of it.
  throw new Problem(answer.status, body?.code ? body : unreadable(answer.status), retryAfter);
}

/** @param {string} content */
function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

/** @param {number} status */
function unreadable(status) {
  if (status === 429) {
    return {
      code: "busy",
      title: "Trop de demandes en même temps",
      detail: "Beaucoup de personnes utilisent le service. Attendez un peu, puis recommencez.",
    };
  }
  return {
    code: "unavailable",
    title: "Service momentanément indisponible",
    detail: "Le service n’a pas pu répondre. Recommencez dans quelques minutes.",
  };
}

// A page that waits for the time shows nothing of it: better its own than none.
const CLOCK_PATIENCE = 3000;
// Above what a busy computer takes to look at two clocks.
const JUMP = 5000;

let skew = 0;
// The same instant on the clock of the computer and on one that nobody sets.
let looked = { date: Date.now(), steady: performance.now() };
let asking = false;

/** The server's time in milliseconds, as far as its answers told. */
export function serverTime() {
  return Date.now() + skew;
}

/**
 * Learn the time from an answer.
 * @param {Response} answer
 */
function setClock({ headers }) {
  // What CloudFront has kept is dated when it came from the bucket.
  const date = Date.parse(headers.get("Date") ?? "") + Number(headers.get("Age") ?? 0) * 1000;
  if (date) skew = date - Date.now();
  look();
}

/**
 * Tell whether the computer's clock has jumped, because it slept or was set: until the server has
 * told the time, nobody knows which of the two.
 */
export function isClockInDoubt() {
  if (asking) return true;
  const jump = Date.now() - looked.date - (performance.now() - looked.steady);
  if (Math.abs(jump) > JUMP) askTime();
  else look();
  return asking;
}

function look() {
  looked = { date: Date.now(), steady: performance.now() };
}

/** Ask for nothing but the time: a call of the API would prolong the session. */
async function askTime() {
  asking = true;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), CLOCK_PATIENCE);
  try {
    setClock(await fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal: abort.signal }));
  } catch {
    // No connection: the computer's clock is all there is.
    look();
  } finally {
    clearTimeout(timer);
    asking = false;
  }
}

/** The time has been asked for once. */
export const clockIsKnown = askTime();
