/** What can go wrong between the page and what it calls. */

/** @typedef {{field: string, code: string, message: string}} FieldFault */

/** A refusal; `title` and `detail` are French, for the agent. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {{title?: string, detail?: string, errors?: FieldFault[], retryAfter?: number | null}} words
   */
  constructor(code, { title = "", detail = "", errors = [], retryAfter = null }) {
    super(code);
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

/** No answer came: whether the call took effect is unknown. */
export class Unreachable extends Error {}

const TIMEOUT = 20_000;

/**
 * Fetch, and give up after a while.
 * @param {string} url
 * @param {RequestInit} options
 */
export async function reach(url, options) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const answer = await fetch(url, { ...options, cache: "no-store", credentials: "omit", signal: abort.signal });
    return { answer, content: await answer.text() };
  } catch {
    throw new Unreachable("no answer");
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} content
 * @returns {any} null when it is no JSON
 */
export function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
