/** Two copies of a log held against each other: checkpoints that it signed, and files of its tree. */
import { openCheckpoint } from "../verify/checkpoint.js";
import { prefix } from "../verify/continuity.js";
import { Problem } from "../verify/errors.js";
import { ForkedError } from "../verify/fork.js";
import { same } from "../verify/hashing.js";
import { nodesOf, tilePath } from "../verify/tiles.js";

const DIGEST_SIZE = 32;
const WIDTH = 256n;
const HEIGHT = 8n;
const PART = /^tile\/([0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})\.p\/([0-9]{1,3})$/;

/**
 * Return how two copies {note, read} stand to each other: {kind, small, large, hashes}, where
 * `kind` is "same", "begun" (one is still empty) or "continues", and `hashes` is the length of
 * the proof. `read(path)` gives the bytes of a file of the copy, or null; without it only the
 * note is known. `others` are further places to read the tree from: what they give is proved.
 *
 * 1. one of the log's keys that counts signed each checkpoint: else its Problem, with `copy`;
 * 2. of one size, the roots are the same: else ForkedError;
 * 3. of two sizes, files that lead to the larger one's signed root have the smaller one's root
 *    at its size: else ForkedError. Problem when no place has such files.
 */
export async function compareCopies(copies, known, others = []) {
  const opened = [];
  for (const [place, copy] of copies.entries()) opened.push(await open(copy, known, place + 1));
  const [small, large] = opened.sort((one, other) => order(one.checkpoint, other.checkpoint));
  const [{ size, root }, whole] = [small.checkpoint, large.checkpoint];
  if (size === whole.size) {
    if (!same(root, whole.root)) throw new ForkedError(small, large);
    return { kind: "same", small, large, hashes: 0 };
  }
  if (size === 0n) return { kind: "begun", small, large, hashes: 0 };
  const reads = [large.read, small.read, ...others].filter((read) => read);
  const found = await firstOf(reads, (read) => prefix(nodesOf(whole.size, grown(read)), size, whole));
  if (!same(found.root, root)) throw new ForkedError(small, large, found);
  return { kind: "continues", small, large, hashes: found.path.length };
}

async function open({ note, read }, known, place) {
  try {
    return { checkpoint: await openCheckpoint(note, known), note, read };
  } catch (problem) {
    if (problem instanceof Problem) problem.copy = place;
    throw problem;
  }
}

const order = (one, other) => (one.size < other.size ? -1 : Number(one.size > other.size));

/** What the first place gives that has it; the first place's Problem if none has. */
async function firstOf(reads, look) {
  let first = new Problem("tree_missing", "the files of the larger copy's tree are needed");
  for (const [place, read] of reads.entries()) {
    try {
      return await look(read);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (place === 0) first = problem;
    }
  }
  throw first;
}

/** The same files; a part of a tile is also found in the larger part that has replaced it. */
function grown(read) {
  let size = null;
  return async (path) => {
    const data = await read(path);
    const [, level, name, width] = PART.exec(path) ?? [];
    if (data !== null || width === undefined) return data;
    size ??= sizeShown(read);
    const n = BigInt(name.replace(/[x/]/g, ""));
    const left = ((await size) >> (HEIGHT * BigInt(level))) - n * WIDTH;
    if (left <= BigInt(width) || left >= WIDTH) return null;
    const more = await read(tilePath(BigInt(level), n, left));
    return more === null ? null : more.slice(0, DIGEST_SIZE * Number(width));
  };
}

/** The size that the place's own checkpoint names; nothing depends on its being true. */
async function sizeShown(read) {
  const data = await read("checkpoint");
  const digits = data === null ? "" : new TextDecoder().decode(data).split("\n")[1];
  return /^[0-9]{1,19}$/.test(digits ?? "") ? BigInt(digits) : 0n;
}
