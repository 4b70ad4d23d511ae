/**
 * Run the page's promise check under Node: `node promise.mjs CASES.jsonl [--plain]`, each a line of
 * {key, text} or {key, base64}. Prints for each {code, said, is, saved}: `ok` and what it says, or why
 * not; whether it is a promise; and the code with which a file is refused for how it was saved.
 */
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

const [cases, plain] = process.argv.slice(2);
Object.defineProperty(globalThis, "crypto", { value: plain ? undefined : webcrypto });
const page = (name) => import(`../../static/verify/${name}.js`);
const { Problem } = await page("errors");
const { toHex } = await page("hashing");
const { parseKey } = await page("note");
const { isPromise, openPromise, refuseBent, refuseWithin } = await page("promise");

/** The code with which either look refuses a file, or "". */
function saved(data) {
  try {
    refuseBent(data);
    refuseWithin(data);
    return "";
  } catch (problem) {
    return problem.code;
  }
}

async function check({ key, text, base64 }) {
  const data = Uint8Array.from(Buffer.from(text ?? base64, text === undefined ? "base64" : "utf8"));
  try {
    const said = await openPromise(data, [await parseKey(key)]);
    const shown = { ...said, anchor: toHex(said.anchor) };
    return { code: "ok", said: shown, is: isPromise(data), saved: saved(data) };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { code: problem.code, said: null, is: isPromise(data), saved: saved(data) };
  }
}

for (const line of readFileSync(cases, "utf8").trimEnd().split("\n")) {
  console.log(JSON.stringify(await check(JSON.parse(line))));
}
