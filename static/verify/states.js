/** Checking what the state map says of a key: its state, or that it has none. */
import { encodeBytes } from "./canonical.js";
import { Problem } from "./errors.js";
import { same, sha256, ZERO } from "./hashing.js";

const KEY_BITS = 256;

/** What a value may say. */
const STATES = new Map([
  ["reversal", ["part", "full"]],
  ["reimbursement", ["locked", "closed"]],
  ["pledge", ["pledged"]],
]);

/**
 * Return the state of `key`, or null if the map proves that it has none.
 *
 * 1. the proof is no deeper than a key has bits;
 * 2. it ends where `key` would stand: in an empty subtree, or at a leaf on the same way;
 * 3. it could not end higher up: the last sibling is not empty;
 * 4. the siblings, which go from the root downwards, lead from there to the root.
 */
export async function verifyState(root, key, leaf, siblings) {
  const depth = siblings.length;
  if (depth > KEY_BITS) {
    throw new Problem("state_depth", "a state proof has at most 256 siblings");
  }
  if (leaf && !sameWay(leaf.key, key, depth)) {
    throw new Problem("state_elsewhere", "the leaf stands on another key's way");
  }
  if (depth && same(siblings[depth - 1], ZERO)) {
    throw new Problem("state_shape", "nothing stands beside the end of the proof");
  }
  let node = leaf ? await leafHash(leaf) : ZERO;
  for (let level = depth - 1; level >= 0; level -= 1) {
    const pair = bit(key, level) ? [siblings[level], node] : [node, siblings[level]];
    node = await sha256(Uint8Array.of(3), ...pair);
  }
  if (!same(node, root)) {
    throw new Problem("state_root", "the state proof leads to another root");
  }
  return leaf && same(leaf.key, key) ? Object.fromEntries(leaf.value) : null;
}

async function leafHash({ key, value }) {
  const known = [...value].every(([name, said]) => STATES.get(name)?.includes(said));
  if (value.size === 0 || !known) {
    throw new Problem("state_value", "no key of the map has such a state");
  }
  return sha256(Uint8Array.of(2), key, await sha256(encodeBytes(value)));
}

/** Return a bit of a key, the most significant first. */
const bit = (key, place) => (key[place >> 3] >> (7 - (place & 7))) & 1;

function sameWay(one, other, depth) {
  for (let place = 0; place < depth; place += 1) {
    if (bit(one, place) !== bit(other, place)) return false;
  }
  return true;
}
