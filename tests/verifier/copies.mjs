/**
 * Compare copies of logs under Node: `node copies.mjs CASES`. CASES is {logs, cases}: each case has
 * `key` (a log's), `copies` of {note, log} and `others` (logs to read the tree from). Prints one
 * outcome each: {kind, hashes} or {code, copy, evidence}.
 */
import { readFileSync } from "node:fs";

const { logs, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const page = (name) => import(`../../static/${name}.js`);
const { compareCopies } = await page("explorer/copies");
const { anchorOf, passwordAreaIn } = await page("explorer/anchors");
const { pinnedKeys } = await page("verify/keys");
const { Problem } = await page("verify/errors");
const { parseKey } = await page("verify/note");

const reader = (name) =>
  name === null
    ? null
    : async (path) => (path in logs[name] ? Uint8Array.from(Buffer.from(logs[name][path], "base64")) : null);

async function outcome({ key, copies, others, text }) {
  if (text !== undefined) {
    const area = passwordAreaIn(text);
    return { area, anchor: area && (await anchorOf(area)) };
  }
  const known = pinnedKeys([await parseKey(key)]);
  const given = copies.map(({ note, log }) => ({ note, read: reader(log) }));
  try {
    const { kind, hashes } = await compareCopies(given, known, (others ?? []).map(reader));
    return { kind, hashes };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const { code, copy, evidence } = problem;
    return { code, copy, evidence };
  }
}

for (const one of cases) console.log(JSON.stringify(await outcome(one)));
