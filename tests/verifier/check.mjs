/** One proof case through the page's verifier, under Node or in a browser. */
import { isActProof, verifyActProof } from "../../static/verify/act.js";
import { Problem } from "../../static/verify/errors.js";
import { parsePolicy } from "../../static/verify/policy.js";
import { verifyProof } from "../../static/verify/verify.js";

/** Return {name, code, step, evidence} of a case; whatever is no Problem is a crash. */
export async function check(row) {
  try {
    const policy = row.policy === undefined ? undefined : await parsePolicy(row.policy);
    const data = bytesOf(row);
    if (isActProof(data)) {
      const act = await verifyActProof(data, row.key, undefined, row.statements, policy);
      return { name: row.name, code: "ok", step: null, evidence: actWire(act) };
    }
    const found = await verifyProof(data, row.key, undefined, row.statements, policy);
    const evidence = wire(found);
    if (policy) evidence.witnesses = found.witnesses;
    return { name: row.name, code: "ok", step: null, evidence };
  } catch (problem) {
    if (!(problem instanceof Problem)) {
      return { name: row.name, code: `crash: ${problem?.stack ?? problem}`, step: null };
    }
    return { name: row.name, code: problem.code, step: problem.step };
  }
}

function bytesOf({ file, base64, spaces = 0, stretch = 1 }) {
  const data =
    file === undefined
      ? Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
      : new TextEncoder().encode(file.replace("~", "~".repeat(stretch)));
  const padded = new Uint8Array(data.length + spaces).fill(0x20);
  padded.set(data);
  return padded;
}

const actWire = (found) => ({
  act: found.act,
  origin: found.origin,
  size: String(found.size),
  index: Number(found.index),
  height: found.height,
  sealed_at: found.sealedAt,
});

/** The evidence in the words of the case files. */
const wire = (found) => ({
  hash: found.hash,
  anchor: found.anchor,
  origin: found.origin,
  size: String(found.size),
  index: Number(found.index),
  height: found.height,
  sealed_at: found.sealedAt,
  state: found.state,
  reverses: found.reverses,
  reversal: found.reversal,
  shown: Object.keys(found.shown).sort(),
  hidden: [...found.hidden].sort(),
});
