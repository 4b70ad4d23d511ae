/** Log entries: canonical JSON objects with a `kind`, checked field by field at one door. */
import { encodeBytes } from "./canonical.js";
import { Problem } from "./errors.js";
import { isDigestHex } from "./hashing.js";
import { isCount, members } from "./shape.js";

const MAX_ENTRY_BYTES = 1024;

/** Of what an act is; of whom, and what, only its document says. */
export const ACT_TYPES = [
  ...["admission", "quota", "suspension", "role", "finding", "consent", "log_key", "trail"],
];

/** Each kind: its fields, those that it may have, and what must hold of them. */
const KINDS = {
  invoice: {
    needed: ["kind", "anchor"],
    allowed: ["reverses", "reversal"],
    check({ anchor, reverses, reversal }) {
      demand(isDigestHex(anchor));
      demand(reverses === undefined || isDigestHex(reverses));
      demand(reversal === undefined || reversal === "part" || reversal === "full");
      demand((reverses === undefined) === (reversal === undefined));
      demand(reverses !== anchor);
    },
  },
  reimbursement: {
    needed: ["kind", "anchor", "state", "holder"],
    allowed: [],
    check({ anchor, state, holder }) {
      demand(isDigestHex(anchor) && isDigestHex(holder));
      demand(["locked", "released", "closed"].includes(state));
    },
  },
  closing: {
    needed: ["kind", "day", "through", "totals"],
    allowed: [],
    check({ day, through, totals }) {
      demand(typeof day === "string" && isCount(through) && isDigestHex(totals));
      if (!isTime(`${day}T00:00:00Z`)) throw new Problem("day_malformed", "not a day");
    },
  },
  act: {
    needed: ["kind", "type", "act"],
    allowed: [],
    check({ type, act }) {
      demand(ACT_TYPES.includes(type) && isDigestHex(act));
    },
  },
  seal: {
    needed: ["kind", "height", "previous", "first", "count", "states", "sealed_at"],
    allowed: [],
    check({ height, previous, first, count, states, sealed_at: sealedAt }) {
      demand(isCount(height, 1) && isCount(first) && isCount(count));
      demand(isDigestHex(previous) && isDigestHex(states) && typeof sealedAt === "string");
      if (!isTime(sealedAt)) {
        throw new Problem("time_malformed", "a time is written YYYY-MM-DDTHH:MM:SSZ");
      }
    },
  },
};

/** Read one entry from the value that its canonical bytes spell. */
export function parseEntry(value) {
  if (encodeBytes(value).length > MAX_ENTRY_BYTES) {
    throw new Problem("entry_too_long", `an entry has at most ${MAX_ENTRY_BYTES} bytes`);
  }
  const name = value instanceof Map ? value.get("kind") : undefined;
  demand(typeof name === "string" && Object.hasOwn(KINDS, name));
  const kind = KINDS[name];
  const entry = members(value, kind.needed, kind.allowed, malformed);
  kind.check(entry);
  return entry;
}

/** Tell whether a text is a moment of the calendar, in the one spelling that we write. */
export function isTime(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text);
  if (!found || found[1] === "0000") return false;
  const moment = new Date(text);
  return !Number.isNaN(moment.getTime()) && moment.toISOString() === text.replace("Z", ".000Z");
}

function demand(holds) {
  if (!holds) throw malformed("a field is not what its kind demands");
}

const malformed = (why) => new Problem("entry_malformed", `not a log entry: ${why}`);
