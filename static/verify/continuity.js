/** Whether a log still stands by all that was seen of it; as chain/audit/continuity.py. */
import { openCheckpoint } from "./checkpoint.js";
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { same } from "./hashing.js";
import { consistencyPath, rangeRoot, verifyConsistency } from "./merkle.js";
import { nodesOf } from "./tiles.js";

/**
 * Return the log's newest {checkpoint, note}, once its tree is seen to contain all those `seen`.
 * `read(path)` gives the bytes of a file of the log, or null where there is none.
 *
 * Throws ForkedError; Problem `log_behind` when the log shows less than was seen, `tile_damaged`
 * when its files are not those of its own checkpoint, and those of `openCheckpoint`.
 */
export async function checkContinues(read, known, seen) {
  const data = await read("checkpoint");
  if (data === null) throw new Problem("file_missing", "the log has no checkpoint there");
  const note = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  const newest = { checkpoint: await openCheckpoint(note, known), note };
  const node = nodesOf(newest.checkpoint.size, read);
  for (const one of seen) {
    const { size, root } = one.checkpoint;
    if (size > newest.checkpoint.size) {
      const shown = newest.checkpoint.size;
      throw new Problem("log_behind", `it shows ${shown} entries there, and ${size} were seen`);
    }
    if (size === 0n) continue;
    const found = await prefix(node, size, newest.checkpoint);
    if (!same(found.root, root)) {
      const beside = size === newest.checkpoint.size ? null : found;
      throw new ForkedError(one, newest, beside);
    }
  }
  return newest;
}

/**
 * The only root that the log's tree can have had at a size, and the path that proves it. Throws
 * Problem `tile_damaged`, and those of `nodesOf`.
 */
export async function prefix(node, size, { size: whole, root: signed }) {
  const root = await rangeRoot(node, 0n, size);
  const path = await consistencyPath(node, size, whole);
  try {
    await verifyConsistency(size, root, whole, signed, path);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw new Problem("tile_damaged", "the log's tiles do not lead to the root that it signed");
  }
  return { root, path };
}
