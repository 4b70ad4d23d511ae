/** What this browser was shown of logs, held against what comes next; as chain/proof/memory.py. */
import { openCheckpoint } from "./checkpoint.js";
import { checkContinues } from "./continuity.js";
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { same } from "./hashing.js";
import { Notes } from "./notes.js";

/** Notes whose signatures are checked whenever they are recalled. */
export class Memory extends Notes {
  /** What was seen of the log: {seen: [{checkpoint, note, time}], others}. `memory_damaged`. */
  async recall(known) {
    const noted = this.read(known.origin);
    const opened = await Promise.all(
      noted.map(async ({ note, time }) => {
        try {
          return { checkpoint: await openCheckpoint(note, known), note, time };
        } catch (problem) {
          if (problem instanceof Problem) return null;
          throw problem;
        }
      }),
    );
    const seen = opened.filter((one) => one !== null);
    return { seen, others: seen.length < noted.length };
  }
}

/**
 * Hold a verified checkpoint `fresh` ({checkpoint, note, time}) against what was seen of its log.
 *
 * 1. none of the same size has another root: else ForkedError;
 * 2. the log's newest tree, if it is asked (`read(path)` gives its files), contains this one and
 *    all that were seen, and takes their place: else ForkedError;
 * 3. without that this one is remembered beside the others, not in their place.
 *
 * Returns {largest, time, others, compared, why}: of the largest seen before its size (null:
 * nothing) and when, whether the log has both, and why it was not compared.
 */
export async function holdAgainst(memory, fresh, known, read = null) {
  const { seen, others } = await memory.recall(known);
  const other = seen.find((one) => contradict(one.checkpoint, fresh.checkpoint));
  if (other) {
    throw new ForkedError(other, fresh);
  }
  const largest = seen.reduce((most, one) => (isLarger(one, most) ? one : most), null);
  let newest = null;
  let why = read === null ? "the log was not asked" : "";
  if (read !== null) {
    try {
      newest = await checkContinues(read, known, [...seen, fresh]);
    } catch (problem) {
      if (problem.code === "log_forked") throw problem;
      why = problem instanceof Problem ? problem.message : String(problem);
    }
  }
  if (newest === null) memory.keep(fresh);
  else memory.keep({ ...newest, time: fresh.time }, [...seen, fresh]);
  const { checkpoint, time = null } = largest ?? {};
  return { largest: checkpoint?.size ?? null, time, others, compared: newest !== null, why };
}

const contradict = (one, other) => one.size === other.size && !same(one.root, other.root);

const isLarger = (one, most) => most === null || one.checkpoint.size > most.checkpoint.size;
