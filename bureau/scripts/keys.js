/** The public key that the bureau holds, and what was signed with it: ECDSA on P-256, SHA-256. */
import { fromBase64, hex, sha256 } from "./bytes.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const PEM = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/;
const NUMBER_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** @typedef {{key: CryptoKey, sha256: string}} PublicKey */

/**
 * Read a key in PEM form; null when it is not one that signs registers.
 * @param {string} text
 * @returns {Promise<PublicKey | null>}
 */
export async function publicKeyOf(text) {
  const der = fromBase64((PEM.exec(text)?.[1] ?? "").replace(/\s/g, ""));
  if (!der?.length) return null;
  try {
    const key = await crypto.subtle.importKey("spki", der, CURVE, true, ["verify"]);
    return { key, sha256: hex(await sha256(new Uint8Array(await crypto.subtle.exportKey("spki", key)))) };
  } catch {
    return null;
  }
}

/**
 * Tell whether a signature (DER) is the key's of a message.
 * @param {CryptoKey} key
 * @param {Uint8Array<ArrayBuffer>} signature
 * @param {Uint8Array<ArrayBuffer>} message
 */
export async function isSigned(key, signature, message) {
  const numbers = numbersOf(signature);
  if (!numbers) return false;
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, numbers, message);
}

/**
 * The two numbers of a signature one behind the other, as browsers take them; null when it is not
 * written in the one way that DER has.
 * @param {Uint8Array} der
 */
function numbersOf(der) {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return null;
  const numbers = new Uint8Array(2 * NUMBER_BYTES);
  let at = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[at + 1];
    const number = der.subarray(at + 2, at + 2 + length);
    const signed = number[0] === 0 && number[1] >= 0x80;
    // No sign, no zero in front but the one that says so, and not a zero alone.
    if (der[at] !== INTEGER || !length || number.length !== length || number[0] >= 0x80) return null;
    if (number[0] === 0 && !signed) return null;
    const digits = signed ? number.subarray(1) : number;
    if (digits.length > NUMBER_BYTES) return null;
    numbers.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? numbers : null;
}
