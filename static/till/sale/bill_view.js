/** The right side: what is on the bill, and what can be done with it. */
import { _, ngettext } from "../../ground/words.js";
import { count, gross, isEmpty, isFree, net, stepped, subtotal, total, troubles } from "../bill.js";
import { button, fill, h, icon, part } from "../dom.js";
import { shown } from "../money.js";
import { placeName, sentence } from "../sentences.js";
import { askBillDiscount, askLine } from "./line_window.js";
import { askMore } from "./more_window.js";
import { askSplit } from "./split_window.js";
import { askBillTitle } from "./title_window.js";

export class BillView {
  constructor(till) {
    this.till = till;
    part("fold").addEventListener("click", () => this.unfold(!this.isOpen));
  }

  get isOpen() {
    return part("bill").classList.contains("open");
  }

  /** On a phone the bill is a sheet over the menu. */
  unfold(open) {
    part("bill").classList.toggle("open", open);
    part("fold").setAttribute("aria-expanded", String(open));
  }

  draw() {
    const { bill, aside } = this.till.desk;
    const name = placeName(bill.table);
    const many = ngettext("%(num)s thing", "%(num)s things", count(bill));
    fill(part("fold"), h("span", {}, icon("receipt-text"), name, " · ", many), h("b", {}, shown(total(bill))));
    fill(part("bill-head"), h("h2", {}, name), h("span", { class: "quiet" }, many),
      button(_("More"), () => askMore(this.till), { "data-at": "more" }));
    fill(part("bill-lines"), aside ? this.#differs(aside) : null, bill.settling ? this.#begun(bill) : null, isEmpty(bill) ? this.#empty() : h("ul", { class: "bill-lines" }, bill.lines.map((line, at) => this.#line(line, at))));
    fill(part("bill-foot"), this.#foot(bill));
    part("bill-lines").dataset.lines = bill.lines.length;
  }

  #empty() {
    return h("p", { class: "quiet empty" }, _("Touch a dish, type its code, or scan."));
  }

  #line(line, at) {
    const step = (by, name, picture) => h("button", {
      type: "button", class: "step", disabled: Boolean(this.till.desk.bill.settling), "aria-label": `${name} ${line.name}`, "data-at": `${name}-${at}`,
      click: () => this.till.desk.edit((bill) => stepped(bill, at, by)),
    }, icon(picture));
    return h("li", {},
      h("button", { type: "button", class: "what", "data-at": `line-${at}`, disabled: Boolean(this.till.desk.bill.settling), click: () => askLine(this.till, at) },
        h("b", {}, line.name),
        h("small", {}, `${line.quantity} × ${shown(line.unit_price)}`),
        line.discount && h("small", { class: "off" }, isFree(line) ? _("free") : _("discount %(off)s", { off: shown(-line.discount) }))),
      h("span", { class: "steps-of" }, step(-1, _("One less:"), "minus"), step(1, _("One more:"), "plus")),
      h("span", { class: "sum-of" }, line.discount ? h("s", {}, shown(gross(line))) : null, shown(net(line))));
  }

  #foot(bill) {
    const wrong = bill.settling ? ["bill_settling"] : troubles(bill);
    const { buyer, discount } = bill;
    return [
      h("button", { type: "button", class: `row title-of${buyer ? " some" : ""}`, "data-at": "title", disabled: Boolean(bill.settling), click: () => askBillTitle(this.till) },
        icon("store"), h("span", {}, buyer ? [h("b", {}, buyer.name), h("small", { class: "mono" }, buyer.tax_id ?? "")] : _("Add a company's title")), h("kbd", {}, "F2")),
      h("button", { type: "button", class: "row", "data-at": "discount", disabled: isEmpty(bill) || Boolean(bill.settling), click: () => askBillDiscount(this.till) },
        icon("minus"), h("span", {}, _("Discount of the bill")), discount ? h("b", {}, shown(-discount)) : null),
      h("p", { class: "to-pay" }, h("span", {}, _("To pay")), discount ? h("s", {}, shown(subtotal(bill))) : null, h("b", { id: "to-pay" }, shown(total(bill)))),
      wrong.length && !isEmpty(bill) ? h("p", { class: "error", role: "status" }, sentence(wrong[0])) : null,
      h("div", { class: "buttons" },
        h("button", { type: "button", class: "button pay", "data-at": "pay", disabled: wrong.length > 0, click: () => this.till.pay() }, icon("banknote"), _("Pay"), h("kbd", {}, "F9")),
        h("button", { type: "button", class: "button quiet", "data-at": "finish", disabled: wrong.length > 0, click: () => this.till.finish() }, _("Cash, exact"), h("kbd", {}, "F10")),
        button(_("Split"), () => askSplit(this.till), { "data-at": "split", disabled: wrong.length > 0 }, "users"),
        h("button", { type: "button", class: "button quiet claims", "data-at": "claim", disabled: wrong.length > 0, click: () => this.till.askClaim() }, icon("scan-qr-code"), _("Guest claims"), h("kbd", {}, "F8"))),
    ];
  }

  /** Which parts have their invoices, why the others have none, and how to go on. */
  #begun({ order_id: order, parts = [], sold = [] }) {
    const { why } = this.till.desk;
    const numbers = new Map(sold.map(({ part, number }) => [part, number]));
    return h("div", { class: "aside-of", role: "status" },
      h("p", {}, icon("clock"), sold.length
        ? ngettext("Order %(order)s: %(num)s part has its invoice, the rest has none yet.", "Order %(order)s: %(num)s parts have their invoices, the rest has none yet.", sold.length, { order })
        : _("Somebody began to take payment for this bill, and it was not finished.")),
      why && h("p", { class: "error" }, this.till.why(why)),
      parts.length > 1 && h("ul", {}, parts.map(({ total: amount }, at) => h("li", {}, shown(amount), " · ",
        numbers.has(at + 1) ? [_("Invoice"), " ", h("span", { class: "mono" }, numbers.get(at + 1))] : _("no invoice yet")))),
      h("p", { class: "quiet" }, _("Finishing sends what is left, paid as it was: nothing is sold twice.")),
      parts.length > 1 && h("p", { class: "quiet" }, _("Opening the rest again leaves the invoices that are there, and sells nothing more.")),
      h("div", { class: "buttons" }, button(_("Finish the sale"), () => this.till.resume(), { "data-at": "resume" }),
        parts.length > 1 && button(_("Open the rest again"), () => this.till.undo(), { "data-at": "undo" }, "undo-2")));
  }

  #differs(aside) {
    const { desk } = this.till;
    return h("div", { class: "aside-of", role: "status" },
      h("p", {}, icon("triangle-alert"), desk.bill.gone
        ? _("This bill was paid, moved or dropped at another till. What was typed here since is kept:")
        : _("This bill was changed at another till, and stands here as it is there. What was typed here is kept:")),
      h("ul", {}, aside.lines.map((line) => h("li", {}, `${line.quantity} × ${line.name}`))),
      h("div", { class: "buttons" },
        !desk.bill.gone && button(_("Take mine instead"), () => desk.takeMine()),
        button(_("Drop mine"), () => desk.takeTheirs())));
  }
}
