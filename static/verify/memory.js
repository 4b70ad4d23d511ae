/** What this browser was shown of logs, held against what comes next; as chain/proof/memory.py. */
import { openCheckpoint } from "./checkpoint.js";
import { checkContinues } from "./continuity.js";
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { same } from "./hashing.js";

const PLACE = "fapiao/seen/";
const HERE = "fapiao/here";
const MAX_NOTES = 32; // of one log; the oldest go

/**
 * The notes in a browser's storage, by log name. Those by other keys are another log's. Without
 * storage (null, or one that refuses) nothing is kept, and `works` says so.
 */
export class Memory {
  constructor(storage) {
    this.storage = storage;
    this.works = storage !== null;
  }

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

  /** Remember `fresh`, `insteadOf` those that it is known to continue. */
  keep({ checkpoint, note, time }, insteadOf = []) {
    const gone = new Set(insteadOf.map((one) => one.note));
    const noted = this.read(checkpoint.origin).filter((one) => !gone.has(one.note));
    if (!noted.some((one) => textOf(one.note) === textOf(note))) noted.push({ note, time });
    this.store(PLACE + checkpoint.origin, { version: 1, seen: noted.slice(-MAX_NOTES) });
  }

  /** How many logs are remembered. */
  count() {
    return this.places().length;
  }

  /** Forget all logs, and whose this address is. */
  forget() {
    for (const place of this.places()) this.storage.removeItem(place);
    this.storage?.removeItem(HERE);
  }

  /**
   * What this address first said of itself: {origin, witnesses}, of its log and of those whose time
   * is believed; kept from then on, so that another one cannot be slipped in. `memory_damaged`.
   */
  here(said) {
    const value = this.stored(HERE);
    if (value === null) {
      this.store(HERE, { version: 1, ...said });
      return said;
    }
    const { version, origin, witnesses } = parsed(value);
    const isTexts = Array.isArray(witnesses) && witnesses.every((one) => typeof one === "string");
    if (version === 1 && typeof origin === "string" && isTexts) return { origin, witnesses };
    throw damaged();
  }

  store(place, value) {
    try {
      this.storage?.setItem(place, JSON.stringify(value));
    } catch {
      this.works = false; // full, or forbidden
    }
  }

  stored(place) {
    try {
      return this.storage?.getItem(place) ?? null;
    } catch {
      this.works = false;
      return null;
    }
  }

  places() {
    return Object.keys(this.storage ?? {}).filter((name) => name.startsWith(PLACE));
  }

  read(origin) {
    const value = this.stored(PLACE + origin);
    if (value === null) return [];
    const { version, seen } = parsed(value);
    const isNoted = (one) => typeof one?.note === "string" && typeof one.time === "string";
    if (version === 1 && Array.isArray(seen) && seen.every(isNoted)) return seen;
    throw damaged();
  }
}

const damaged = () =>
  new Problem("memory_damaged", "what this browser remembered of this log is damaged");

/** The browser's storage, or null where it has or gives none. */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
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

const textOf = (note) => note.slice(0, note.indexOf("\n\n"));

function parsed(value) {
  try {
    return JSON.parse(value) ?? {};
  } catch {
    return {};
  }
}
