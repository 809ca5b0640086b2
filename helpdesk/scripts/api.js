/** Signed calls to the API of the helpdesk. */
import { AwsV4Signer } from "./aws4fetch.js";
import { currentCredentials } from "./cognito.js";
import { config } from "./config.js";
import { Problem, parse, reach } from "./problem.js";

/**
 * @typedef {"agent" | "supervisor" | "auditor" | "operator"} Role
 * @typedef {{name: string, role: Role, lookups_left?: number, views: string[]}} Me
 * @typedef {{name: string, words: string, say: string, never_say: string, act?: string}} Advice
 * @typedef {{at: string, moment: string, name: string, words: string, reference?: string, actor?: string}} Event
 * @typedef {{act: string, label: string, does: string, needs: string[], allowed: boolean, why?: string}} Act
 * @typedef {{
 *   address: string, voter_known_by: "address" | "reference", establishment: string, secretariat: string | null,
 *   caller: "verified" | "wrong-code" | "not-asked", situation: string,
 *   status: {label: string, words: string}[], advice: Advice[], timeline: Event[], acts: Act[],
 *   session_ends_at?: string | null, reference?: string | null,
 * }} Sheet
 * @typedef {{
 *   id: string, act: string, address: string, reason: string, agent: string, at: string, expires_at: string,
 *   caller_verified: boolean,
 * }} Proposal
 * @typedef {{
 *   since: string,
 *   agents: {agent: string, name: string, looks: number, verified: number, acts: number, last_at: string}[],
 *   acts: Record<string, number>, queues: {waiting: number, oldest_seconds: number},
 *   alarms: {name: string, words: string, since: string}[],
 * }} Shift
 * @typedef {{
 *   agent: string, name: string, sequence: number, at: string, action: string, voter: string, reason: string,
 *   reference?: string, correlation_id: string, caller_verified: boolean, previous: string, hash: string,
 * }} Entry
 */

/**
 * Call the API and return the body of its answer, with its status.
 *
 * Throws Problem for a refusal, Unreachable when no answer came.
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {{body?: object, key?: string}} [options] `key` makes a repeated call take effect once
 * @returns {Promise<{status: number, body: any}>}
 */
export async function call(method, path, { body, key } = {}) {
  const { accessKeyId, secretAccessKey, sessionToken } = await currentCredentials();
  const { api_url, api_via, region } = config();
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const signer = new AwsV4Signer({
    method,
    url: api_url + path,
    headers,
    body: body && JSON.stringify(body),
    accessKeyId,
    secretAccessKey,
    sessionToken,
    service: "execute-api",
    region,
  });
  const signed = await signer.sign();
  const { answer, content } = await reach(api_via === undefined ? signed.url.href : api_via + path, {
    method: signed.method,
    headers: signed.headers,
    body: signed.body,
  });
  const told = parse(content);
  if (answer.ok) return { status: answer.status, body: told };
  const retryAfter = told?.retry_after ?? (Number(answer.headers.get("Retry-After")) || null);
  if (told?.code) throw new Problem(told.code, { ...told, retryAfter });
  // Without a code it is not the function that answered, but what stands in front of it.
  throw inFront(answer.status, String(told?.message ?? told?.Message ?? ""));
}

/**
 * @param {number} status
 * @param {string} message
 */
function inFront(status, message) {
  if (/expired|invalid/i.test(message) && /token/i.test(message)) return new Problem("signed-out", {});
  if (/signature/i.test(message)) {
    return new Problem("clock", {
      title: "L’heure de cet ordinateur est fausse",
      detail: "Réglez-la, puis rechargez la page. Sans l’heure juste, aucune demande n’est acceptée.",
    });
  }
  if (status === 401 || status === 403) {
    return new Problem("not-allowed", {
      title: "Votre compte n’a pas ce droit",
      detail: "Demandez à l’encadrement de le faire. Si vous venez de changer de groupe, reconnectez-vous.",
    });
  }
  if (status === 429) {
    return new Problem("busy", {
      title: "Trop de demandes en même temps",
      detail: "Attendez quelques secondes, puis recommencez.",
    });
  }
  return new Problem("unavailable", {
    title: "Le service ne répond pas comme prévu",
    detail: "Recommencez dans un instant. Si cela dure, prévenez l’encadrement.",
  });
}
