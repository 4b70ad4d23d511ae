/** What the service proves of an invoice, checked here, and what this phone saw of its log before. */
import { ForkedError } from "../verify/fork.js";
import { same } from "../verify/hashing.js";
import { fetchProof, logReader } from "../verify/newest.js";
import { isKnown, keyText, parseNote } from "../verify/note.js";
import { parsePolicy } from "../verify/policy.js";
import { hold, memory } from "../verify/seen.js";
import { verifyProof } from "../verify/verify.js";
import { Problem } from "../verify/errors.js";
import { yuan } from "../verify/words.js";
import { expectedOf, moment } from "./face.js";

const MOST_REDS = 20;

/** Returns `prove(hash, onStep)`, with the keys that stand in the page: of the log, of witnesses. */
export function prover({ key, statements, witnesses }) {
  const origin = key.split("+", 1)[0];
  const known = JSON.parse(statements).filter((text) => text.startsWith(`${origin}/keys\n`));
  const lines = JSON.parse(witnesses).map((text, place) => `witness ${place} ${text}\n`);
  const policy = parsePolicy(`${lines.join("")}quorum none\n`);
  const here = { origin, witnesses: JSON.parse(witnesses) };
  return async (hash, onStep) => {
    const data = await fetchProof(hash);
    const found = await verifyProof(data, key, onStep, known, await policy);
    if (found.hash !== hash) throw new Problem("other_invoice", "the proof is of another invoice");
    if (!found.shown.face) throw new Problem("face_hidden", "the proof does not show the face");
    return { ...found, here, cosigned: cosigned(found.seen.note, (await policy).witnesses) };
  };
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

/** A proof as judge.js wants it; only the times of witnesses that are `known` to this phone count. */
export function factsOf(found, reds, known) {
  const { face } = found.shown;
  const timesOf = (isOurs) => found.cosigned.filter(({ by }) => known.includes(by) === isOurs).map(({ time }) => time);
  const sealed = Date.parse(found.sealedAt) / 1000;
  return {
    hash: found.hash,
    said: expectedOf(face, found.hash),
    number: String(face.get("number")),
    total: face.get("total"),
    amount: face.get("amount"),
    red: face.get("type") === "red",
    state: found.state?.reversal ?? "none",
    size: Number(found.size),
    times: [sealed, ...timesOf(true)],
    strange: timesOf(false),
    sealed,
    reds,
  };
}

/** The proved ones of the red invoices that a page names; what is not in the log yet is left out. */
export async function redsOf(prove, returns) {
  const reds = {};
  for (const { hash } of returns.slice(0, MOST_REDS)) {
    try {
      const { face } = (await prove(hash, () => {})).shown;
      const said = [face.get("number"), moment(face.get("issued_at")), yuan(-face.get("total"))];
      reds[hash] = { said: said.join(" · "), total: face.get("total"), reverses: face.get("reverses") };
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.step !== null) throw problem;
    }
  }
  return reds;
}

/** What this phone saw of the log before, held against a proof; what it proves is remembered. */
export async function seenBefore(found) {
  const here = seenHere(found.here);
  const before = await hold(found);
  if (before instanceof ForkedError) return { ...NOTHING, forked: true };
  if (before === null || here === null) return { ...NOTHING, damaged: true };
  const after = before.largest === null ? before : await hold(found, logReader());
  if (after instanceof ForkedError) return { ...NOTHING, forked: true };
  return {
    forked: false,
    largest: before.largest === null ? null : Number(before.largest),
    others: before.others,
    damaged: false,
    compared: after?.compared ?? false,
    elsewhere: here.origin !== found.here.origin,
    witnesses: here.witnesses,
  };
}

/** What this address said of itself when this phone first came here; null where that is damaged. */
function seenHere(said) {
  try {
    return memory.here(said);
  } catch (problem) {
    if (problem instanceof Problem) return null;
    throw problem;
  }
}

const NOTHING = {
  ...{ forked: false, largest: null, others: false, damaged: false, compared: false },
  ...{ elsewhere: false, witnesses: [] },
};
