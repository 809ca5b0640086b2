/**
 * Signing in with Cognito: password, second factor, and credentials that live for an hour.
 *
 * Nothing is kept but in the memory of this module.
 */
import { config } from "./config.js";
import { Problem, parse, reach } from "./problem.js";

/**
 * @typedef {{IdToken: string, AccessToken: string, RefreshToken?: string}} Tokens
 * @typedef {{accessKeyId: string, secretAccessKey: string, sessionToken: string, expiresAt: number}} Credentials
 * @typedef {"NEW_PASSWORD_REQUIRED" | "MFA_SETUP" | "SOFTWARE_TOKEN_MFA" | null} Step what is asked for next
 */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  NotAuthorizedException: [
    "Nom d’utilisateur ou mot de passe refusé",
    "Vérifiez les deux, puis recommencez. Après plusieurs échecs, attendez quelques minutes.",
  ],
  CodeMismatchException: ["Code refusé", "Attendez que l’application affiche le code suivant, puis tapez-le."],
  InvalidPasswordException: [
    "Mot de passe refusé",
    "Il faut 14 caractères, avec une majuscule, une minuscule, un chiffre et un signe. Un ancien ne convient pas.",
  ],
  PasswordResetRequiredException: ["Mot de passe à remplacer", "Demandez à l’encadrement une nouvelle invitation."],
  TooManyRequestsException: ["Trop de demandes en même temps", "Attendez une minute, puis recommencez."],
};
/** @type {Record<string, string>} */
const SAME_AS = {
  // Whether an account exists is nobody's business.
  UserNotFoundException: "NotAuthorizedException",
  EnableSoftwareTokenMFAException: "CodeMismatchException",
  InvalidParameterException: "NotAuthorizedException",
  LimitExceededException: "TooManyRequestsException",
  TooManyFailedAttemptsException: "TooManyRequestsException",
};

let session = "";
let username = "";
/** @type {Tokens | null} */
let tokens = null;
/** @type {Credentials | null} */
let credentials = null;
let identityId = "";
/** @type {Promise<Credentials> | null} */
let renewing = null;
// Credentials are renewed while they are good for some minutes still.
const RENEW_BEFORE = 300_000;

/**
 * @param {string} name
 * @param {string} password
 * @returns {Promise<Step>}
 */
export async function startSignIn(name, password) {
  forget();
  username = name;
  const parameters = { USERNAME: name, PASSWORD: password };
  return step(
    await userPool("InitiateAuth", {
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: config().client_id,
      AuthParameters: parameters,
    }),
  );
}

/** @param {string} password */
export function choosePassword(password) {
  return respond("NEW_PASSWORD_REQUIRED", { NEW_PASSWORD: password });
}

/** @param {string} code */
export function giveCode(code) {
  return respond("SOFTWARE_TOKEN_MFA", { SOFTWARE_TOKEN_MFA_CODE: code });
}

/** Ask for the secret that the agent's application needs. */
export async function newAuthenticator() {
  const answer = await userPool("AssociateSoftwareToken", { Session: session });
  session = answer.Session ?? session;
  const secret = /** @type {string} */ (answer.SecretCode);
  const label = encodeURIComponent(`Assistance:${username}`);
  return { secret, link: `otpauth://totp/${label}?secret=${secret}&issuer=Assistance` };
}

/** @param {string} code the first code of the application that was added */
export async function confirmAuthenticator(code) {
  const answer = await userPool("VerifySoftwareToken", { Session: session, UserCode: code });
  session = answer.Session ?? session;
  return respond("MFA_SETUP", {});
}

/** Credentials that are good for some minutes more; renewed while the session lasts. */
export async function currentCredentials() {
  if (credentials && credentials.expiresAt - Date.now() > RENEW_BEFORE) return credentials;
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

/** Whether somebody has signed in, and not out. */
export function signedIn() {
  return tokens !== null;
}

/** Forget everything, and tell Cognito so that nobody uses it any more. */
export function signOutOfCognito() {
  const token = tokens?.RefreshToken;
  forget();
  if (token) userPool("RevokeToken", { ClientId: config().client_id, Token: token }).catch(() => {});
}

export function forget() {
  session = "";
  tokens = null;
  credentials = null;
  identityId = "";
}

/**
 * @param {"NEW_PASSWORD_REQUIRED" | "MFA_SETUP" | "SOFTWARE_TOKEN_MFA"} challenge
 * @param {Record<string, string>} answers
 * @returns {Promise<Step>}
 */
async function respond(challenge, answers) {
  return step(
    await userPool("RespondToAuthChallenge", {
      ChallengeName: challenge,
      ClientId: config().client_id,
      Session: session,
      ChallengeResponses: { USERNAME: username, ...answers },
    }),
  );
}

/**
 * @param {any} answer
 * @returns {Step}
 */
function step(answer) {
  session = answer.Session ?? "";
  if (answer.AuthenticationResult) {
    tokens = { ...tokens, ...answer.AuthenticationResult };
    return null;
  }
  // The pool may know the agent by another name than the one that was typed.
  username = answer.ChallengeParameters?.USER_ID_FOR_SRP ?? username;
  return answer.ChallengeName;
}

async function renew() {
  if (!tokens) throw new Problem("signed-out", {});
  if (credentials && tokens.RefreshToken) {
    step(
      await userPool("InitiateAuth", {
        AuthFlow: "REFRESH_TOKEN_AUTH",
        ClientId: config().client_id,
        AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken },
      }).catch(asSignedOut),
    );
  }
  const { region, user_pool_id, identity_pool_id } = config();
  const logins = { [`cognito-idp.${region}.amazonaws.com/${user_pool_id}`]: tokens.IdToken };
  identityId ||= (await identityPool("GetId", { IdentityPoolId: identity_pool_id, Logins: logins })).IdentityId;
  const answer = await identityPool("GetCredentialsForIdentity", { IdentityId: identityId, Logins: logins });
  const { AccessKeyId, SecretKey, SessionToken, Expiration } = answer.Credentials;
  credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretKey,
    sessionToken: SessionToken,
    expiresAt: typeof Expiration === "number" ? Expiration * 1000 : Date.parse(Expiration),
  };
  return credentials;
}

/**
 * @param {unknown} failure
 * @returns {never}
 */
function asSignedOut(failure) {
  throw failure instanceof Problem ? new Problem("signed-out", {}) : failure;
}

/**
 * @param {string} action
 * @param {object} body
 */
function userPool(action, body) {
  const { region, cognito_idp_url } = config();
  const url = cognito_idp_url ?? `https://cognito-idp.${region}.amazonaws.com/`;
  return ask(url, `AWSCognitoIdentityProviderService.${action}`, body);
}

/**
 * @param {string} action
 * @param {object} body
 */
function identityPool(action, body) {
  const { region, cognito_identity_url } = config();
  const url = cognito_identity_url ?? `https://cognito-identity.${region}.amazonaws.com/`;
  return ask(url, `AWSCognitoIdentityService.${action}`, body);
}

/**
 * @param {string} url
 * @param {string} target
 * @param {object} body
 */
async function ask(url, target, body) {
  const headers = { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target };
  const { answer, content } = await reach(url, { method: "POST", headers, body: JSON.stringify(body) });
  const told = parse(content) ?? {};
  if (answer.ok) return told;
  const kind = String(told.__type ?? "").replace(/^.*#/, "");
  const known = SAME_AS[kind] ?? kind;
  // A code that was given too late: the whole sign-in begins again.
  const expired = target.endsWith("Challenge") && known === "NotAuthorizedException";
  const [title, detail] = expired
    ? ["Trop de temps a passé", "Recommencez avec votre mot de passe."]
    : (WORDS[known] ?? [
        "La connexion ne fonctionne pas",
        "Recommencez dans un instant. Si cela dure, appelez l’encadrement.",
      ]);
  throw new Problem(expired ? "start-again" : known, { title, detail });
}
