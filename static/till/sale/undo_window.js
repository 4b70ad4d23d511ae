/** A bill in parts that is not gone on with: what stays, what is open again, what is handed back. */
import { _, ngettext } from "../../ground/words.js";
import { button, h } from "../dom.js";
import { shown } from "../money.js";
import * as windows from "../window.js";

/** Asks whether the rest is to be opened again; `undo()` does it. */
export function askUndo(till, undo) {
  const { parts = [], sold = [] } = till.desk.bill;
  const there = new Set(sold.map(({ part }) => part));
  const rest = parts.reduce((sum, { total }, at) => (there.has(at + 1) ? sum : sum + total), 0);
  windows.show(_("Open the rest again?"), () => [
    sold.length ? h("p", {}, _("These invoices stay, and can be taken back like any other:")) : null,
    sold.length ? invoices(till, sold) : null,
    h("p", { class: "to-pay" }, h("span", {}, _("Open again")), h("b", {}, shown(rest))),
    h("p", {}, _("Give back what was paid for the parts that have no invoice.")),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "button", autofocus: true, "data-at": "undo", click: undo }, _("Open the rest again")),
      button(_("Leave it"), () => windows.close())),
  ]);
}

/** What stays, and where it can be taken back. */
export function showUndone(till, sold) {
  windows.show(_("The rest is open again"), () => [
    h("p", {}, sold.length
      ? ngettext("%(num)s invoice stays. It can be taken back here:", "%(num)s invoices stay. They can be taken back here:", sold.length)
      : _("Nothing of it was sold.")),
    sold.length ? invoices(till, sold) : null,
    h("div", { class: "buttons" }, h("button", { type: "button", class: "button", autofocus: true, click: () => windows.close() }, _("Go on"))),
  ]);
}

const invoices = (till, sold) => h("ul", { class: "paid" }, sold.map(({ number, total_amount: amount, hash }) =>
  h("li", {}, h("a", { href: `${till.data.root}/till/invoices/${hash}/page` }, _("Invoice"), " ", h("b", { class: "mono" }, number)), h("b", {}, shown(amount)))));
