/** The Merkle tree hash of RFC 6962, level by level. */
import { hex, joined, sha256 } from "./bytes.js";

const HASH_BYTES = 32;
const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
const NODES_AT_ONCE = 2048;

/** @param {Uint8Array} content */
export function leafHash(content) {
  return sha256(joined(LEAF, content));
}

/**
 * The root over leaves, whose hashes lie one behind the other. At each level the last one of an odd
 * number goes up as it is, which is the tree of the RFC.
 * @param {Uint8Array} leaves
 */
export async function merkleRoot(leaves) {
  if (!leaves.length) return hex(await sha256(new Uint8Array(0)));
  let level = leaves;
  while (level.length > HASH_BYTES) {
    const count = Math.ceil(level.length / (2 * HASH_BYTES));
    const above = new Uint8Array(count * HASH_BYTES);
    for (let first = 0; first < count; first += NODES_AT_ONCE) {
      const places = Array.from({ length: Math.min(NODES_AT_ONCE, count - first) }, (_, offset) => first + offset);
      const pairs = places.map((place) => level.subarray(2 * place * HASH_BYTES, 2 * (place + 1) * HASH_BYTES));
      const nodes = await Promise.all(
        pairs.map((pair) => (pair.length === HASH_BYTES ? pair : sha256(joined(NODE, pair)))),
      );
      nodes.forEach((node, offset) => {
        above.set(node, (first + offset) * HASH_BYTES);
      });
    }
    level = above;
  }
  return hex(level);
}
