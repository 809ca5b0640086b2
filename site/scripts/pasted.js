/**
 * What people type and paste into the fields, read as the API reads it (`layers/shared/reassort/`:
 * pasted.py, addresses.py, numen.py, phones.py), so that a fault is named before the review.
 */
import { election } from "./election.js";

/** @typedef {{value: string, fault: string}} Read the normal form, or why there is none */

const UNSEEN =
  /[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]|\u034f|\u200d|[\ufe00-\ufe0f]/gu;
const BLANKS = /[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164]/gu;
const DASHES =
  /[\u02d7\u058a\u05be\u1400\u1806\u2010-\u2015\u2043\u207b\u208b\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\u{10ead}]/gu;
const APOSTROPHES = /[\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4]/gu;
// Around a text that was copied out of a sentence.
const BEFORE = /^[ \t\r\n\v\f"'«»“”„]+/;
const BEHIND = /[ \t\r\n\v\f"'«»“”„.,;:!?]+$/;
const ASCII = /^[\0-\x7f]*$/;
const ACCENTED = /^(?:[\0-\x7f\u00c0-\u017f]|[\u0300-\u036f])*$/;
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const NUMEN = /^[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}$/;
const NUMBER = /^(?:\+|00)?[0-9][0-9 .()/-]{1,30}$/;
const MAINLAND = "33";

/** @param {string} typed */
export function plain(typed) {
  const text = typed.replace(UNSEEN, "").replace(BLANKS, " ").replace(DASHES, "-").replace(APOSTROPHES, "'");
  return text.replace(BEFORE, "").replace(BEHIND, "");
}

/** @param {string} typed */
export function compact(typed) {
  const text = typed.replace(UNSEEN, "").replace(BLANKS, "").replace(DASHES, "").replace(/[ -]/g, "");
  return text.replace(BEFORE, "").replace(BEHIND, "");
}

/**
 * @param {string} field
 * @param {string} code
 * @param {Record<string, string | number>} [values]
 * @returns {Read}
 */
function refused(field, code, values = {}) {
  /** @type {Record<string, Record<string, string>>} */
  const sentences = election.fieldMessages;
  return { value: "", fault: sentences[field][code].replace(/\{(\w+)\}/g, (_, name) => String(values[name])) };
}

/** @param {string} value */
function read(value) {
  return { value, fault: "" };
}

/**
 * An address; whether its domain is one of the election's is the API's to say.
 * @param {string} typed
 * @returns {Read}
 */
export function readAddress(typed) {
  const example = { example: election.domains[0].example };
  let text = plain(typed);
  if (text.endsWith(">") && text.split("<").length === 2) text = plain(text.slice(text.indexOf("<") + 1, -1));
  else if (text.startsWith("<")) text = plain(text.slice(1));
  if (/^mailto:/i.test(text)) text = plain(text.slice(7).split("?")[0]);
  text = text.replace(/ *([@.]) */g, "$1");
  if (!ASCII.test(text)) return refused("email", ACCENTED.test(text) ? "accents" : "invalid", example);
  const address = text.toLowerCase();
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(at, 0));
  const domain = address.slice(at + 1);
  if (!LOCAL_PART.test(local) || !domain.includes(".") || /[ ,]/.test(domain)) {
    return refused("email", addressFault(address, at), example);
  }
  return address.length > 254 || local.length > 64 ? refused("email", "invalid", example) : read(address);
}

/**
 * @param {string} address
 * @param {number} at
 */
function addressFault(address, at) {
  if (at < 0) return address ? "no-at" : "invalid";
  if (address.indexOf("@") !== at) return "two-addresses";
  if (address.includes(",")) return "comma";
  return address.includes(" ") ? "blank" : "invalid";
}

/**
 * @param {string} typed
 * @returns {Read}
 */
export function readNumen(typed) {
  let numen = compact(typed);
  if (!numen) return refused("numen", "invalid");
  if (ASCII.test(numen)) {
    numen = numen.toUpperCase();
    if (NUMEN.test(numen)) return read(numen);
    numen = asDigits(numen.slice(0, 2)) + numen.slice(2, 3) + asDigits(numen.slice(3, 10)) + numen.slice(10);
    if (NUMEN.test(numen)) return read(numen);
  } else if (ACCENTED.test(numen)) return refused("numen", "accents");
  const symbols = Array.from(numen);
  if (symbols.length !== 13) return refused("numen", "length", { count: symbols.length });
  const place = symbols.findIndex((symbol, index) => !(isLetterAt(index) ? /^[A-Za-z]$/ : /^[0-9]$/).test(symbol));
  return refused("numen", isLetterAt(place) ? "letter-expected" : "digit-expected", { place: place + 1 });
}

/** @param {string} text */
function asDigits(text) {
  return text.replace(/O/g, "0").replace(/[IL]/g, "1");
}

/** @param {number} place */
function isLetterAt(place) {
  return place === 2 || place >= 10;
}

/**
 * The six digits of a code, also when it is pasted with its sentence.
 * @param {string} typed
 * @returns {Read}
 */
export function readCode(typed) {
  const digits = compact(typed);
  if (/^[0-9]{6}$/.test(digits)) return read(digits);
  const found = new Set();
  for (const [, left, right] of plain(typed).matchAll(/(?:^|[^0-9])([0-9]{3})[ -]?([0-9]{3})(?![0-9])/g)) {
    found.add(left + right);
  }
  if (found.size === 1) return read([...found][0]);
  return /^[0-9]+$/.test(digits) ? refused("code", "length", { count: digits.length }) : refused("code", "invalid");
}

/**
 * A mobile number in E.164, by the numbering plans of the French territories.
 * @param {string} typed
 * @returns {Read}
 */
export function readPhone(typed) {
  let text = plain(typed);
  if (/^tel:/i.test(text)) text = text.slice(4);
  if (!NUMBER.test(text)) return refused("phone", "invalid");
  const digits = (/^(?:\+|00)/.test(text) ? text.replaceAll("(0)", "") : text).replace(/[^0-9]/g, "");
  if (text.startsWith("+")) return international(digits);
  if (digits.startsWith("00")) return international(digits.slice(2));
  return digits.startsWith("0") ? dialled(digits.slice(1)) : bare(digits);
}

const PLANS = election.phonePlans;
const TAKEN = PLANS.filter((plan) => plan.accepted);

/** @param {string} digits */
function international(digits) {
  if (digits.startsWith(MAINLAND)) return dialled(digits.slice(2).replace(/^0/, ""));
  const plans = PLANS.filter((plan) => plan.code === digits.slice(0, 3));
  if (!plans.length) return refused("phone", "foreign");
  const national = digits.slice(3).replace(/^0/, "");
  const taken = plans.find((plan) => plan.accepted && isMobile(plan, national));
  if (taken) return read(`+${taken.code}${national}`);
  if (plans.some((plan) => isMobile(plan, national))) return ofAnotherTerritory();
  return refused("phone", plans.some((plan) => matches(plan.landline, national)) ? "landline" : "not-mobile");
}

/** @param {string} national what is dialled behind the 0 */
function dialled(national) {
  const taken = TAKEN.find((plan) => plan.trunk && isMobile(plan, national));
  if (taken) return read(`+${taken.code}${national}`);
  if (national.length !== 9) {
    return refused("phone", national.length < 9 ? "too-short" : "too-long", { count: national.length + 1 });
  }
  const plans = PLANS.filter((plan) => plan.trunk);
  if (plans.some((plan) => isMobile(plan, national))) return ofAnotherTerritory();
  return refused("phone", plans.some((plan) => matches(plan.landline, national)) ? "landline" : "not-mobile");
}

/** @param {string} digits with neither a 0 nor a marked country code before them */
function bare(digits) {
  if (digits.length === 9) return dialled(digits);
  for (const plan of TAKEN) {
    const national = digits.slice(plan.code.length);
    if (digits.startsWith(plan.code) && isMobile(plan, national)) return read(`+${digits}`);
  }
  if (digits.length > 9) return refused("phone", "too-long", { count: digits.length });
  const local = TAKEN.filter((plan) => isMobile(plan, digits));
  if (!local.length) return refused("phone", "too-short", { count: digits.length });
  return refused("phone", "local", { codes: local.map(({ code, name }) => `+${code} (${name})`).join(", ") });
}

function ofAnotherTerritory() {
  return refused("phone", "territory", { accepted: TAKEN.map(({ name }) => name).join(", ") });
}

/**
 * @param {typeof PLANS[number]} plan
 * @param {string} national
 */
function isMobile(plan, national) {
  return matches(plan.mobile, national) && !matches(plan.landline, national);
}

/**
 * @param {string} pattern
 * @param {string} text
 */
function matches(pattern, text) {
  return new RegExp(`^(?:${pattern})$`).test(text);
}

/**
 * The address that was probably meant, or null: the only accepted domain that is near.
 * @param {string} address
 * @param {string[]} domains
 */
export function suggestAddress(address, domains) {
  const at = address.lastIndexOf("@");
  const typed = address
    .slice(at + 1)
    .trim()
    .toLowerCase();
  if (at < 1 || !typed || domains.includes(typed)) return null;
  const near = domains.filter(
    (domain) => withoutEnding(domain) === withoutEnding(typed) || distance(domain, typed) <= 2,
  );
  return near.length === 1 ? `${address.slice(0, at).trim()}@${near[0]}` : null;
}

/** @param {string} domain */
function withoutEnding(domain) {
  return domain.includes(".") ? domain.slice(0, domain.lastIndexOf(".")) : domain;
}

/**
 * How many letters must be added, removed, changed or swapped with their neighbour
 * (Damerau–Levenshtein, restricted).
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  const table = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    table[row] = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      const changed = table[row - 1][column - 1] + (same ? 0 : 1);
      let least = Math.min(table[row - 1][column] + 1, table[row][column - 1] + 1, changed);
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        least = Math.min(least, table[row - 2][column - 2] + 1);
      }
      table[row][column] = least;
    }
  }
  return table[one.length][other.length];
}
