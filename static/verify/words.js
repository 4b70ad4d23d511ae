/** What the page says of a result, as the catalogues have it. */
import { N_ } from "../ground/words.js";

/** Each verdict: its colour, its picture, its name and a sentence. */
export const VERDICTS = {
  proved: {
    style: "authentic",
    picture: "proved",
    name: N_("Proved"),
    text: N_(
      "It is in the log of that key; as of the block below it is neither reversed, reimbursed nor pledged.",
    ),
  },
  marked: {
    style: "partly_reversed",
    picture: "reversed",
    name: N_("Proved, with a state"),
    text: N_(
      "It is in the log of that key, but as of the block below something stands against it: see its state.",
    ),
  },
  part: {
    style: "partly_reversed",
    picture: "reversed",
    name: N_("Partly reversed"),
    text: N_(
      "It is in the log of that key, and a part of it was taken back by red invoices: only the rest is valid. How much that is, the service says.",
    ),
  },
  reversed: {
    style: "reversed",
    picture: "reversed",
    name: N_("Reversed: no longer valid"),
    text: N_("It is in the log of that key, and was taken back in full by a red invoice."),
  },
  red: {
    style: "red",
    picture: "reversed",
    name: N_("Red invoice"),
    text: N_("A genuine red invoice: it takes back an earlier one. It cannot be reimbursed."),
  },
  promised: {
    style: "pending",
    picture: "promised",
    name: N_("Promise holds"),
    text: N_(
      "The log has signed that the invoice will be in it by the time below. Keep this file: if it is not there then, this is the evidence.",
    ),
  },
  act: {
    style: "authentic",
    picture: "proved",
    name: N_("Decision proved"),
    text: N_(
      "The log of that key has this decision, word for word as below. Whether a later one has changed it, this file does not say.",
    ),
  },
  asked: {
    style: "unknown",
    picture: "none",
    name: N_("Not checked yet"),
    text: N_("This file is checked once you send it to the service."),
  },
  refused: {
    style: "mismatch",
    picture: "refused",
    name: N_("Not proved"),
    text: N_("This file proves nothing. Do not rely on it."),
  },
  fork: {
    style: "mismatch",
    picture: "refused",
    name: N_("The log has forked"),
    text: N_(
      "The file holds by itself, but this browser was shown another history of the log before. Both cannot be true: save the evidence, and tell others.",
    ),
  },
  bent: {
    style: "malformed",
    picture: "unreadable",
    name: N_("A promise, not saved as it was given"),
    text: N_(
      "Blanks, line ends or marks were added, so its signature cannot be checked. Save the text exactly as it was given, in UTF-8.",
    ),
  },
  within: {
    style: "malformed",
    picture: "unreadable",
    name: N_("An answer with a promise in it"),
    text: N_(
      "Save the text of its field “promise” alone as a file, each \\n as a new line, and check that file.",
    ),
  },
  unreadable: {
    style: "malformed",
    picture: "unreadable",
    name: N_("Cannot be checked"),
    text: N_(
      "The file or the key cannot be read, so there is no verdict. It says nothing about the invoice.",
    ),
  },
};

/** Which verdict an evidence comes to. */
export function verdictOf({ state, reversal, shown }) {
  if (state?.reversal === "full") return "reversed";
  if (reversal !== null || shown.face?.get("type") === "red") return "red";
  if (state?.reversal === "part" && Object.keys(state).length === 1) return "part";
  return state === null ? "proved" : "marked";
}

/** What the state map's words mean. */
export const STATE_WORDS = {
  reversal: { part: N_("partly reversed"), full: N_("reversed in full") },
  reimbursement: { locked: N_("locked for reimbursement"), closed: N_("reimbursed") },
  pledge: { pledged: N_("pledged") },
};
export const NO_STATE = N_("nothing stands against it");

/** Fields of the face that the page shows, in order, and whether they are money. */
export const FACE_FIELDS = [
  ["number", N_("Invoice number")],
  ["code", N_("Invoice code")],
  ["issued_at", N_("Issued")],
  ["total", N_("Total"), true],
  ["amount", N_("Without tax"), true],
  ["tax", N_("Tax"), true],
  ["till", N_("Till")],
  ["business_day", N_("Business day")],
  ["part", N_("Part of a bill")],
  ["parts", N_("Parts of the bill")],
  ["order_total", N_("The whole bill"), true],
  ["replaces", N_("In the place of")],
  ["reverses", N_("Takes back")],
];

/** What a decision is about; a Map, for a stranger wrote the word. */
export const ACT_WORDS = new Map([
  ["admission", N_("admission")],
  ["quota", N_("quota")],
  ["suspension", N_("suspension or resumption")],
  ["role", N_("role")],
  ["finding", N_("finding")],
  ["consent", N_("consent")],
  ["log_key", N_("the log's key")],
  ["trail", N_("the trail so far")],
]);

/** Members of a decision that the page shows after its type, in order. */
export const ACT_FIELDS = [
  ["at", N_("Decided at")],
  ["by", N_("Decided by")],
  ["subject", N_("About")],
  ["before", N_("Before")],
  ["after", N_("After")],
  ["reason", N_("Reason")],
  ["previous", N_("The decision before")],
];

/** What a line is that is no line of a dish; a Map, for a stranger wrote the word. */
export const NATURES = new Map([
  ["discount", N_("Discount")],
  ["allowance", N_("Allowance")],
]);
export const SOLD = N_("Line");

/** What rate 0 means beside "zero-rated"; a Map, for a stranger wrote the word. */
export const TAX_KINDS = new Map([
  ["exempt", N_("exempt from tax")],
  ["untaxed", N_("not taxable")],
]);

/** Whose key was used. */
export const WHOSE = {
  ours: N_("This is the key that this page came with: it is only as good as this page."),
  yours: N_("Your own key is used."),
};
export const WHOSE_SHORT = { ours: N_("this page's"), yours: N_("yours") };

/** Money as a slip prints it: 11300 fen is "¥113.00". */
export function yuan(fen) {
  if (typeof fen !== "number") return String(fen);
  const [whole, cents] = [Math.trunc(Math.abs(fen) / 100), Math.abs(fen) % 100];
  return `${fen < 0 ? "-" : ""}¥${whole.toLocaleString("en")}.${String(cents).padStart(2, "0")}`;
}

export const NOBODY = N_("none of the witnesses that this page knows");
