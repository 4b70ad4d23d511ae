/** What the phone's check says, as the catalogues have it. */
import { N_ } from "../ground/words.js";

/** The names of the verdicts, as the service's pages say them: a band that says another one is wrong. */
export const NAMES = {
  authentic: N_("Authentic"),
  pending: N_("Genuine, not yet in the log"),
  reversed: N_("Reversed: no longer valid"),
  partly_reversed: N_("Partly reversed"),
  mismatch: N_("Does not match what was issued"),
  unknown: N_("Not issued here"),
  red: N_("Red invoice"),
};

/** What came of it: which card, and a sentence. */
export const SAID = {
  checking: { style: "wait", text: N_("Your phone is checking the proof …") },
  confirmed: {
    style: "good",
    text: N_("Your phone checked the proof itself: everything above is as the public log has it."),
  },
  found: {
    style: "none",
    text: N_("Your phone checked the proof itself and finds the same."),
  },
  asof: {
    style: "none",
    text: N_("Your phone checked the proof itself: it agrees, but is not of just now."),
  },
  ahead: {
    style: "none",
    text: N_("The service knows of a red invoice that is not in the public log yet. It will be within minutes."),
  },
  waiting: {
    style: "wait",
    text: N_("There is no proof yet. Your phone checks it as soon as it is in the log."),
  },
  nothing: {
    style: "none",
    text: N_("There is no proof to check: the service says that it knows no such invoice."),
  },
  unreached: {
    style: "warn",
    text: N_("Your phone could not check the proof just now. What stands above is the service's word alone."),
  },
  withheld: {
    style: "bad",
    text: N_("The service says that it is in the public log, and gives no proof of it."),
  },
  broken: {
    style: "bad",
    text: N_("The service gives a proof that does not hold."),
  },
  differs: {
    style: "bad",
    text: N_("What this page says is not what its proof says:"),
  },
};

/** What can differ. */
export const DIFFERS = {
  hash: N_("it is about another invoice than the code"),
  claim: N_("number or amount of the code"),
  verdict: N_("the verdict"),
  state: N_("whether it was taken back"),
  total: N_("Total"),
  amount: N_("Without tax"),
  tax: N_("Tax"),
  number: N_("Invoice number"),
  code: N_("Invoice code"),
  issued_at: N_("Issued"),
  seller: N_("Seller"),
  tax_id: N_("Seller's tax id"),
  check: N_("Check code"),
  left: N_("What still stands"),
  sums: N_("a sum that the invoice does not have"),
  returns: N_("the red invoices"),
  history: N_("the log shows another history than it showed this phone before"),
  older: N_("the proof is older than what this phone has seen of the log"),
};
export const OTHERWISE = N_("something else that the page says of it");
export const SHOWN = N_("%(name)s: the page says %(said)s, the proof says %(proved)s");

/** Why it is not known to be so now. */
export const NOT_NOW = {
  old: N_("Whether it was taken back since then, only a newer proof would say."),
  clock: N_("By this phone's clock the proof is from the future: is the clock right?"),
  unread: N_("Your phone could not read the code in the address, so it was not compared."),
  other_key: N_("This phone has seen a log of this name by another key before."),
  other_log: N_("At this address, this phone has seen another log before."),
  stranger: N_("Only a witness that this phone does not know says that this is of just now."),
  damaged: N_("What this phone remembered of the log is damaged."),
  not_compared: N_("The log did not prove that it contains what this phone saw of it before."),
};

export const BAND = {
  name: N_("The answer does not fit its proof"),
  text: N_("Do not rely on this page. Keep the slip, check it elsewhere, and tell the tax bureau (12366)."),
};

/** What was proved, said by the phone itself. */
export const PROVED = N_("Proved: %(seller)s, %(total)s");
export const WHICH = N_("No. %(number)s, %(issued_at)s");
export const STANDS = {
  none: N_("Nothing of it was taken back."),
  part: N_("A part of it was taken back."),
  full: N_("All of it was taken back."),
};
export const IS_RED = N_("It is a red invoice: it takes back another one.");

export const AS_OF = N_("True as of block %(height)s, %(age)s.");
