/** The one module that makes digests: SHA-256, hashed as in RFC 6962, section 2.1. */
import { sha256 as plainSha256 } from "../vendor/noble-hashes/sha2.js";
import { Problem } from "./errors.js";

export const DIGEST_SIZE = 32;
/** Stands for an empty subtree of the state map. */
export const ZERO = new Uint8Array(DIGEST_SIZE);

const encoder = new TextEncoder();
// A page that came by plain HTTP from another host has no `subtle`.
const subtle = globalThis.crypto?.subtle;

/** Return the SHA-256 of the parts put together. */
export async function sha256(...parts) {
  const data = concat(...parts);
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : plainSha256(data);
}

/** Return the hash of a log entry: SHA-256(0x00 || entry). */
export const leafHash = (entry) => sha256(Uint8Array.of(0), entry);

/** Return the hash of two subtrees: SHA-256(0x01 || left || right). */
export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** Read 64 lower-case hexadecimal digits; `digest_hex` for any other text. */
export function digestFromHex(text) {
  if (!isDigestHex(text)) {
    throw new Problem("digest_hex", "a digest is written as 64 lower-case hex digits");
  }
  return fromHex(text);
}

/** Tell whether a text is the one spelling of a digest. */
export const isDigestHex = (text) => isHex(text, 2 * DIGEST_SIZE);

/** Tell whether a value is a text of so many lower-case hexadecimal digits, and nothing else. */
export const isHex = (text, digits) =>
  typeof text === "string" && text.length === digits && /^[0-9a-f]*$/.test(text);

/** Return the bytes of a text that `isHex`. */
export const fromHex = (text) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Return bytes as lower-case hexadecimal digits. */
export const toHex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Return a text's bytes in UTF-8. */
export const utf8 = (text) => encoder.encode(text);

/** Tell whether two byte strings are the same. */
export const same = (one, other) =>
  one.length === other.length && one.every((byte, place) => byte === other[place]);

/** Put byte strings together. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
