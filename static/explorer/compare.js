/** The page on which two copies of a log are compared; copies.js says how they stand. */
import { N_, _ } from "../ground/words.js";
import { Problem } from "../verify/errors.js";
import { ForkedError } from "../verify/fork.js";
import { toHex } from "../verify/hashing.js";
import { parseKey } from "../verify/note.js";
import { follow } from "../verify/statement.js";
import { compareCopies } from "./copies.js";
import { folderAt, readerAt } from "./places.js";

const part = (id) => document.getElementById(id);
const form = part("copies");
const { ours, statements } = part("whose").dataset;
const STYLES = { agree: "authentic", forked: "mismatch", unclear: "unavailable", asking: "pending" };
const COPIES = [1, 2];
const MOST = 1_000_000; // characters of a pasted note

const NAMES = {
  agree: N_("The copies agree"),
  forked: N_("The log has forked"),
  unclear: N_("Could not be compared"),
  asking: N_("Comparing …"),
};
const FOUND = {
  same: N_("Both checkpoints are of the same entries. The files of entries were not read: fapiao mirror holds each of them against the checkpoint."),
  begun: N_("One copy is still empty: nothing contradicts the other."),
  continues: N_("The larger copy contains all of the smaller one, in the same order: proved here."),
};
const FORKED = N_(
  "The log has signed two histories that differ within the first %(size)s entries. Keep the evidence, and show it to others.",
);
const ASKING = N_("The checkpoints and a few files of the tree are being read.");
const WHY = {
  no_copy: N_("Give an address for each copy, or paste its checkpoint."),
  address: N_("This is no address of a log; it looks like https://mirror.example/log/."),
  not_loaded: N_("Its files cannot be read from this page: the server is not there, or does not let pages of other sites read it. Paste the checkpoint instead."),
  file_missing: N_("There is no checkpoint at this address."),
  note: N_("This is not a whole signed checkpoint: paste all of its lines."),
  signature_missing: N_("The log key that is used has not signed it: it is another log, or a newer key."),
  signature: N_("The signature is wrong: it was changed, or is not this log's."),
  origin_mismatch: N_("It is of another log than the key."),
  key_text: N_("The key below is not written as a key is."),
  tree_missing: N_("To compare two sizes, the files of the larger copy are needed: give its address."),
  tile_missing: N_("Files of the larger copy's tree are missing there: try another mirror of it."),
  tile_damaged: N_("The files there do not lead to the root that the log signed: that copy is damaged. Try another mirror of it."),
};

let turn = 0;
let kept = null;

/** The copy that a part of the form names. */
async function copyOf(number) {
  const address = part(`url${number}`).value.trim();
  const note = part(`note${number}`).value.trim();
  try {
    if (!address && !note) throw new Problem("no_copy", "nothing was given");
    const read = address ? readerAt(folderAt(address)) : null;
    return { note: note ? pasted(note) : await noteOf(read), read };
  } catch (problem) {
    if (problem instanceof Problem) problem.copy = number;
    throw problem;
  }
}

/** A note that was copied from somewhere, with the line end that copying loses. */
function pasted(text) {
  if (text.length > MOST) throw new Problem("note", "it is too long");
  return `${text.replaceAll("\r\n", "\n")}\n`;
}

async function noteOf(read) {
  const data = await read("checkpoint");
  if (data === null) throw new Problem("file_missing", "the log has no checkpoint there");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Problem("note", "it is not text");
  }
}

/** Our own key brings the statements by which older and newer ones are known. */
async function knownKeys() {
  const text = part("key").value.trim();
  return follow([await parseKey(text)], text === ours ? JSON.parse(statements) : []);
}

async function compare() {
  const mine = ++turn;
  show("asking", _(ASKING));
  try {
    const known = await knownKeys();
    const copies = await Promise.all(COPIES.map(copyOf));
    const found = await compareCopies(copies, known, [readerAt(home())]);
    if (mine === turn) agree(found);
  } catch (problem) {
    if (mine !== turn) return;
    if (problem instanceof ForkedError) convict(problem);
    else refuse(problem);
  }
}

function agree({ kind, small, large, hashes }) {
  show("agree", _(FOUND[kind]));
  fact(_("Log"), large.checkpoint.origin);
  fact(_("The smaller copy"), _("%(size)s entries", { size: small.checkpoint.size }));
  fact(_("The larger copy"), _("%(size)s entries", { size: large.checkpoint.size }));
  fact(_("Root of the larger one"), toHex(large.checkpoint.root));
  if (hashes) fact(_("Hashes of the proof"), String(hashes));
}

function convict(fork) {
  show("forked", _(FORKED, { size: fork.size }));
  if (kept !== null) URL.revokeObjectURL(kept);
  kept = URL.createObjectURL(new Blob([fork.evidence], { type: "application/json" }));
  part("evidence").href = kept;
  part("evidence").download = `fork-${fork.size}.evidence.json`;
  for (const id of ["evidence", "with-it", "outcome"]) part(id).hidden = false;
}

function refuse(problem) {
  const { code = "page_failed", copy } = problem;
  const said = code in WHY ? _(WHY[code]) : problem.detail ?? String(problem);
  const which = copy === undefined ? "" : _("Copy %(number)s: ", { number: copy });
  show("unclear", `${which}${said}`);
  fact(_("Reason"), code);
  if (code in WHY) fact(_("In detail"), problem.detail);
  if (copy !== undefined) part(`${code === "note" ? "note" : "url"}${copy}`).focus?.();
}

function show(state, text) {
  const verdict = part("verdict");
  verdict.hidden = false;
  verdict.dataset.verdict = state;
  verdict.className = `verdict is-${STYLES[state]}`;
  for (const picture of verdict.querySelectorAll("[data-for]")) picture.hidden = picture.dataset.for !== state;
  part("name").textContent = _(NAMES[state]);
  part("text").textContent = text;
  part("facts").replaceChildren();
  for (const id of ["evidence", "with-it", "outcome"]) part(id).hidden = true;
}

function fact(name, value) {
  const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
  dt.textContent = name;
  dd.textContent = value;
  part("facts").append(dt, dd);
  part("outcome").hidden = false;
}

const home = () => new URL(part("url1").dataset.ours, location);

part("url1").value = home().href;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  part("verdict").scrollIntoView({ block: "nearest" });
  compare();
});
form.dataset.ready = "yes";
