/** The page /verify/file: a file comes in, verify.js says what it proves, the page shows it. */
import { _, inOther, joined } from "../ground/words.js";
import { isActProof, verifyActProof } from "./act.js";
import { fromBase64 } from "./base64.js";
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { age, AS_OF, fetchProof, logReader } from "./newest.js";
import { parsePolicy } from "./policy.js";
import { MAX_PROOF_BYTES } from "./proof.js";
import { isPromise, isRefuted, openPromise, promiseKeys, refuseBent, refuseWithin } from "./promise.js";
import { askToSend, askToSendReceipt, isPdf, isPicture, isReceipt, textsIn, verdictPage } from "../check/paper.js";
import { hold, kindOf, memory, wordsOf } from "./seen.js";
// note.js asks for it when it is needed, which may be without a network.
import "./subtree.js";
import { STEPS, verifyProof } from "./verify.js";
import {
  ACT_FIELDS,
  ACT_WORDS,
  FACE_FIELDS,
  NATURES,
  NOBODY,
  NO_STATE,
  SOLD,
  STATE_WORDS,
  TAX_KINDS,
  VERDICTS,
  verdictOf,
  WHOSE,
  WHOSE_SHORT,
  yuan,
} from "./words.js";

const part = (id) => document.getElementById(id);
const { ours, statements, witnesses } = part("whose").dataset;

/** The bytes that are being checked; kept, so that another key can be tried on them. */
let current = null;
/** The password area that the page was asked for, if any: another one's proof is no answer. */
let wanted = null;
let turn = 0;

const ALL = STEPS.map((_step, place) => place + 1);
const WHY_CODE = /^[a-z_]+(?=: )/;

async function check() {
  showKey();
  if (current === null) return;
  const mine = ++turn;
  part("seen").hidden = true;
  const bent = caught(refuseBent);
  if (bent !== null) return refuse(bent, []);
  if (isPromise(current)) return checkPromise(mine);
  if (isActProof(current)) return checkAct(mine);
  const started = performance.now();
  const held = [];
  let found;
  try {
    found = await verify(current, part("key").value.trim(), held);
    if (wanted !== null && found.hash !== wanted) {
      throw new Problem("other_invoice", "the file proves another invoice than the one asked for");
    }
  } catch (problem) {
    if (mine === turn) refuse((isRead(problem) ? null : caught(refuseWithin)) ?? problem, held);
    return;
  } finally {
    part("verdict").dataset.milliseconds = (performance.now() - started).toFixed(1);
  }
  if (mine !== turn) return;
  const before = await hold(found);
  if (!conclude(before, found, held, mine)) return;
  showSeen(before, found, canAsk(found) ? "asking" : reasonNot(found));
  if (wanted !== null) asOf(found, "newest"); // it was fetched just now
  else if (!(await askNewest(found, mine))) return;
  await askLog(before, found, mine);
}

/** Whether a problem is not with reading the file. */
const isRead = ({ step }) => typeof step === "number";

/** The problem that a look at the file finds, or null. */
function caught(look) {
  try {
    look(current);
    return null;
  } catch (problem) {
    return problem;
  }
}

/** A promise is no proof: it says by when there is to be one. */
async function checkPromise(mine) {
  let found;
  try {
    const key = part("key").value.trim();
    found = await openPromise(current, await promiseKeys(key, statementsOf(key)));
  } catch (problem) {
    if (mine === turn) refuse(problem, [], isRefuted(problem));
    return;
  }
  if (mine !== turn) return;
  clear([], null);
  fact("facts", _("Password area"), found.hash);
  fact("facts", _("Log"), found.origin);
  fact("facts", _("Issued at or after"), found.given);
  fact("facts", _("In the log by"), found.deadline);
  part("proof").href = `?hash=${found.hash}`;
  part("proof").hidden = !isOurs(found);
  announce("promised");
}

/** A decision stands for itself: there is no newer proof of it to ask for. */
async function checkAct(mine) {
  const held = [];
  let found;
  try {
    found = await verify(current, part("key").value.trim(), held, verifyActProof);
  } catch (problem) {
    if (mine === turn) refuse(problem, []);
    return;
  }
  if (mine !== turn) return;
  const before = await hold(found);
  if (mine !== turn) return;
  if (before instanceof ForkedError) return convict(before, []);
  clear([], null);
  showAct(found);
  announce("act");
  showSeen(before, found, canAsk(found) ? "asking" : reasonNot(found));
  await askLog(before, found, mine);
}

function showAct({ act, document, origin, index, size, height, sealedAt }) {
  fact("facts", _("Decision"), act);
  fact("facts", _("Log"), origin);
  fact("facts", _("Key used"), _(WHOSE_SHORT[part("whose").dataset.whose]));
  fact("facts", _("Place in the log"), `${index} / ${size}`);
  fact("facts", _("As of block"), `${height} · ${sealedAt}`);
  part("document").hidden = false;
  part("hidden-groups").hidden = true;
  fact("shown", _("What was decided"), _(ACT_WORDS.get(document.get("type"))));
  for (const [name, term] of ACT_FIELDS) {
    if (document.has(name)) fact("shown", _(term), changed(document.get(name)));
  }
}

/** A text, or what an object says, member by member. */
const changed = (said) =>
  said instanceof Map
    ? [...said].map(([name, value]) => `${name} ${plain(value)}`).join(" · ")
    : plain(said);

/** Show the verdict of a file that holds; not when the log has forked, or another one is asked. */
function conclude(before, found, held, mine) {
  if (mine !== turn) return false;
  if (before instanceof ForkedError) convict(before, held);
  else accept(found, held);
  return !(before instanceof ForkedError);
}

const isOurs = ({ origin }) => origin === ours.split("+", 1)[0];
const canAsk = (found) => isOurs(found) && navigator.onLine;
const reasonNot = (found) => (isOurs(found) ? "alone" : "foreign");

/** Have the log itself prove that it contains all that this browser saw of it. */
async function askLog(before, found, mine) {
  if (!canAsk(found) || before === null) return;
  const after = await hold(found, logReader());
  if (mine !== turn) return;
  if (after instanceof ForkedError) convict(after, ALL);
  else showSeen(before, found, after?.compared ? null : (WHY_CODE.exec(after?.why)?.[0] ?? "alone"));
}

/**
 * The file may be old: see what the service says now, if it is about the same log. Returns false
 * when its log has forked, or another file is asked about.
 */
async function askNewest(found, mine) {
  if (part("key").value.trim() !== ours) return asOf(found, "foreign");
  if (!navigator.onLine) return asOf(found, "alone");
  asOf(found, "asking");
  let data;
  try {
    data = await fetchProof(found.hash);
  } catch {
    return mine === turn && asOf(found, "alone");
  }
  return mine === turn && takeNewest(found, data, mine);
}

async function takeNewest(found, data, mine) {
  const held = [];
  try {
    const newest = await verify(data, ours, held);
    if (newest.hash !== found.hash) throw new Problem("other_invoice", "another invoice's proof");
    const before = await hold(newest);
    const { shown, hidden } = found; // what the file shows is more than what anyone is given
    const isNewer = newest.size > found.size;
    const best = isNewer ? { ...newest, shown, hidden } : found;
    if (!conclude(before, best, held, mine)) return false;
    return isNewer ? asOf(newest, "newer", { old: found.height }) : asOf(found, "newest");
  } catch (problem) {
    return mine === turn && asOf(found, "bad", { code: problem.code ?? String(problem) });
  }
}

/** Say in the banner since when the verdict is true, and what is known since. */
function asOf(found, kind, values = {}) {
  const when = { height: found.height, age: age(found.sealedAt, Date.now()) };
  const head = _("True as of block %(height)s, %(age)s.", when);
  part("asof").textContent = joined([head, _(AS_OF[kind], values)]);
  part("asof").hidden = false;
  part("verdict").dataset.asof = kind;
  return true;
}

/** Say what this browser saw of the log before, and how the file stands to it. */
function showSeen(before, found, why) {
  part("seen").textContent = wordsOf(before, found.size, why);
  part("seen").hidden = false;
  part("seen").dataset.compared = why ?? "yes";
  part("seen").dataset.seen = kindOf(before, found.size);
  showMemory();
}

const showMemory = () => (part("remembered").textContent = String(memory.count()));

/**
 * Check with this page's statements of the log's keys, or without: another key may know better.
 * Witnesses are named, not asked for: how many it takes is for whoever reads the result.
 */
async function verify(data, key, held, proves = verifyProof) {
  const onStep = (number) => held.push(number);
  const policy = await parsePolicy(`${JSON.parse(witnesses).map(witnessLine).join("")}quorum none\n`);
  try {
    return await proves(data, key, onStep, statementsOf(key), policy);
  } catch (problem) {
    // The key signed none of them: then nothing is known of the log but this key.
    if (problem.code !== "statement_untrusted") throw problem;
    return proves(data, key, onStep, [], policy);
  }
}

/** This page's statements of the keys of that key's log. */
function statementsOf(key) {
  const origin = key.split("+", 1)[0];
  return JSON.parse(statements).filter((text) => text.startsWith(`${origin}/keys\n`));
}

const witnessLine = (key, place) => `witness ${place} ${key}\n`;

function accept(found, held) {
  clear(held, null);
  showEvidence(found);
  if (verdictOf(found) === "part") showAsk(found);
  announce(verdictOf(found));
}

/** Where to see how much is left, which is in no proof: at the service, of a face that is shown. */
function showAsk(found) {
  const face = found.shown.face;
  if (!isOurs(found) || !face?.has("number") || !face.has("total")) return;
  const slip = { bill_num: plain(face.get("number")), total_amount: plain(face.get("total")) };
  part("ask").search = new URLSearchParams({ hash: found.hash, ...slip });
  part("ask").hidden = false;
}

/** Two histories, both signed: nothing that this log says is shown any more. */
function convict(forked, held) {
  clear(held, null);
  part("seen").hidden = true;
  part("code").textContent = `${forked.code}: ${forked.detail}`;
  const link = part("evidence");
  link.href = URL.createObjectURL(new Blob([forked.evidence], { type: "application/json" }));
  link.download = `fork-${forked.size}.evidence.json`;
  link.hidden = false;
  announce("fork");
}

function refuse(problem, held, refuted = false) {
  const known = problem instanceof Problem;
  const step = known ? problem.step : null;
  clear(held, step);
  part("code").textContent = known ? `${problem.code}: ${problem.detail}` : String(problem);
  const isFalse = refuted || step !== null || problem.code === "other_invoice";
  announce(isFalse ? "refused" : (problem.how ?? "unreadable"));
}

/** Forget the last result, and show which steps held and which one did not. */
function clear(held, failed) {
  for (const id of ["facts", "shown", "code"]) part(id).replaceChildren();
  part("document").hidden = true;
  for (const id of ["asof", "ask", "evidence", "proof"]) part(id).hidden = true;
  part("steps").hidden = current !== null && (isPromise(current) || isActProof(current) || caught(refuseBent) !== null);
  URL.revokeObjectURL(part("evidence").href);
  delete part("verdict").dataset.asof;
  part("result").hidden = false;
  for (const item of part("steps").children) {
    const number = Number(item.dataset.step);
    item.className = held.includes(number) ? "" : number === failed ? "failed" : "waits";
  }
}

function announce(verdict) {
  const { style, picture, name, text } = VERDICTS[verdict];
  const band = part("verdict");
  band.className = `verdict is-${style}`;
  for (const drawn of band.querySelectorAll(".picture")) {
    drawn.hidden = drawn.dataset.for !== picture;
  }
  part("name").textContent = _(name);
  part("name-other").textContent = inOther(name);
  part("text").textContent = _(text);
  band.dataset.verdict = verdict; // last: whoever waits for it finds the rest in place
}

/** A time of the log, which is in UTC, as the pages say times. */
const inShanghai = (text) => new Date(Date.parse(text) + 28_800_000).toISOString().slice(0, 19).replace("T", " ");

function showEvidence(found) {
  fact("facts", _("Password area"), found.hash);
  fact("facts", _("Log"), found.origin);
  fact("facts", _("Key used"), _(WHOSE_SHORT[part("whose").dataset.whose]));
  fact("facts", _("Place in the log"), `${found.index} / ${found.size}`);
  fact("facts", _("As of block"), `${found.height} · ${inShanghai(found.sealedAt)}`);
  fact("facts", _("State"), stateText(found.state));
  if (witnesses !== "[]") {
    fact("facts", _("Cosigned by"), found.witnesses.join(", ") || _(NOBODY));
  }
  if (found.reverses) {
    const how = _(STATE_WORDS.reversal[found.reversal]);
    fact("facts", _("Reverses (anchor)"), `${found.reverses} (${how})`);
  }
  part("document").hidden = false;
  showFace(found.shown.face);
  showLines(found.shown.lines);
  showBuyer(found.shown.buyer);
  part("hidden-groups").hidden = found.hidden.length === 0;
  for (const item of document.querySelectorAll("[data-group]")) {
    item.hidden = !found.hidden.includes(item.dataset.group);
  }
}

function stateText(state) {
  if (state === null) return _(NO_STATE);
  return Object.entries(state)
    .map(([name, word]) => _(STATE_WORDS[name][word]))
    .join(" · ");
}

function showFace(face) {
  if (!face) return;
  const seller = face.get("seller");
  if (seller instanceof Map) fact("shown", _("Seller"), plain(seller.get("name")));
  for (const [name, term, money] of FACE_FIELDS) {
    if (!face.has(name)) continue;
    fact("shown", _(term), money ? yuan(face.get(name)) : moment(plain(face.get(name))));
  }
}

function showBuyer(buyer) {
  if (!buyer) return;
  if (buyer.get("name")) fact("shown", _("Buyer"), plain(buyer.get("name")));
  if (buyer.get("tax_id")) fact("shown", _("Buyer's tax id"), plain(buyer.get("tax_id")));
}

function showLines(lines) {
  for (const line of lines ?? []) {
    if (!(line instanceof Map)) continue;
    fact("shown", _(NATURES.get(line.get("nature")) ?? SOLD), lineText(line));
  }
}

/**
 * A line in words: a discount has no quantity, rate 0 may say why it is 0, and one of a red invoice
 * may say which line of the first it takes from.
 */
function lineText(line) {
  const total = Number(line.get("amount")) + Number(line.get("tax"));
  const count = line.has("quantity") ? ` × ${plain(line.get("quantity"))}` : "";
  const parts = [`${plain(line.get("name"))}${count}`];
  if (!Number.isNaN(total)) parts.push(yuan(total));
  if (TAX_KINDS.has(line.get("tax_kind"))) parts.push(_(TAX_KINDS.get(line.get("tax_kind"))));
  if (line.has("line")) parts.push(_("of line %(number)s", { number: plain(line.get("line")) }));
  return parts.join(" · ");
}

/** A time of a face as clocks in Shenzhen show it; anything else as it is. */
const moment = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\+08:00$/, "$1 $2");

/** What a stranger wrote, as text; only a string or a number is shown. */
const plain = (value) => (["string", "number"].includes(typeof value) ? String(value) : "—");

function fact(list, name, text) {
  const term = document.createElement("dt");
  term.textContent = name;
  const value = document.createElement("dd");
  value.textContent = text;
  part(list).append(term, value);
}

function showKey() {
  const whose = part("key").value.trim() === ours ? "ours" : "yours";
  part("whose").textContent = _(WHOSE[whose]);
  part("whose").dataset.whose = whose;
}

/** Check a file that a person chose; `wanted` no longer matters. */
async function take(file) {
  if (!file) return;
  part("chosen").replaceChildren();
  fact("chosen", _("File"), file.name);
  wanted = null;
  current = null;
  turn += 1; // what is under way is about another file
  if (askToSend((await isPdf(file)) ? file : null)) return forget();
  if (askToSendReceipt((await isReceipt(file)) ? file : null)) return forget();
  if (isPicture(file)) return takePicture(file);
  // One byte too many is enough to be refused for its length.
  current = new Uint8Array(await file.slice(0, MAX_PROOF_BYTES + 1).arrayBuffer());
  await check();
}

/** Of several files none is picked. */
async function takeOne(files) {
  if (files.length < 2) return take(files[0]);
  wanted = null;
  current = null;
  turn += 1;
  return refuse(new Problem("claims_differ", "several files: drop one at a time"), []);
}

/** What stands there is of another file: nothing of this one is known before it is sent. */
function forget() {
  clear([], null);
  part("result").hidden = true;
  part("seen").hidden = true;
  announce("asked");
}

/** Of a picture, the code is read here, and its verdict is the service's. */
async function takePicture(file) {
  const texts = await textsIn(file).catch(() => []);
  if (texts.length === 1) return location.assign(verdictPage(texts[0]));
  const [code, why] = texts.length
    ? ["claims_differ", "the picture shows several codes: check it on the first page"]
    : ["qr_not_found", "no code was found in the picture: take it closer, in even light"];
  return refuse(new Problem(code, why), []);
}

/** A file that was chosen on the first page, and is looked at once. */
async function handedOver() {
  const kept = sessionStorage.getItem("fapiao/file");
  if (kept === null) return false;
  sessionStorage.removeItem("fapiao/file");
  const { name, data } = JSON.parse(kept);
  await take(new File([fromBase64(data)], name));
  return true;
}

/** Load the proof of `hash` from the service that this page came from. */
async function load(hash) {
  part("chosen").replaceChildren();
  fact("chosen", _("Password area"), hash);
  try {
    current = await fetchProof(hash);
    wanted = hash;
  } catch (problem) {
    const said = problem instanceof Problem ? problem : new Problem("not_loaded", String(problem));
    refuse(said, []);
    return;
  }
  await check();
}

function listen() {
  part("file").addEventListener("change", ({ target }) => {
    take(target.files[0]);
    target.value = ""; // so that the same file can be chosen again
  });
  part("key").addEventListener("input", check);
  part("forget").addEventListener("click", () => {
    memory.forget();
    part("seen").hidden = true;
    showMemory();
  });
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault(); // or the browser leaves the page for the file
      if (name === "drop") takeOne([...event.dataTransfer.files]);
    });
  }
}

console.assert(part("steps").children.length === STEPS.length);
listen();
showMemory();
const asked = new URLSearchParams(location.search).get("hash");
if (asked !== null) load(asked.toLowerCase());
else handedOver().catch(() => {}); // of a browser that keeps nothing, nothing was handed over
document.documentElement.dataset.ready = "yes";
