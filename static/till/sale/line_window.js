/** A line of the bill: how many, what is taken off, free, gone; and lines that no menu has. */
import { _ } from "../../ground/words.js";
import { gross, isFree, removed, subtotal, toggledFree, withBillDiscount, withDiscount, withLine, withQuantity } from "../bill.js";
import { button, field, h } from "../dom.js";
import { discountOf, fenOf, shown, yuanOf } from "../money.js";
import { rateName } from "../sentences.js";
import * as windows from "../window.js";

/** What restaurants have, where it is in force. */
const usual = (rates) => (rates.includes("0.06") ? "0.06" : rates.at(-1));

const value = (form, name) => form.elements[name].value.trim();

/** What can be changed about a line. */
export function askLine(till, at) {
  const line = till.desk.bill.lines[at];
  if (!line) return;
  let wrong = {};
  const done = (change) => {
    till.desk.edit((bill) => change(bill, at));
    windows.close();
  };
  windows.show(line.name, (window_) => h("form", { submit: (event) => {
    event.preventDefault();
    wrong = saveLine(till, at, event.target);
    if (Object.keys(wrong).length) window_.again();
    else windows.close();
  } },
    field("quantity", _("How many"), { name: "quantity", inputmode: "decimal", value: line.quantity, autofocus: true }, wrong.quantity),
    field("discount", _("Discount, in yuan or per cent"), { name: "discount", inputmode: "decimal", placeholder: "5 / 10%", value: line.discount ? yuanOf(line.discount) : "" }, wrong.discount),
    h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take it over")),
      button(isFree(line) ? _("Not free") : _("Free"), () => done(toggledFree)),
      button(_("Remove"), () => done(removed), {}, "trash-2"))));
}

function saveLine(till, at, form) {
  const quantity = value(form, "quantity");
  const many = withQuantity(till.desk.bill, at, quantity);
  if (many === null) return { quantity: _("A number above 0, like 2 or 0.35.") };
  if (many.lines.length < till.desk.bill.lines.length) return till.desk.edit(() => many) ?? {};
  const typed = value(form, "discount");
  const off = typed ? discountOf(typed, gross(many.lines[at])) : 0;
  if (off === null) return { discount: _("Yuan or per cent, and at most the line: %(most)s.", { most: shown(gross(many.lines[at])) }) };
  till.desk.edit(() => withDiscount(many, at, off));
  return {};
}

/** What is taken off the whole bill. */
export function askBillDiscount(till) {
  const { bill } = till.desk;
  let wrong = "";
  windows.show(_("Discount of the bill"), (window_) => h("form", { submit: (event) => {
    event.preventDefault();
    const typed = value(event.target, "discount");
    const off = typed ? discountOf(typed, subtotal(bill)) : 0;
    wrong = off === null ? _("Yuan or per cent, and at most the bill: %(most)s.", { most: shown(subtotal(bill)) }) : "";
    if (wrong) return window_.again();
    till.desk.edit((one) => withBillDiscount(one, off));
    return windows.close();
  } },
    field("discount", _("Discount, in yuan or per cent"), { name: "discount", inputmode: "decimal", placeholder: "5 / 10%", autofocus: true, value: bill.discount ? yuanOf(bill.discount) : "" }, wrong),
    h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take it over")),
      bill.discount && button(_("No discount"), () => {
        till.desk.edit((one) => withBillDiscount(one, 0));
        windows.close();
      }))));
}

/** A line that is not on the menu. */
export function askOwnLine(till) {
  let [wrong, typed] = [{}, { name: "", price: "", rate: usual(till.desk.state.rates) }];
  windows.show(_("A line of your own"), (window_) => h("form", { submit: (event) => {
    event.preventDefault();
    typed = Object.fromEntries(new FormData(event.target));
    const price = fenOf(typed.price);
    wrong = {
      ...(typed.name.trim() ? {} : { name: _("What is it called?") }),
      ...(price === null ? { price: _("Yuan, like 12 or 12.50.") } : {}),
    };
    if (Object.keys(wrong).length) return window_.again();
    till.desk.edit((bill) => withLine(bill, { name: typed.name.trim(), quantity: "1", unit_price: price, tax_rate: typed.rate }));
    return windows.close();
  } },
    field("name", _("Name"), { name: "name", maxlength: 100, value: typed.name, autofocus: true }, wrong.name),
    field("price", _("Price with tax, in yuan"), { name: "price", inputmode: "decimal", value: typed.price }, wrong.price),
    rates(till.desk.state.rates, typed.rate),
    h("div", { class: "buttons" }, h("button", { class: "button" }, _("Put it on the bill")))));
}

export const rates = (known, chosen) =>
  h("fieldset", {}, h("legend", {}, _("Tax rate")),
    known.map((rate) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "rate", value: rate, checked: rate === chosen }), rateName(rate))));

