/** What a log signs: its name, its size and its root (C2SP tlog-checkpoint). */
import { fromBase64 } from "./base64.js";
import { Problem } from "./errors.js";
import { DIGEST_SIZE, same, sha256 } from "./hashing.js";
import { checkCounts } from "./keys.js";
import { MAX_SIZE } from "./merkle.js";
import { isKeyName, openNote } from "./note.js";

/** Return {origin, size, root} if one of the log's keys (keys.js) that counts for it signed it. */
export async function openCheckpoint(content, known) {
  const { text, signers } = await openNote(
    content,
    known.keys.map(({ key }) => key),
  );
  const checkpoint = await parse(text);
  if (checkpoint.origin !== known.origin) {
    throw new Problem("origin_mismatch", "the checkpoint is of another log than the key");
  }
  checkCounts(known, checkpoint, signers);
  return checkpoint;
}

async function parse(text) {
  const [origin, digits, encoded, end, ...more] = text.split("\n");
  if (end !== "" || more.length || !/^(0|[1-9][0-9]{0,18})$/.test(digits)) throw malformed();
  const size = BigInt(digits);
  const root = fromBase64(encoded);
  if (size > MAX_SIZE || !isKeyName(origin) || root?.length !== DIGEST_SIZE) throw malformed();
  if (size === 0n && !same(root, await sha256())) {
    throw new Problem("empty_root", "a tree without entries has another root");
  }
  return { origin, size, root };
}

const malformed = () =>
  new Problem("checkpoint", "a checkpoint is three lines: origin, size, base64 root");
