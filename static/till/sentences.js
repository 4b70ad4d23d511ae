/** What the till itself has to say, by code: what happened, and what to do. The service says its own. */
import { _, N_ } from "../ground/words.js";

const SAID = {
  bill_empty: N_("There is nothing on the bill yet."),
  too_many_lines: N_("A bill has 2,000 lines at most: split it."),
  line_discount_too_large: N_("A line's discount is more than the line: change it."),
  bill_discount_too_large: N_("The discount is more than the bill: change it."),
  bill_is_nothing: N_("A bill of 0 gets no invoice: not everything on it can be free."),
  amount_out_of_range: N_("The bill is larger than an invoice can be: split it."),
  bill_settling: N_("This bill is being paid: finish the sale."),
  bill_ordered: N_("Of this bill a claim slip was made at another till: the order is under Today."),
  bill_changed: N_("This bill was changed at another till."),
  nothing_kept: N_("This browser keeps nothing on its disk: what you type is lost when the page closes."),
  line_cut: N_("No line to the service: nothing can be sold. What you have typed is kept."),
  second: N_("This till is open in another tab: sell there, or close it."),
  scan_short: N_("The scan was too short: scan again."),
  title_unreadable: N_("This title code cannot be read: scan again, or type the title."),
  printer_unsupported: N_("This browser cannot reach such a printer: choose another way under Settings."),
  printer_not_chosen: N_("No printer is chosen on this device: choose one under Settings."),
  printer_busy: N_("The printer is busy: try again in a moment."),
  printer_away: N_("The printer does not answer, and nothing was printed: look at its power, cable and paper."),
  printer_slow: N_("The printer takes too long: look whether the slip came out. The next one says that it is a copy."),
  printer_broke_off: N_("Printing broke off: look at the paper. The next slip says that it is a copy."),
  origin_not_allowed: N_("The print bridge does not know this page: start it with this address."),
  bridge_refused: N_("The print bridge did not take the slip: start it anew, in the same version as the service."),
  service_away: N_("The service could not be reached for the slip: try again."),
};

/** The sentence of a code of ours; else what the error itself says. */
export const sentence = (code, error = null) => (SAID[code] ? _(SAID[code]) : (error?.message || code));

export const KIND_NAMES = {
  cash: N_("Cash"), wechat: N_("WeChat"), alipay: N_("Alipay"), card: N_("Card"), other: N_("Other"),
  prepaid: N_("Prepaid"),
};

export const kindName = (kind) => (KIND_NAMES[kind] ? _(KIND_NAMES[kind]) : kind);

/** Where a bill belongs: a table by its number or name, or the counter. */
export function placeName(table) {
  if (table === null || table === undefined) return _("Counter");
  return /^[0-9A-Za-z]+$/.test(table) ? _("Table %(table)s", { table }) : table;
}

/** A rate as people say it; of 0 what it means. */
export function rateName(rate, kind = undefined) {
  if (kind === "exempt") return _("exempt");
  if (kind === "untaxed") return _("not taxed");
  return `${Number((Number(rate) * 100).toFixed(4))}%`;
}
