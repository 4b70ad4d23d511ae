/** From a document's groups to its password area and its anchor (format version 1). */
import { Problem } from "./errors.js";
import { fromHex, isDigestHex, sha256, toHex, utf8 } from "./hashing.js";

/** The groups of a document, in the order in which they are hashed. */
export const GROUPS = ["face", "buyer", "lines"];
export const SALT_SIZE = 16;

/** Return the commitment to one group. */
export const groupDigest = (group, salt, canonicalBytes) =>
  sha256(utf8(`fapiao/v1/${group}\n`), salt, canonicalBytes);

/** Return the digest of the whole document from those of its three groups. */
export const documentDigest = (face, buyer, lines) =>
  sha256(utf8("fapiao/v1/invoice\n"), face, buyer, lines);

/** Return what stands in the log for a document. */
export const anchor = (digest) => sha256(utf8("fapiao/v1/anchor\n"), digest);

/** Return the commitment to an act's document. */
export const actDigest = (salt, canonicalBytes) =>
  sha256(utf8("fapiao/v1/act\n"), salt, canonicalBytes);

/** Write a document's digest as the 66 characters of its password area. */
export const passwordArea = (digest) => `01${toHex(digest)}`;

/** Read a password area; `password_area` unless spelled exactly as written. */
export function parsePasswordArea(text) {
  if (!text.startsWith("01") || !isDigestHex(text.slice(2))) {
    throw new Problem(
      "password_area",
      'a password area is "01" and 64 lower-case hexadecimal digits',
    );
  }
  return fromHex(text.slice(2));
}
