/** Text signed by one or more keys: C2SP signed-note, with Ed25519 and ML-DSA-44. */
import { fromBase64, toBase64 } from "./base64.js";
import { isSigned, isStrong, readPoint } from "./ed25519.js";
import { Problem } from "./errors.js";
import { fromHex, isHex, same, sha256, toHex, utf8 } from "./hashing.js";

/** Type of the keys that sign logs, as against witnesses' keys. */
export const ED25519 = 1;

/** Type of a witness's key: it says who has seen a log, not whose it is. */
export const COSIGNATURE_V1 = 4;

/** Type of a witness's ML-DSA-44 key. */
export const ML_DSA_44 = 6;

/** Bytes of a cosigner's or a log's name under such a key, at most. */
export const MAX_NAME = 255;

const ML_DSA_KEY_SIZE = 1312;
const KEY_SIZE = 32;
const TIME_SIZE = 8;
const MAX_TIME = 2n ** 63n - 1n;
const KEY_ID_SIZE = 4;
const MAX_SIGNATURES = 100;
const MAX_NOTE_SIZE = 1_000_000; // bytes
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
// What Unicode calls white space; JavaScript's \s has one more and lacks one.
const NOT_IN_NAME =
  /[+\x00-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]/;

/** Read a verifier key `name+<8 hex key id>+base64(type || public key)`. */
export async function parseKey(text) {
  const [name, keyId, raw] = splitKey(text);
  const key = { name, kind: raw[0], bytes: raw.subarray(1), id: null };
  checkName(name);
  if (!isKnown(key)) throw new Problem("key_type", "this type of key is not known here");
  if (key.kind === ML_DSA_44) checkMlDsa(key);
  else checkPoint(key.bytes);
  key.id = (await sha256(utf8(name), utf8("\n"), raw)).subarray(0, KEY_ID_SIZE);
  if (toHex(key.id) !== keyId) {
    throw new Problem("key_id", "the key id does not belong to this name and key");
  }
  return key;
}

/** Read a key of any type: of one that is not known here, which `isKnown` tells, the spelling. */
export async function parseAnyKey(text) {
  const [name, keyId, raw] = splitKey(text);
  const key = { name, kind: raw[0], bytes: raw.subarray(1), id: null };
  if (isKnown(key)) return parseKey(text);
  checkName(name);
  if (!isHex(keyId, 2 * KEY_ID_SIZE) || raw.length === 1) throw badKeyText();
  return { ...key, id: fromHex(keyId) };
}

/** Whether what a key signs can be checked here. */
export const isKnown = ({ kind }) => [ED25519, COSIGNATURE_V1, ML_DSA_44].includes(kind);

function splitKey(text) {
  const [name, keyId, ...rest] = text.split("+");
  const raw = rest.length ? fromBase64(rest.join("+")) : null;
  if (!raw?.length) throw badKeyText();
  return [name, keyId, raw];
}

function checkName(name) {
  if (!isKeyName(name)) {
    throw new Problem("key_text", "a key's name has no spaces, control characters or plus");
  }
}

function checkMlDsa({ name, bytes }) {
  if (utf8(name).length > MAX_NAME || bytes.length !== ML_DSA_KEY_SIZE) {
    throw new Problem("key_text", "an ML-DSA-44 key has 1312 bytes, its name at most 255");
  }
}

const badKeyText = () =>
  new Problem("key_text", "a key is written name+id+base64 of its type and itself");

/** Return a key as `parseKey` reads it. */
export const keyText = ({ name, kind, bytes, id }) =>
  `${name}+${toHex(id)}+${toBase64(Uint8Array.of(kind, ...bytes))}`;

/** Return a note's {text, signers}: those of `keys` that signed. All their signatures must hold. */
export async function openNote(content, keys) {
  const { text, signatures } = parseNote(content);
  checkApart(keys);
  const signers = new Set();
  for (const { name, id, payload } of signatures) {
    const key = keys.find((one) => one.name === name && same(one.id, id));
    if (!key) continue;
    if (!(await holds(key, text, payload))) {
      throw new Problem("signature", `the signature by ${name} fails`);
    }
    signers.add(key);
  }
  if (signers.size === 0) {
    throw new Problem("signature_missing", "none of the keys asked for signed this note");
  }
  return { text, signers: [...signers] };
}

/** A note names keys by name and id: two that share both cannot be told apart. */
function checkApart(keys) {
  for (const [place, one] of keys.entries()) {
    const twin = keys.slice(0, place).find((other) => isNamedAs(one, other));
    if (twin && !(twin.kind === one.kind && same(twin.bytes, one.bytes))) {
      throw new Problem("key_ambiguous", "two different keys have the same name and id");
    }
  }
}

/** Whether a note cannot tell two keys apart. */
export const isNamedAs = (one, other) => one.name === other.name && same(one.id, other.id);

/** Tell whether one signature holds; a witness's has the time before it, and signs that too. */
async function holds(key, text, payload) {
  const { kind, bytes } = key;
  if (kind === ED25519) return isSigned(bytes, utf8(text), payload);
  if (payload.length < TIME_SIZE) return false;
  const view = new DataView(payload.buffer, payload.byteOffset, TIME_SIZE);
  const time = view.getBigUint64(0);
  if (time > MAX_TIME) return false;
  const raw = payload.subarray(TIME_SIZE);
  if (kind === ML_DSA_44) {
    // Two fifths of all modules, for keys that few witnesses have.
    const { isCosigned } = await import("./subtree.js");
    return isCosigned(key, time, text, raw);
  }
  return isSigned(bytes, utf8(`cosignature/v1\ntime ${time}\n${text}`), raw);
}

/** Tell whether a key, and so a log, can have this name. */
export const isKeyName = (name) => name !== "" && !NOT_IN_NAME.test(wellFormed(name));

/** Take a note apart without believing it; `note` for any other spelling. */
export function parseNote(content) {
  if (utf8(content).length > MAX_NOTE_SIZE) throw malformed("it is too long");
  const gap = content.lastIndexOf("\n\n");
  if (gap < 0 || !content.slice(gap + 2).endsWith("\n")) {
    throw malformed("it has no empty line followed by signature lines");
  }
  const text = content.slice(0, gap + 1);
  if (CONTROL.test(text)) throw malformed("it has a control character");
  const lines = content.slice(gap + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed("it has too many signatures");
  return { text, signatures: lines.map(parseLine) };
}

function parseLine(line) {
  const [, name, encoded] = line.match(/^\u2014 ([^ ]*) (.*)$/s) ?? [];
  if (name === undefined || !isKeyName(name)) {
    throw malformed("a line below the text is not a signature");
  }
  const raw = fromBase64(encoded);
  if (!raw || raw.length <= KEY_ID_SIZE) throw malformed("a signature is not spelled in base64");
  return { name, id: raw.subarray(0, KEY_ID_SIZE), payload: raw.subarray(KEY_ID_SIZE) };
}

function checkPoint(bytes) {
  if (bytes.length !== KEY_SIZE) throw new Problem("key_text", "a key has 32 bytes");
  const point = readPoint(bytes);
  if (!point) throw new Problem("key_text", "the public key is not a point of the curve");
  if (!isStrong(point)) {
    throw new Problem("key_weak", "the public key has low order: anybody can sign for it");
  }
}

// A whole surrogate pair is one character, and is allowed; a half is none.
const wellFormed = (text) => text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "x");

const malformed = (why) => new Problem("note", `this is not a signed note: ${why}`);
