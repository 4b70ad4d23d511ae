/** Checking a proof: bytes and a key in, evidence out. No store, no clock, no network. */
import { encodeBytes } from "./canonical.js";
import { openCheckpoint } from "./checkpoint.js";
import {
  anchor,
  documentDigest,
  groupDigest,
  GROUPS,
  parsePasswordArea,
  passwordArea,
} from "./commitment.js";
import { parseEntry } from "./entry.js";
import { Problem } from "./errors.js";
import { fromHex, leafHash, same, toHex } from "./hashing.js";
import { pinnedKeys } from "./keys.js";
import { verifyInclusion } from "./merkle.js";
import { isKnown, openNote, parseKey } from "./note.js";
import { checkLog, cosigners, NO_WITNESSES } from "./policy.js";
import { parseProof } from "./proof.js";
import { follow } from "./statement.js";
import { verifyState } from "./states.js";

/** The steps, as chain/proof/verify.py numbers and names them. */
export const STEPS = ["groups", "entry", "signature", "inclusion", "seal", "newest", "state"];

/**
 * Return what the proof file establishes, or throw a Problem whose `step` failed (null: the
 * file, the key or a statement is no good). `onStep(number)` hears of each step that held.
 * `statements` are those of the log's keys, in order; what they say is followed from the key.
 * `policy` (policy.js) says which witnesses are known, and how many must have cosigned.
 *
 * 1. the groups hash to the password area;
 * 2. the entry names that password area, and the same reversal as the face where it is shown;
 * 3. the log signed the checkpoint, and the policy's witnesses cosigned it;
 * 4. the path leads from the entry to the checkpoint's root;
 * 5. the path leads from the seal to the same root;
 * 6. the seal is the last entry under the checkpoint;
 * 7. the state map under the seal holds what the proof says of the document.
 */
export async function verifyProof(
  data,
  keyText,
  onStep = () => {},
  statements = [],
  policy = NO_WITNESSES,
) {
  const proof = parseProof(data);
  const keys = await trusted(keyText, statements);
  const step = stepper(onStep);
  const shown = await step(1, () => checkGroups(proof));
  const entry = await step(2, () => checkEntry(proof, shown.face));
  const { checkpoint, witnesses, known } = await step(3, () =>
    openCosigned(proof.checkpoint, keys(), policy),
  );
  await step(4, () => checkPath(proof.placed, checkpoint));
  await step(5, () => checkPath(proof.seal, checkpoint));
  const seal = await step(6, () => checkNewest(proof.seal, checkpoint));
  const state = await step(7, () => checkState(proof, seal));
  return {
    hash: passwordArea(proof.document),
    anchor: entry.anchor,
    origin: checkpoint.origin,
    size: checkpoint.size,
    seen: { checkpoint, note: proof.checkpoint },
    known,
    index: proof.placed.index,
    height: seal.height,
    sealedAt: seal.sealed_at,
    state,
    reverses: entry.reverses ?? null,
    reversal: entry.reversal ?? null,
    witnesses,
    shown,
    hidden: GROUPS.filter((name) => !(name in shown)),
  };
}

/**
 * Return what gives the keys that are believed, the pinned one and what statements say follows from
 * it. That a pinned key is of the wrong type is said at the step that uses it.
 */
export async function trusted(keyText, statements) {
  const key = await parseKey(keyText);
  const followed = statements.length ? await follow([key], statements) : null;
  return () => followed ?? pinnedKeys([key]);
}

/** Does one step after the other: `onStep` hears of what held, a Problem says where it failed. */
export const stepper = (onStep) => async (number, check) => {
  try {
    const found = await check();
    onStep(number);
    return found;
  } catch (problem) {
    if (problem instanceof Problem) problem.step = number;
    throw problem;
  }
};

/** The shown groups' documents, once all three groups lead to the password area. */
async function checkGroups({ groups, document }) {
  const digests = [];
  const shown = {};
  for (const name of GROUPS) {
    const group = groups[name];
    digests.push(group.digest ?? (await groupDigest(name, group.salt, group.bytes)));
    if (group.document !== undefined) shown[name] = group.document;
  }
  if (!same(await documentDigest(...digests), document)) {
    throw new Problem("hash_mismatch", "the groups belong to another password area");
  }
  return shown;
}

async function checkEntry({ placed, document }, face) {
  const entry = parseEntry(placed.entry);
  if (entry.kind !== "invoice") throw new Problem("entry_kind", "this entry anchors nothing");
  if (entry.anchor !== toHex(await anchor(document))) {
    throw new Problem("anchor_mismatch", "the entry is of another password area");
  }
  if (face) await checkReversal(entry, face.get("reverses"));
  return entry;
}

/** The face and the entry reverse the same document, or neither reverses any. */
async function checkReversal(entry, said) {
  const expected =
    typeof said === "string" ? toHex(await anchor(parsePasswordArea(said))) : said;
  if (entry.reverses !== expected) {
    throw new Problem("reversal_mismatch", "face and entry reverse different documents");
  }
}

/** Return the checkpoint, the keys, and the names of the policy's witnesses that cosigned it. */
export async function openCosigned(note, known, policy) {
  const checkpoint = await openCheckpoint(note, known);
  const keys = known.keys.map(({ key }) => key);
  checkLog(policy, keys);
  if (!policy.witnesses.length) return { checkpoint, known, witnesses: [] };
  const { signers } = await openNote(note, [...keys, ...policy.witnesses.filter(isKnown)]);
  return { checkpoint, known, witnesses: cosigners(policy, signers) };
}

/** Check that the path leads to the checkpoint's root. */
export async function checkPath({ entry, index, path }, { size, root }) {
  await verifyInclusion(await leafHash(encodeBytes(entry)), index, size, path, root);
}

/** Return the seal; an older one would hide what has happened since. */
export function checkNewest(seal, { size }) {
  const entry = parseEntry(seal.entry);
  if (entry.kind !== "seal") throw new Problem("seal_kind", "this entry seals nothing");
  if (BigInt(entry.first) + BigInt(entry.count) !== seal.index) {
    throw new Problem("seal_place", "the seal does not stand right after its block");
  }
  if (seal.index !== size - 1n) {
    throw new Problem("seal_not_newest", "a newer seal stands under the checkpoint");
  }
  return entry;
}

async function checkState({ document, state }, seal) {
  return verifyState(fromHex(seal.states), await anchor(document), state.leaf, state.siblings);
}
