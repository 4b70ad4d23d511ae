/**
 * What a phone makes of an answer and its proof. Nothing here asks anybody: what was shown, what the
 * code said, what was proved and what this phone saw before come in, one outcome goes out. The same
 * cases are judged in Python (tests/vectors/answers.json).
 */

import { yuan } from "../verify/words.js";

/** How old what a log or a witness signed may be, to be called "now": seconds. */
export const FRESH = 600;

/** How long a red invoice may be on its way into the log: seconds. */
export const UNDER_WAY = 900;

const NEEDED = ["total", "amount", "tax", "seller", "number", "issued_at"];
const FACED = new Set(["authentic", "reversed", "partly_reversed", "pending"]);

/**
 * `shown` is what shown.js reads of the page; `claim` what the address says (null: unreadable);
 * `proof` {hash, said: {name: text}, number, total, amount, red, state, size, times, strange, sealed,
 * reds}, of whose `reds` {hash: {said, total, reverses}} are the proved red invoices that the page
 * names, and `strange` times of witnesses that this phone does not know;
 * `seen` {forked, largest, others, damaged, compared, elsewhere}; `now` and times in seconds.
 *
 * Returns {kind, differs: [name…], why}: `differs` (the answer does not fit its proof), `late` (it
 * says "pending" of what is in the log), `ahead` (it says "reversed", which the log does not yet),
 * `confirmed` (fits, as of now), `asof` (fits, as of some time ago: `why` it is not "now").
 */
export function judge({ shown, claim, proof, seen, now }) {
  const differs = [
    ...claimDiffers(shown, claim, proof),
    ...faceDiffers(shown, proof),
    ...verdictDiffers(shown, claim, proof),
    ...redDiffers(shown, proof),
    ...historyDiffers(proof, seen),
  ];
  if (differs.length) return { kind: "differs", differs: [...new Set(differs)], why: null };
  if (shown.verdict === "pending") return { kind: "late", differs, why: null };
  if (isAhead(shown, proof)) return { kind: "ahead", differs, why: null };
  const why = notNow(claim, proof, seen, now);
  return { kind: why === null ? "confirmed" : "asof", differs, why };
}

/** The code's own words against the proof; a page that says "does not match" has them differ. */
function claimDiffers(shown, claim, proof) {
  if (claim === null) return [];
  if (claim.hash !== proof.hash) return ["hash"];
  return shown.verdict === "mismatch" || agrees(claim, proof) ? [] : ["claim"];
}

const agrees = (claim, proof) =>
  ["number", "total", "amount"].every((name) => claim[name] === null || claim[name] === proof[name]);

function faceDiffers(shown, proof) {
  const names = Object.keys(shown.said);
  const wrong = names.filter((name) => name !== "left").filter((name) => shown.said[name].some((text) => text !== proof.said[name]));
  const missing = FACED.has(shown.verdict) ? NEEDED.filter((name) => !names.includes(name)) : [];
  return [...wrong, ...missing, ...(FACED.has(shown.verdict) ? strayOf(shown, proof) : [])];
}

/** Sums that the page shows as no fact that could be held against anything. */
function strayOf({ sums }, { said }) {
  const proved = Object.values(said).join(" ");
  return sums.every((sum) => proved.split(/[ ·/]+/).includes(sum)) ? [] : ["sums"];
}

/** What the state map says against the verdict, and the band's colour against both. */
function verdictDiffers(shown, claim, proof) {
  const { verdict } = shown;
  const isKnown = FACED.has(verdict) || verdict === "mismatch"; // "unknown" is not: it is proved
  if (!isKnown || shown.style !== styleOf(verdict, proof)) return ["verdict"];
  if (verdict === "mismatch") return claim !== null && agrees(claim, proof) ? ["verdict"] : [];
  const rank = { none: 0, part: 1, full: 2 };
  const said = { reversed: 2, partly_reversed: 1 }[verdict] ?? 0;
  if (said < rank[proof.state]) return ["state"];
  if (said > rank[proof.state]) return isUnderWay(shown, proof) ? [] : ["state"];
  return [];
}

const styleOf = (verdict, { red }) =>
  red && (verdict === "authentic" || verdict === "pending") ? "red" : verdict;

const isAhead = (shown, { state }) =>
  (shown.verdict === "reversed" && state !== "full") ||
  (shown.verdict === "partly_reversed" && state === "none");

/** Whether the newest red invoice is so new that the log need not know of it. */
function isUnderWay({ returns }, { sealed }) {
  const newest = Math.max(...returns.map(({ at }) => Date.parse(at) / 1000));
  return returns.length > 0 && newest > sealed - UNDER_WAY;
}

/** What the page says of its red invoices against their own proofs, and of what they leave. */
function redDiffers({ said, returns }, { hash, total, reds }) {
  const known = returns.filter((one) => Object.hasOwn(reds, one.hash));
  const wrong = known.filter((one) => reds[one.hash].reverses !== hash || reds[one.hash].said !== one.said);
  if (wrong.length) return ["returns"];
  if (!Object.hasOwn(said, "left") || known.length < returns.length) return [];
  const left = known.reduce((sum, one) => sum + reds[one.hash].total, total);
  return said.left.every((text) => text === yuan(left)) ? [] : ["left"];
}

function historyDiffers(proof, seen) {
  if (seen.forked) return ["history"];
  return seen.largest !== null && seen.largest > proof.size ? ["older"] : [];
}

/** Why it is not known to be so now: null where it is. */
function notNow(claim, proof, seen, now) {
  if (claim === null) return "unread";
  if (seen.elsewhere) return "other_log";
  if (seen.others) return "other_key";
  if (seen.damaged) return "damaged";
  if (seen.largest !== null && seen.largest < proof.size && !seen.compared) return "not_compared";
  const isNow = (time) => Math.abs(now - time) <= FRESH;
  if (proof.times.some(isNow)) return null;
  if (proof.strange.some(isNow)) return "stranger";
  return proof.times.every((time) => now - time < -FRESH) ? "clock" : "old";
}
