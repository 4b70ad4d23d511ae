/** What this browser keeps of what it was shown of logs; memory.js holds it against what comes next. */
import { Problem } from "./errors.js";

const PLACE = "fapiao/seen/";
const HERE = "fapiao/here";
const MAX_NOTES = 32; // of one log; the oldest go

/**
 * The notes in a browser's storage, by log name. Those by other keys are another log's. Without
 * storage (null, or one that refuses) nothing is kept, and `works` says so.
 */
export class Notes {
  constructor(storage) {
    this.storage = storage;
    this.works = storage !== null;
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

const textOf = (note) => note.slice(0, note.indexOf("\n\n"));

function parsed(value) {
  try {
    return JSON.parse(value) ?? {};
  } catch {
    return {};
  }
}
