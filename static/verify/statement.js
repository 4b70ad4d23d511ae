/** What a log says of its keys, signed by them; as chain/signing/statement.py, with the same codes. */
import { fromBase64, toBase64 } from "./base64.js";
import { Problem } from "./errors.js";
import { DIGEST_SIZE, same, utf8 } from "./hashing.js";
import { logKeys, nameOf, pinnedKeys, signs } from "./keys.js";
import { MAX_SIZE } from "./merkle.js";
import { keyText, openNote, parseKey, parseNote } from "./note.js";
import { checkWalletKey } from "./wallet.js";

const MAX_STATEMENT = 1 << 16; // bytes
const NAME = "/keys";
const PROMISE = "/promise";
const OTHERS = ["promise ", "wallet ", "wallet-revoked "];

/**
 * Return what is known of a log's keys, from those that are `pinned` and the texts of statements.
 *
 * 1. all are of one log, and each statement's number is above that of the one before;
 * 2. those before the first that a pinned key signed are passed over; there is such a one;
 * 3. from there on, a key signed each that signed by what the one before says (at first, a
 *    pinned one), every key signed that it says signs now, and no signature is wrong;
 * 4. it says no less than the one before: every key still stands there, and what was retired
 *    or revoked is still so, a retired one at the same checkpoint or revoked.
 */
export async function follow(pinned, notes) {
  let known = pinnedKeys(pinned);
  let begun = false;
  let before = 0;
  for (const note of notes) {
    const { number, keys } = await parseStatement(note);
    if (keys.origin !== known.origin) {
      throw new Problem("origin_mismatch", "the key statement is of another log");
    }
    if (number <= before) {
      throw new Problem("statement_order", `statement ${number} comes after ${before}`);
    }
    before = number;
    const signed = await signersOf(note, known, keys);
    if (!signing(known).some((text) => signed.has(text))) {
      if (begun) throw untrusted();
      continue; // from before the keys that are pinned
    }
    if (!signing(keys).every((text) => signed.has(text))) {
      throw new Problem(
        "statement_unsigned",
        "a key that is said to sign now did not sign the statement",
      );
    }
    checkKeeps(known, keys);
    known = keys;
    begun = true;
  }
  if (notes.length && !begun) throw untrusted();
  return known;
}

/** Read a statement without believing it; only its one spelling is read. */
async function parseStatement(note) {
  if (utf8(note).length > MAX_STATEMENT) throw malformed("it is too long");
  const { text } = parseNote(note);
  const [head, number, ...lines] = text.slice(0, -1).split("\n");
  if (!head.endsWith(NAME) || !/^[1-9][0-9]{0,8}$/.test(number ?? "")) {
    throw malformed("it does not begin with the log's name and a number");
  }
  const keys = await readKeys(head.slice(0, -NAME.length), lines);
  if (textOf(Number(number), keys) !== text) throw malformed("its lines stand in another order");
  return { number: Number(number), keys };
}

async function readKeys(origin, lines) {
  const [promises, wallet, stolen] = OTHERS.map((start) => after(start, lines));
  const [promise, keys] = [[], []];
  for (const text of promises) promise.push(await readPromise(origin, text));
  for (const text of [...wallet, ...stolen]) await checkWalletKey(origin, text);
  for (const line of lines.filter((one) => !OTHERS.some((start) => one.startsWith(start)))) {
    keys.push(await readLogKey(line));
  }
  const rank = ({ last, revoked }) => (revoked ? 2 : last === null ? 0 : 1);
  keys.sort((one, other) => rank(one) - rank(other));
  if (!promise.length || !keys.some(signs)) {
    throw malformed("it names no key that signs now, or none for promises");
  }
  const rest = [...promise.map(keyText), ...wallet, ...stolen];
  const twice = new Set(rest).size !== rest.length;
  if (twice || keys.some(({ key }) => key.name !== origin)) {
    throw malformed("a key stands twice, or is of another log");
  }
  return logKeys(origin, keys, promise, { wallet, stolen });
}

const after = (start, lines) =>
  lines.filter((one) => one.startsWith(start)).map((one) => one.slice(start.length));

async function readPromise(origin, text) {
  const key = await parseKey(text);
  if (key.name !== origin + PROMISE) throw malformed("a promise key has another name");
  return key;
}

async function readLogKey(line) {
  const [kind, text, ...rest] = line.split(" ");
  if (kind === "log" && text !== undefined && !rest.length) {
    return { key: await parseKey(text), last: null, revoked: false };
  }
  if (kind === "revoked" && text !== undefined && !rest.length) {
    return { key: await parseKey(text), last: null, revoked: true };
  }
  if (kind === "retired" && rest.length === 2 && isSize(rest[0])) {
    const key = await parseKey(text);
    const root = fromBase64(rest[1]);
    if (root?.length !== DIGEST_SIZE) throw malformed("a retired key's root is no digest");
    return { key, last: { size: BigInt(rest[0]), root }, revoked: false };
  }
  throw malformed("a line is none of its six kinds");
}

const isSize = (text) => /^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) <= MAX_SIZE;

function textOf(number, { origin, keys, promise, wallets }) {
  const lines = [origin + NAME, number, ...keys.map(lineOf)];
  lines.push(...promise.map((key) => `promise ${keyText(key)}`));
  lines.push(...wallets.wallet.map((text) => `wallet ${text}`));
  lines.push(...wallets.stolen.map((text) => `wallet-revoked ${text}`));
  return lines.map((line) => `${line}\n`).join("");
}

function lineOf({ key, last, revoked }) {
  if (revoked) return `revoked ${keyText(key)}`;
  if (last === null) return `log ${keyText(key)}`;
  return `retired ${keyText(key)} ${last.size} ${toBase64(last.root)}`;
}

/** The texts of those keys, of the one before or of the new one, that signed. */
async function signersOf(note, known, said) {
  const all = new Map([...known.keys, ...said.keys].map(({ key }) => [nameOf(key), key]));
  try {
    const { signers } = await openNote(note, [...all.values()]);
    return new Set(signers.map(keyText));
  } catch (problem) {
    if (problem.code !== "signature_missing") throw problem;
    return new Set();
  }
}

const signing = ({ keys }) => keys.filter(signs).map(({ key }) => keyText(key));

/** Check that nothing is forgotten and nobody comes back. */
function checkKeeps(before, after) {
  const now = new Map(after.keys.map((one) => [keyText(one.key), one]));
  for (const one of before.keys) {
    const stands = now.get(keyText(one.key));
    if (!stands || !(stands.revoked || signs(one) || isSame(stands, one))) throw contradicts();
  }
  const promised = new Set(after.promise.map(keyText));
  if (!before.promise.every((key) => promised.has(keyText(key)))) throw contradicts();
  const stolen = new Set(after.wallets.stolen);
  const named = new Set([...after.wallets.wallet, ...stolen]);
  if (!before.wallets.wallet.every((text) => named.has(text))) throw contradicts();
  if (!before.wallets.stolen.every((text) => stolen.has(text))) throw contradicts();
}

/** Whether the same is said of a key that was retired. */
const isSame = ({ last }, before) =>
  last !== null &&
  before.last !== null &&
  last.size === before.last.size &&
  same(last.root, before.last.root);

const malformed = (why) =>
  new Problem("key_statement", `this is not a statement of a log's keys: ${why}`);

const untrusted = () =>
  new Problem(
    "statement_untrusted",
    "no key that is trusted signed the statement of the log's keys",
  );

const contradicts = () =>
  new Problem("statement_contradicts", "the statement forgets a key, or brings one back");
