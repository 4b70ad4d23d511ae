/**
 * Run what the page remembers with under Node: `node seen.mjs VECTORS [--plain]`, where VECTORS is
 * as tests/vectors/memory.json. Prints {consistency: [code…], memory: [outcome…]}, one each.
 */
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

const [vectors, plain] = process.argv.slice(2);
Object.defineProperty(globalThis, "crypto", { value: plain ? undefined : webcrypto });
const page = (name) => import(`../../static/verify/${name}.js`);
const { openCheckpoint } = await page("checkpoint");
const { Problem } = await page("errors");
const { fromHex } = await page("hashing");
const { pinnedKeys } = await page("keys");
const { holdAgainst, Memory } = await page("memory");
const { verifyConsistency } = await page("merkle");
const { parseKey } = await page("note");

const TIME = "2026-11-21T04:00:00Z";
const { consistency, memory, logs } = JSON.parse(readFileSync(vectors, "utf8"));

class Storage {
  setItem(name, value) {
    this[name] = value;
  }
  getItem(name) {
    return Object.hasOwn(this, name) ? this[name] : null;
  }
}

const reader = (files) => async (path) =>
  path in files ? Uint8Array.from(Buffer.from(files[path], "base64")) : null;

async function code(check) {
  try {
    return { code: "ok", ...(await check()) };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const { code, evidence } = problem;
    return evidence === undefined ? { code } : { code, evidence };
  }
}

async function consistent({ old, old_root, new: size, new_root, path }) {
  const sizes = [BigInt(old), BigInt(size)];
  const hashes = path.map(fromHex);
  await verifyConsistency(sizes[0], fromHex(old_root), sizes[1], fromHex(new_root), hashes);
}

async function held({ keys, seen, note, log }) {
  const known = pinnedKeys(await Promise.all(keys.map(parseKey)));
  const kept = new Memory(new Storage());
  for (const one of seen) kept.keep(await opened(one, null));
  const read = log === null ? null : reader(logs[log]);
  const found = await holdAgainst(kept, await opened(note, known), known, read);
  const { largest, others, compared, why } = found;
  const notes = kept.read(known.origin).map((one) => one.note);
  const size = largest === null ? null : Number(largest);
  return { largest: size, others, compared, why: why.split(":")[0], notes };
}

async function opened(note, known) {
  const origin = note.split("\n", 1)[0];
  const checkpoint = known === null ? { origin } : await openCheckpoint(note, known);
  return { checkpoint, note, time: TIME };
}

const answer = { consistency: [], memory: [] };
for (const one of consistency) answer.consistency.push((await code(() => consistent(one))).code);
for (const one of memory) answer.memory.push(await code(() => held(one)));
console.log(JSON.stringify(answer));
