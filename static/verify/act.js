/** The proof file of an act, version 1: reading it, and checking it as chain/proof/act.py does. */
import { decodeCanonical, encodeBytes } from "./canonical.js";
import { actDigest, SALT_SIZE } from "./commitment.js";
import { ACT_TYPES, isTime, parseEntry } from "./entry.js";
import { Problem } from "./errors.js";
import { fromHex, isDigestHex, isHex, toHex } from "./hashing.js";
import { NO_WITNESSES } from "./policy.js";
import { MAX_PROOF_BYTES } from "./proof.js";
import { isCount, members } from "./shape.js";
import { checkNewest, checkPath, openCosigned, stepper, trusted } from "./verify.js";

const VERSION = 1;
const FIELDS = [
  ...["kind", "version", "salt", "document", "entry", "index", "path", "checkpoint", "seal"],
];
const SAID = ["before", "after", "reason", "previous"];

/** The steps, as chain/proof/act.py numbers and names them. */
export const ACT_STEPS = ["act", "signature", "inclusion", "seal", "newest"];

/** Whether a file says that it proves an act; it may be a bad one. */
export function isActProof(data) {
  if (data.length > MAX_PROOF_BYTES) return false;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data))?.kind === "act";
  } catch {
    return false;
  }
}

/**
 * Return what the file establishes, or throw a Problem whose `step` failed (null: the file, the key
 * or a statement is no good). Arguments as those of `verifyProof`.
 *
 * 1. salt and document hash to what the entry commits to, and the entry is of the act's type;
 * 2. the log signed the checkpoint, and the policy's witnesses cosigned it;
 * 3. the path leads from the entry to the checkpoint's root;
 * 4. the path leads from the seal to the same root;
 * 5. the seal is the last entry under the checkpoint.
 */
export async function verifyActProof(
  data,
  keyText,
  onStep = () => {},
  statements = [],
  policy = NO_WITNESSES,
) {
  const proof = parseActProof(data);
  const keys = await trusted(keyText, statements);
  const step = stepper(onStep);
  const act = await step(1, () => checkAct(proof));
  const { checkpoint, witnesses, known } = await step(2, () =>
    openCosigned(proof.checkpoint, keys(), policy),
  );
  await step(3, () => checkPath(proof.placed, checkpoint));
  await step(4, () => checkPath(proof.seal, checkpoint));
  const seal = await step(5, () => checkNewest(proof.seal, checkpoint));
  return {
    act,
    document: proof.document,
    origin: checkpoint.origin,
    size: checkpoint.size,
    seen: { checkpoint, note: proof.checkpoint },
    known,
    index: proof.placed.index,
    height: seal.height,
    sealedAt: seal.sealed_at,
    witnesses,
  };
}

/** Read a proof file; only its canonical bytes are accepted. */
export function parseActProof(data) {
  if (data.length > MAX_PROOF_BYTES) {
    throw new Problem("proof_too_long", `a proof file has at most ${MAX_PROOF_BYTES} bytes`);
  }
  const value = decodeCanonical(data);
  const version = value instanceof Map ? value.get("version") : undefined;
  if (typeof version === "number" && version !== VERSION) {
    throw new Problem("proof_version", `this reads version ${VERSION} of an act's proof`);
  }
  const wire = members(value, FIELDS, [], malformed);
  const seal = members(wire.seal, ["entry", "index", "path"], [], malformed);
  demand(wire.kind === "act" && wire.version === VERSION && isHex(wire.salt, 2 * SALT_SIZE));
  demand(typeof wire.checkpoint === "string" && isCount(wire.index) && isCount(seal.index));
  demand([wire.path, seal.path].every((path) => Array.isArray(path) && path.every(isDigestHex)));
  return {
    salt: fromHex(wire.salt),
    document: wire.document,
    placed: placed(wire),
    checkpoint: wire.checkpoint,
    seal: placed(seal),
  };
}

/** Return the commitment, in hex. */
async function checkAct({ placed: { entry: data }, salt, document }) {
  const entry = parseEntry(data);
  if (entry.kind !== "act") throw new Problem("entry_kind", "this entry is no act");
  const commitment = toHex(await actDigest(salt, encodeBytes(document)));
  if (commitment !== entry.act) {
    throw new Problem("act_mismatch", "the entry commits to another act");
  }
  if (checkDocument(document).type !== entry.type) {
    throw new Problem("act_type", "entry and act are of different types");
  }
  return commitment;
}

/** Return the document's members, once each is of its form. */
function checkDocument(value) {
  const needed = ["version", "type", "at", "by", "subject"];
  const said = members(value, needed, SAID, notAct);
  const words = [said.by, said.subject, said.reason ?? "-"];
  const changes = [said.before, said.after].filter((change) => change !== undefined);
  const isGood =
    said.version === VERSION &&
    ACT_TYPES.includes(said.type) &&
    typeof said.at === "string" &&
    words.every((word) => typeof word === "string" && word !== "") &&
    changes.every(isChange) &&
    (said.previous === undefined || isDigestHex(said.previous));
  if (!isGood) throw notAct("a member is not of its form");
  if (!isTime(said.at)) {
    throw new Problem("time_malformed", "a time is written YYYY-MM-DDTHH:MM:SSZ");
  }
  return said;
}

const isChange = (change) =>
  change instanceof Map &&
  change.size > 0 &&
  [...change.values()].every((said) => ["string", "number"].includes(typeof said));

const placed = ({ entry, index, path }) => ({
  entry,
  index: BigInt(index),
  path: path.map(fromHex),
});

function demand(holds) {
  if (!holds) throw malformed("a field is not of its form");
}

const malformed = (why) => new Problem("proof_malformed", `not an act's proof: ${why}`);
const notAct = (why) => new Problem("act_malformed", `not an act's document: ${why}`);
