/** ML-DSA-44 cosignatures (C2SP tlog-cosignature, type 6), as chain/signing/subtree.py. */
import { ml_dsa44 } from "../vendor/noble-post-quantum/ml-dsa.js";
import { fromBase64 } from "./base64.js";
import { concat, DIGEST_SIZE, utf8 } from "./hashing.js";
import { MAX_NAME } from "./note.js";

export const SIGNATURE_SIZE = 2420; // bytes
const LABEL = "subtree/v1\n\0";
const MAX_SIZE = 2n ** 63n - 1n;

/** Tell whether `signature` by `key` of that name is over the tree of a checkpoint's text. */
export function isCosigned({ name, bytes }, time, text, signature) {
  const message = wholeTreeMessage(name, time, text);
  if (message === null || signature.length !== SIGNATURE_SIZE) return false;
  try {
    return ml_dsa44.verify(signature, message, bytes);
  } catch {
    return false;
  }
}

/** What is signed; null for a text that is no checkpoint, or a log's name that is too long. */
function wholeTreeMessage(cosigner, time, text) {
  const [origin, digits, encoded, ...more] = text.split("\n");
  if (!more.length || !/^(0|[1-9][0-9]{0,18})$/.test(digits)) return null;
  const [size, root, log] = [BigInt(digits), fromBase64(encoded), utf8(origin)];
  if (size > MAX_SIZE || root?.length !== DIGEST_SIZE) return null;
  if (!log.length || log.length > MAX_NAME) return null;
  const name = utf8(cosigner);
  return concat(
    utf8(LABEL),
    Uint8Array.of(name.length),
    name,
    uint64(time),
    Uint8Array.of(log.length),
    log,
    uint64(0n),
    uint64(size),
    root,
  );
}

function uint64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, number);
  return bytes;
}
