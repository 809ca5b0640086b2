/** The NUMEN as it is typed. Whether it is the right one is the API's to say. */

/** @param {string} typed */
export function normalisedNumen(typed) {
  return typed.replace(/[\s-]/g, "").toUpperCase();
}

/** @param {string} typed */
export function isNumen(typed) {
  return /^\d{2}[A-Z]\d{7}[A-Z]{3}$/.test(normalisedNumen(typed));
}
