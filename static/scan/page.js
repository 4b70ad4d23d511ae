/** The scan page checks the service's own answer: its proof, step by step, once the verdict is read. */
import { _, inOther, learn } from "../ground/words.js";
import { age } from "../verify/newest.js";
import { Problem } from "../verify/errors.js";
import { freshPage, put, watch } from "./again.js";
import { factsOf, prover, redsOf, seenBefore } from "./ask.js";
import { CHINESE } from "./chinese.js";
import { judge } from "./judge.js";
import { claimOf, readShown } from "./shown.js";
import { AS_OF, BAND, DIFFERS, IS_RED, NAMES, NOT_NOW, OTHERWISE, PROVED, SAID, SHOWN, STANDS, WHICH } from "./words.js";

const AGAIN = 1500; // milliseconds before an answer that does not fit is asked for once more
const NO_PROOF = new Set(["not_in_log", "invoice_unknown"]);
let took = 0; // milliseconds of checking, beside the page
const part = (id) => document.getElementById(id);

/** Check what stands in the page now; `last` when a second look has been taken already. */
async function check(last = false) {
  const box = part("phone");
  if (!box) return;
  const prove = prover(box.dataset);
  const claim = claimOf(location.search);
  const hash = claim?.hash ?? box.dataset.hash;
  say("checking");
  clearSteps();
  let found;
  try {
    found = await prove(hash, stepHeld);
  } catch (problem) {
    return noProof(problem, last);
  }
  took = found.took;
  const shown = named(readShown(document));
  let outcome;
  const [before, reds] = await Promise.all([seenBefore(found), redsOf(prove, shown.returns).catch(() => ({}))]);
  const facts = factsOf(found, reds, before.witnesses);
  const asked = { claim, proof: facts, seen: before };
  outcome = judge({ shown, now: Date.now() / 1000, ...asked });
  if ((outcome.kind === "differs" || outcome.kind === "late") && !last) return lookAgain(asked);
  conclude(outcome, { shown, facts, found });
}

/** A band whose words are not those of its verdict says two things: it counts as another verdict. */
function named(shown) {
  const kind = shown.style === "red" ? "red" : shown.verdict;
  const { name } = shown;
  const right = kind in NAMES && name === `${_(NAMES[kind])} ${inOther(NAMES[kind])}`;
  return right ? shown : { ...shown, style: "" };
}

/** Things may have happened between the page and the proof: the page is asked for once more. */
async function lookAgain(asked) {
  await new Promise((done) => setTimeout(done, AGAIN));
  const fresh = await freshPage().catch(() => null);
  const shown = fresh && named(readShown(fresh));
  const outcome = shown && judge({ shown, now: Date.now() / 1000, ...asked });
  if (outcome && outcome.kind !== "differs" && outcome.kind !== "late") put(fresh);
  await check(true);
}

/** No proof came, or one that does not hold. */
async function noProof(problem, last) {
  const { verdict } = readShown(document);
  if (!(problem instanceof Problem)) return say("unreached");
  if (problem.step !== null || problem.code === "other_invoice") return accuse("broken", [problem.message]);
  if (!NO_PROOF.has(problem.code)) return say("unreached", [problem.message]);
  if (verdict === "authentic") {
    if (last) return accuse("withheld", []);
    await new Promise((done) => setTimeout(done, AGAIN));
    return check(true);
  }
  say(verdict === "unknown" ? "nothing" : "waiting");
}

function conclude({ kind, differs, why }, { shown, facts, found }) {
  const when = _(AS_OF, { height: found.height, age: age(found.sealedAt, Date.now()) });
  if (kind === "differs") return accuse("differs", differs.map((name) => differenceOf(name, shown, facts)));
  if (kind === "late") return accuse("differs", [_(DIFFERS.verdict)]);
  const plain = shown.verdict === "authentic" && shown.style === "authentic";
  const said = !plain && (kind === "confirmed" || kind === "asof") ? "found" : kind;
  const stands = _(facts.red ? IS_RED : STANDS[facts.state]);
  const proved = shown.verdict === "mismatch" ? [] : [_(PROVED, facts.said), _(WHICH, facts.said), stands];
  say(said, [], [...proved, when, ...(why === null ? [] : [_(NOT_NOW[why])])]);
}

function differenceOf(name, { said }, facts) {
  const term = name in DIFFERS ? _(DIFFERS[name]) : _(OTHERWISE);
  if (!(name in facts.said) || name === "hash" || !said[name]) return term;
  return _(SHOWN, { name: term, said: said[name].join(" / "), proved: facts.said[name] });
}

/** The page's own answer is not to be relied on: the band says so, too. */
function accuse(kind, items) {
  const band = document.querySelector("[data-verdict]");
  for (const other of document.querySelectorAll(".verdict")) if (other !== band) other.remove();
  band.className = "verdict is-mismatch";
  band.querySelector("svg").replaceWith(part("phone-differs").querySelector("svg").cloneNode(true));
  const other = band.querySelector(".other");
  other.textContent = inOther(BAND.name);
  band.querySelector(".name").replaceChildren(_(BAND.name), " ", other);
  for (const paragraph of band.querySelectorAll("p:not(:first-of-type)")) paragraph.remove();
  band.querySelector("p").textContent = _(BAND.text);
  band.dataset.checked = "differs";
  say(kind, items);
}

const paragraphs = (texts, tag) =>
  texts.map((text) => Object.assign(document.createElement(tag), { textContent: text }));

function say(kind, items = [], when = []) {
  const { style, text } = SAID[kind];
  part("phone-said").className = `notice is-${style}`;
  part("phone-text").textContent = _(text);
  for (const drawn of part("phone-said").querySelectorAll("[data-for]")) {
    drawn.hidden = drawn.dataset.for !== style;
  }
  part("phone-list").replaceChildren(...paragraphs(items, "li"));
  part("phone-when").replaceChildren(...paragraphs(when, "p"));
  if (kind !== "checking") performance.mark("fapiao-checked", { detail: took }); // for `make bench`
  part("phone").dataset.kind = kind; // last: whoever waits for it finds the rest in place
}

const steps = () => [...(part("phone-steps")?.children ?? [])];

function clearSteps() {
  for (const item of steps()) item.className = "waits";
}

function stepHeld(number) {
  const item = steps()[number - 1];
  if (item) item.className = "";
}

learn(CHINESE);
if (document.querySelector("[data-verdict=pending]")) watch(check);
check();
