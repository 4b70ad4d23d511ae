/** What the service proves of an invoice, checked here, and what this phone saw of its log before. */
import { browserStorage, Notes } from "../verify/notes.js";
import { Problem } from "../verify/errors.js";
import { yuan } from "../verify/words.js";
import { beside } from "./beside.js";
import { expectedOf, moment } from "./face.js";

const MOST_REDS = 20;
const notes = new Notes(browserStorage());

/** Returns `prove(hash, onStep)`, with the keys that stand in the page: of the log, of witnesses. */
export function prover({ key, statements, witnesses }) {
  const origin = key.split("+", 1)[0];
  const known = JSON.parse(statements).filter((text) => text.startsWith(`${origin}/keys\n`));
  const here = { origin, witnesses: JSON.parse(witnesses) };
  return async (hash, onStep) => {
    const given = { hash, key, statements: known, witnesses: here.witnesses };
    return { ...(await beside("prove", given, onStep)), here };
  };
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
  const here = await undamaged(() => notes.here(found.here));
  const before = await undamaged(() => hold(found, false));
  if (before?.forked) return { ...NOTHING, forked: true };
  if (before === null || here === null) return { ...NOTHING, damaged: true };
  const after = before.largest === null ? before : await undamaged(() => hold(found, true));
  if (after?.forked) return { ...NOTHING, forked: true };
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

/** What memory.js says of the proof's checkpoint; `ask` whether the log's own files are read. */
async function hold(found, ask) {
  const { forked, before, kept } = await beside("hold", { found, notes: notes.read(found.origin), ask });
  if (forked) return { forked };
  notes.keep(...kept);
  return before;
}

/** What is read of what this phone keeps; null where that is damaged. */
async function undamaged(read) {
  try {
    return await read();
  } catch (problem) {
    if (problem.code === "memory_damaged") return null;
    throw problem;
  }
}

const NOTHING = {
  ...{ forked: false, largest: null, others: false, damaged: false, compared: false },
  ...{ elsewhere: false, witnesses: [] },
};
