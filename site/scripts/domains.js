/** Slips in the domain of an address. */

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
