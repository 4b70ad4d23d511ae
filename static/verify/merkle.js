/** Inclusion in the Merkle tree of RFC 6962. Sizes are BigInt: a log may outgrow 2^53. */
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
  if (!same(node, root)) {
    throw new Problem("root_mismatch", "the proof leads to another root");
  }
}

const wrongLength = () =>
  new Problem("path_length", "the proof does not have the length its sizes demand");
