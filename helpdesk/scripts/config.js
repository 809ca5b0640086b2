/** What the deploy wrote down for the page: where the API is, and where agents sign in. */

/**
 * @typedef {{
 *   region: string, api_url: string, api_via?: string,
 *   user_pool_id: string, client_id: string, identity_pool_id: string,
 *   cognito_idp_url?: string, cognito_identity_url?: string, session_minutes?: number,
 * }} Config `api_via`: where requests go that are signed for `api_url`, on the page's own origin
 */

/** @type {Config | null} */
let read = null;

/** Read it, once. */
export async function readConfig() {
  const answer = await fetch("config.json", { cache: "no-store", credentials: "omit" });
  if (!answer.ok) throw new Error("no config.json");
  read = /** @type {Config} */ (await answer.json());
}

export function config() {
  if (!read) throw new Error("config.json has not been read");
  return read;
}
