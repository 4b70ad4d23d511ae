/**
 * Run the page's verifier on proof cases under Node: `node run.mjs [--plain] CASES.jsonl...`.
 *
 * Prints one JSON line a case: {name, code, step, evidence}. `--plain` takes WebCrypto away
 * first, so that the vendored libraries do the work.
 */
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

const [first, ...rest] = process.argv.slice(2);
const plain = first === "--plain";
const files = plain ? rest : [first, ...rest];
Object.defineProperty(globalThis, "crypto", { value: plain ? undefined : webcrypto });
const { check } = await import("./check.mjs");

for (const file of files) {
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    console.log(JSON.stringify(await check(JSON.parse(line))));
  }
}
