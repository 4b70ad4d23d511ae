/** Promises that a document will be in the log by a certain time; as chain/proof/promise.py. */
import { fromBase64 } from "./base64.js";
import { anchor, parsePasswordArea, SALT_SIZE } from "./commitment.js";
import { isTime } from "./entry.js";
import { Problem } from "./errors.js";
import { concat, DIGEST_SIZE, leafHash, utf8 } from "./hashing.js";
import { verifyInclusion } from "./merkle.js";
import { openNote, parseKey } from "./note.js";
import { follow } from "./statement.js";

const HEADER = "fapiao/promise@v2\n";
const MAX_PATH = 63;
const HEAD_LINES = 4; // header, hash, index, blinder
const NUMBER = /^(0|[1-9][0-9]{0,18})$/;
const NAME = "/promise";
const BEGINNING = /^(fapiao\/promise@|[^\n]*\/promise\n)/;
const JSON_BEGINS = /^(\xef\xbb\xbf|\ufeff)?[ \t\n\v\f\r]*[{["]/;
const WITHIN = /"(?:fapiao\\?\/promise@[^"]{1,9}|[^"\n]{1,300}?\\?\/promise)\\n/;
const AROUND = "\xef\xbb\xbf\ufeff \t\r\n\"";

/** Codes of a promise that can be read and does not hold. */
const REFUTED = ["signature", "signature_missing", "promise_of_another", "root_mismatch"];
REFUTED.push("path_length", "index_outside");

/** Whether a Problem of `openPromise` says that the promise is false, not that it is unreadable. */
export const isRefuted = ({ code }) => REFUTED.includes(code);

/**
 * The promise keys of a log: the one that is given, or those that `statements` name for the log's
 * own key that is given. Throws as parseKey and follow, and `promise_key_missing`.
 */
export async function promiseKeys(text, statements) {
  const key = await parseKey(text);
  if (key.name.endsWith(NAME)) return [key];
  const { promise } = await follow([key], statements);
  if (promise.length) return promise;
  throw new Problem("promise_key_missing", "nothing says which key signs this log's promises");
}

/** Tell a promise, good or not, from other files. */
export const isPromise = (data) => BEGINNING.test(asciiOf(data));

/** Refuse, by name and with `how`, a promise that was not saved as it was given. */
export function refuseBent(data) {
  const lines = trim(textOf(data)).replaceAll("\r", "").split("\n");
  const plain = `${lines.map((line) => line.replace(/[ \t\v\f]+$/, "")).join("\n")}\n`;
  if (BEGINNING.test(plain) && plain !== asciiOf(data)) {
    const why = "it seems to be one, but with a blank, a mark or line ends that were not there";
    throw Object.assign(malformed(why), { how: "bent" });
  }
}

/** Refuse, by name and with `how`, JSON of no other meaning here with a promise in it. */
export function refuseWithin(data) {
  const text = textOf(data);
  if (JSON_BEGINS.test(text) && WITHIN.test(text)) {
    const why = "one stands within this JSON: save the text of its `promise` alone";
    throw Object.assign(malformed(why), { how: "within" });
  }
}

/**
 * Return what was promised of one document, {version, origin, hash, anchor, given, deadline}, or
 * throw a Problem. `keys` are the promise keys of one log.
 *
 * 1. a promise key, named after its log, signed the note;
 * 2. (version 2) the path leads from the leaf of this document and its blinder to the root;
 * 3. the deadline is not before the time of issue.
 */
export async function openPromise(data, keys) {
  const isPlaced = asciiOf(data).startsWith(HEADER);
  const promise = await (isPlaced ? openPlaced(parse(data), keys) : openAlone(data, keys));
  if (promise.deadline < promise.given) {
    throw malformed("the deadline is before the time of issue");
  }
  return promise;
}

/** Version 1. */
async function openAlone(data, keys) {
  const { origin, lines } = await openLines(data, keys);
  if (lines.length !== 3) throw malformed("a promise of version 1 has four lines");
  const [hash, given, deadline] = lines;
  const document = parsePasswordArea(hash);
  checkTimes(given, deadline);
  return { version: 1, origin, hash, anchor: await anchor(document), given, deadline };
}

/** Version 2. */
async function openPlaced({ hash, index, blinder, path, note }, keys) {
  const { origin, lines } = await openLines(note, keys);
  if (lines.length !== 5 || lines[0] !== "v2") throw malformed("the note is not that of a group");
  const [, count, root, given, deadline] = lines;
  if (!NUMBER.test(count)) throw malformed("the number of leaves is not a number");
  const top = digestOf(root);
  checkTimes(given, deadline);
  const document = parsePasswordArea(hash);
  if (blinder.length !== SALT_SIZE) throw malformed(`a blinder has ${SALT_SIZE} bytes`);
  const leaf = await leafHash(concat(utf8("fapiao/v1/promise\n"), blinder, document));
  await verifyInclusion(leaf, index, BigInt(count), path, top);
  return { version: 2, origin, hash, anchor: await anchor(document), given, deadline };
}

/** The log's name, and the lines below it, of a note that one of the keys signed. */
async function openLines(note, keys) {
  const { text, signers } = await openNote(decode(note), keys);
  const [name, ...lines] = text.slice(0, -1).split("\n");
  if (name !== signers[0].name || !name.endsWith(NAME)) {
    throw new Problem("promise_of_another", "the promise is of another log than the key");
  }
  return { origin: name.slice(0, -NAME.length), lines };
}

/** Take a promise of version 2 apart without believing it; only one spelling is read. */
function parse(data) {
  const text = asciiOf(data);
  const gap = text.indexOf("\n\n");
  const head = gap < 0 ? text : text.slice(0, gap);
  if (/[^\x00-\x7f]/.test(head)) throw malformed("its first lines are not ASCII");
  const lines = head.split("\n");
  if (lines.length < HEAD_LINES || lines.length > HEAD_LINES + MAX_PATH) {
    throw malformed("it lacks a line, or its path is too long");
  }
  const [hash, index, blinder] = ["hash", "index", "blinder"].map((name, place) => {
    const line = lines[place + 1];
    if (!line.startsWith(`${name} `)) throw malformed(`it has no line with its ${name}`);
    return line.slice(name.length + 1);
  });
  if (!NUMBER.test(index)) throw malformed("its index is not a number");
  const path = lines.slice(HEAD_LINES).map(digestOf);
  const note = gap < 0 ? new Uint8Array() : data.subarray(gap + 2);
  return { hash, index: BigInt(index), blinder: bytesOf(blinder), path, note };
}

function checkTimes(...times) {
  if (!times.every(isTime)) {
    throw new Problem("time_malformed", "a time is written YYYY-MM-DDTHH:MM:SSZ");
  }
}

function digestOf(text) {
  const bytes = bytesOf(text);
  if (bytes.length !== DIGEST_SIZE) throw malformed("a hash has another length");
  return bytes;
}

function bytesOf(text) {
  const bytes = fromBase64(text);
  if (bytes === null) throw malformed("a line is not spelled in base64");
  return bytes;
}

/** A character for each byte; only those of ASCII are themselves. */
const asciiOf = (data) => new TextDecoder("latin1").decode(data);

/** The same, but of what Windows writes as "Unicode" its text. */
function textOf(data) {
  const coding = { "255,254": "utf-16le", "254,255": "utf-16be" }[data.subarray(0, 2).join()];
  return coding ? new TextDecoder(coding).decode(data) : asciiOf(data);
}

/** Without what stands around a text that was copied. */
function trim(text) {
  let [first, end] = [0, text.length];
  while (first < end && AROUND.includes(text[first])) first += 1;
  while (first < end && AROUND.includes(text[end - 1])) end -= 1;
  return text.slice(first, end);
}

function decode(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Problem("note", "this is not a signed note: it is not UTF-8");
  }
}

const malformed = (why) => new Problem("promise_malformed", `this is not a promise: ${why}`);
