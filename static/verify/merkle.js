/** The Merkle tree of RFC 6962, as chain/tree/merkle.py. Sizes are BigInt: a log may outgrow 2^53. */
import { Problem } from "./errors.js";
import { nodeHash, same } from "./hashing.js";

export const MAX_SIZE = 2n ** 63n - 1n;

/** Check that `leaf` is number `index` of the tree (RFC 9162, section 2.1.3.2). */
export async function verifyInclusion(leaf, index, size, path, root) {
  if (!(size <= MAX_SIZE)) throw new Problem("tree_size", "no tree has this many leaves");
  if (!(index < size)) {
    throw new Problem("index_outside", "there is no such leaf in a tree of this size");
  }
  let node = leaf;
  let position = index;
  let last = size - 1n;
  for (const sibling of path) {
    if (last === 0n) throw wrongLength();
    if (position & 1n || position === last) {
      node = await nodeHash(sibling, node);
      // A node that ends its row without a partner moves up until it is a right child.
      while (!(position & 1n)) [position, last] = [position >> 1n, last >> 1n];
    } else {
      node = await nodeHash(node, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last) throw wrongLength();
  checkRoot(node, root);
}

/** Check that the tree of `size` only adds to the one of `oldSize` (RFC 9162, section 2.1.4.2). */
export async function verifyConsistency(oldSize, oldRoot, size, root, path) {
  checkSizes(oldSize, size);
  if (oldSize === size) {
    if (path.length) throw wrongLength();
    return checkRoot(oldRoot, root);
  }
  // The root of an old tree that is complete starts the proof.
  const hashes = oldSize & (oldSize - 1n) ? path : [oldRoot, ...path];
  if (!hashes.length) throw wrongLength();
  const [oldNode, node] = await climb(oldSize, size, hashes);
  checkRoot(oldNode, oldRoot);
  checkRoot(node, root);
}

/** The two roots that a consistency proof leads to. */
async function climb(oldSize, size, [first, ...siblings]) {
  let [position, last] = [oldSize - 1n, size - 1n];
  while (position & 1n) [position, last] = [position >> 1n, last >> 1n];
  let [oldNode, node] = [first, first];
  for (const sibling of siblings) {
    if (last === 0n) throw wrongLength();
    if (position & 1n || position === last) {
      oldNode = await nodeHash(sibling, oldNode);
      node = await nodeHash(sibling, node);
      while (!(position & 1n)) [position, last] = [position >> 1n, last >> 1n];
    } else {
      node = await nodeHash(node, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last) throw wrongLength();
  return [oldNode, node];
}

/** The proof that the first `oldSize` leaves of `size` are unchanged; `node(level, index)` reads. */
export async function consistencyPath(node, oldSize, size) {
  checkSizes(oldSize, size);
  const path = [];
  let [low, high] = [0n, size];
  while (high !== oldSize) {
    const middle = low + (1n << (bits(high - low - 1n) - 1n));
    if (oldSize <= middle) {
      path.unshift(await rangeRoot(node, middle, high));
      high = middle;
    } else {
      path.unshift(await rangeRoot(node, low, middle));
      low = middle;
    }
  }
  // Else the old tree is a subtree of the new one, and its root is known.
  return low ? [await rangeRoot(node, low, high), ...path] : path;
}

/** The root over the leaves `low` to `high`, which stand as RFC 6962 splits a tree. */
export async function rangeRoot(node, low, high) {
  const peaks = [];
  for (let next = low; next < high; ) {
    const level = bits(high - next) - 1n;
    peaks.push(await node(level, next >> level));
    next += 1n << level;
  }
  let root = peaks.pop();
  while (peaks.length) root = await nodeHash(peaks.pop(), root);
  return root;
}

const bits = (number) => BigInt(number.toString(2).length);

function checkSizes(oldSize, size) {
  if (oldSize > 0n && !(size <= MAX_SIZE)) {
    throw new Problem("tree_size", "no tree has this many leaves");
  }
  if (!(oldSize > 0n && oldSize <= size)) {
    throw new Problem(
      "consistency_sizes",
      "consistency is proved from a tree that is not empty to a later one",
    );
  }
}

function checkRoot(found, expected) {
  if (!same(found, expected)) {
    throw new Problem("root_mismatch", "the proof leads to another root");
  }
}

const wrongLength = () =>
  new Problem("path_length", "the proof does not have the length its sizes demand");
