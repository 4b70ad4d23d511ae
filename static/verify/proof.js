/** The proof file, version 1. Reading it checks the form; verify.js the content. */
import { decodeCanonical, encodeBytes } from "./canonical.js";
import { GROUPS, parsePasswordArea, SALT_SIZE } from "./commitment.js";
import { Problem } from "./errors.js";
import { fromHex, isDigestHex, isHex } from "./hashing.js";
import { isCount, members } from "./shape.js";

export const MAX_PROOF_BYTES = 4 << 20;
const VERSION = 1;
const FIELDS = [
  ...["version", "hash", "groups", "entry", "index", "path", "checkpoint", "seal", "state"],
];

/** Read a proof file; only its canonical bytes are accepted. */
export function parseProof(data) {
  if (data.length > MAX_PROOF_BYTES) {
    throw new Problem("proof_too_long", `a proof file has at most ${MAX_PROOF_BYTES} bytes`);
  }
  const value = decodeCanonical(data);
  const version = value instanceof Map ? value.get("version") : undefined;
  if (typeof version === "number" && version !== VERSION) {
    throw new Problem("proof_version", `this reads version ${VERSION} of the proof file`);
  }
  const wire = readForm(value);
  return {
    document: parsePasswordArea(wire.hash),
    groups: Object.fromEntries(GROUPS.map((name) => [name, readGroup(name, wire.groups[name])])),
    placed: placed(wire),
    checkpoint: wire.checkpoint,
    seal: placed(wire.seal),
    state: { leaf: readLeaf(wire.state.leaf), siblings: wire.state.siblings.map(fromHex) },
  };
}

/** Return the file's fields once all of them are there and of their types. */
function readForm(value) {
  const wire = members(value, FIELDS, [], malformed);
  wire.groups = members(wire.groups, GROUPS, [], malformed);
  wire.seal = members(wire.seal, ["entry", "index", "path"], [], malformed);
  wire.state = members(wire.state, ["siblings"], ["leaf"], malformed);
  demand(wire.version === VERSION);
  demand(typeof wire.hash === "string" && typeof wire.checkpoint === "string");
  demand(isCount(wire.index) && isCount(wire.seal.index));
  demand([wire.path, wire.seal.path, wire.state.siblings].every(isDigests));
  for (const name of GROUPS) {
    const group = members(wire.groups[name], [], ["salt", "document", "digest"], malformed);
    demand(group.salt === undefined || isHex(group.salt, 2 * SALT_SIZE));
    demand(group.digest === undefined || isDigestHex(group.digest));
    wire.groups[name] = group;
  }
  if (wire.state.leaf !== undefined) {
    const leaf = members(wire.state.leaf, ["key", "value"], [], malformed);
    demand(isDigestHex(leaf.key) && leaf.value instanceof Map);
    demand([...leaf.value.values()].every((said) => typeof said === "string"));
    wire.state.leaf = leaf;
  }
  return wire;
}

/** A group is {salt, document, bytes} when shown and {digest} when hidden. */
function readGroup(name, { salt, document, digest }) {
  if (digest !== undefined && salt === undefined && document === undefined) {
    return { digest: fromHex(digest) };
  }
  const isDocument = name === "lines" ? Array.isArray(document) : document instanceof Map;
  demand(digest === undefined && salt !== undefined && isDocument);
  // A part of canonical bytes is canonical itself, so these are the bytes of the file.
  return { salt: fromHex(salt), document, bytes: encodeBytes(document) };
}

const readLeaf = (leaf) => (leaf ? { key: fromHex(leaf.key), value: leaf.value } : null);

const placed = ({ entry, index, path }) => ({
  entry,
  index: BigInt(index),
  path: path.map(fromHex),
});

const isDigests = (value) => Array.isArray(value) && value.every(isDigestHex);

function demand(holds) {
  if (!holds) throw malformed("a field is not of its form");
}

const malformed = (why) => new Problem("proof_malformed", `not a proof file: ${why}`);
