/**
 * What takes a phone its time: checking a proof, and holding it against what was seen of the log.
 * It runs beside the page (aside.js), or in it; what comes in and goes out can be sent between them.
 */
import { ForkedError } from "../verify/fork.js";
import { same } from "../verify/hashing.js";
import { holdAgainst, Memory } from "../verify/memory.js";
import { fetchProof, logReader } from "../verify/newest.js";
import { isKnown, keyText, parseNote } from "../verify/note.js";
import { parsePolicy } from "../verify/policy.js";
import { Problem } from "../verify/errors.js";
import { verifyProof } from "../verify/verify.js";

/**
 * What the service proves of an invoice now: as `verifyProof` returns it, and `cosigned` [{by, time}]
 * by `witnesses`, in seconds; `took` says for how many milliseconds it was checked.
 */
async function prove({ hash, key, statements, witnesses }, onStep) {
  const [data, policy] = await Promise.all([fetchProof(hash), policyOf(witnesses)]);
  const begun = performance.now();
  const found = await verifyProof(data, key, onStep, statements, policy);
  if (found.hash !== hash) throw new Problem("other_invoice", "the proof is of another invoice");
  if (!found.shown.face) throw new Problem("face_hidden", "the proof does not show the face");
  const took = performance.now() - begun;
  return { ...found, cosigned: cosigned(found.seen.note, policy.witnesses), took };
}

/**
 * What was found against the `notes` of the log that this browser keeps, and where `ask`, against
 * the log's files: {forked: true}, or {before, kept}: what `holdAgainst` returns, and what is to be
 * kept of it.
 */
async function hold({ found, notes, ask }) {
  const lent = new Lent(notes);
  const fresh = { ...found.seen, time: new Date().toISOString() };
  try {
    const before = await holdAgainst(lent, fresh, found.known, ask ? logReader() : null);
    return { before, kept: lent.kept };
  } catch (problem) {
    if (problem instanceof ForkedError) return { forked: true };
    throw problem;
  }
}

export const CALLS = { prove, hold };

/** Notes that somebody else keeps. */
class Lent extends Memory {
  constructor(notes) {
    super(null);
    this.notes = notes;
    this.kept = null;
  }

  read() {
    return this.notes;
  }

  keep(fresh, insteadOf = []) {
    this.kept = [fresh, insteadOf];
  }
}

const policies = new Map();

/** The witnesses of a page, of whom none has to have signed. */
function policyOf(witnesses) {
  const lines = witnesses.map((text, place) => `witness ${place} ${text}\n`).join("");
  if (!policies.has(lines)) policies.set(lines, parsePolicy(`${lines}quorum none\n`));
  return policies.get(lines);
}

/** Which witness signed a note, whose signatures have been checked, and when: {by, time} in seconds. */
function cosigned(note, witnesses) {
  return parseNote(note).signatures.flatMap(({ name, id, payload }) => {
    const key = witnesses.filter(isKnown).find((one) => one.name === name && same(one.id, id));
    if (!key) return [];
    const time = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0);
    return [{ by: keyText(key), time: Number(time) }];
  });
}
