/**
 * Ed25519 (RFC 8032) in its strictest reading, whoever calculates.
 *
 * A signature holds when S < L, A and R are spelled canonically, A has the group's prime order,
 * and [S]B = R + [k]A exactly, without the cofactor. WebCrypto checks just that for such an A;
 * the library multiplies both sides by 8, so there R must lie in the same group too.
 */
import { hashes, Point, verify } from "../vendor/noble-ed25519/index.js";
import { sha512 } from "../vendor/noble-hashes/sha2.js";

hashes.sha512 = sha512;

const subtle = globalThis.crypto?.subtle;

/** Return the point that 32 bytes spell, or null. */
export function readPoint(bytes) {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return null;
  }
}

/** Tell whether a point is none of low or mixed order: then one signature fits one text. */
export const isStrong = (point) => !point.is0() && point.isTorsionFree();

/** Tell whether `signature` (64 bytes) of `message` is by `key`, which `isStrong`. */
export async function isSigned(key, message, signature) {
  if (signature.length !== 64) return false;
  const native = await importKey(key);
  return native
    ? subtle.verify({ name: "Ed25519" }, native, signature, message)
    : isSignedPlainly(key, message, signature);
}

/** The same without WebCrypto. */
export function isSignedPlainly(key, message, signature) {
  if (signature.length !== 64) return false;
  const point = readPoint(signature.subarray(0, 32));
  return (
    point !== null &&
    point.isTorsionFree() &&
    verify(signature, message, key, { zip215: false })
  );
}

async function importKey(key) {
  try {
    return await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null; // no WebCrypto, or one without Ed25519
  }
}
