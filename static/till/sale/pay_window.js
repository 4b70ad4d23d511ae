/** Paying: one part after the other, in one way or several; then the sale is sent. */
import { _ } from "../../ground/words.js";
import { h, icon } from "../dom.js";
import { fenOf, shown, yuanOf } from "../money.js";
import { KINDS, PREPAID, begun, body, change, fromAccount, isPaid, left, notes, paid, taken } from "../payment.js";
import { Letters } from "../scanner.js";
import { kindName } from "../sentences.js";
import * as windows from "../window.js";
import { PrepaidStep } from "./prepaid_step.js";
import { askTitle } from "./title_window.js";

const LETTERS = { c: "cash", w: "wechat", a: "alipay", k: "card", o: "other", p: PREPAID };
const letterOf = (kind) => Object.keys(LETTERS).find((one) => LETTERS[one] === kind).toUpperCase();

/**
 * Asks for payment of each part: `[{total, buyer?, lines? | amount?}]`. `sell(parts)` gets them as
 * they are settled, once all are paid.
 */
export function askPayment(till, parts, sell) {
  const paying = parts.map((part) => ({ part, payment: begun(part.total) }));
  let [at, wrong, account] = [0, "", null];
  const go = (next, refused) => {
    [wrong, account] = [next === null ? refused : "", null];
    if (next) paying[at].payment = next;
    if (next && isPaid(next) && !paying.some(({ payment }, n) => n > at && !isPaid(payment))) return sell(paying.map(settled));
    if (next && isPaid(next)) at += 1;
    return shownWindow.again();
  };
  const pay = (kind, amount) =>
    go(amount === null ? null : paid(paying[at].payment, kind, amount), refusal(paying[at].payment, kind));
  const prepaid = (text = "") => {
    const { payment } = paying[at];
    if (payment.payments.length) return go(null, _("A prepaid account pays all of an invoice: take back what was paid otherwise, or split the bill."));
    const step = new PrepaidStep(till, {
      total: payment.total,
      before: (id) => paying.reduce((sum, one) => (one.payment.prepaid === id ? sum + one.payment.total : sum), 0),
      again: () => account === step && shownWindow.again(),
      take: (id) => go(fromAccount(payment, id), ""),
      back: () => go(null, ""),
    });
    account = step;
    shownWindow.again();
    return text && step.look(text);
  };
  const field = () => shownWindow.inside.querySelector("#amount");
  const kindOf = (kind) => (kind === PREPAID ? prepaid() : pay(kind, fenOf(field().value)));
  const without = (kind) => {
    paying[at].payment = taken(paying[at].payment, kind);
    shownWindow.again();
  };
  const letters = new Letters();
  const shownWindow = windows.show(_("Pay"), (window_) => {
    setTimeout(() => window_.inside.querySelector("#amount")?.select());
    const of = paying.length > 1 && h("p", { class: "of" }, _("Guest %(number)s of %(parts)s", { number: at + 1, parts: paying.length }));
    return [of, account ? account.draw() : part(till, paying, at, { wrong, pay, kindOf, without, letters })];
  }, { kind: "pay-window", closed: () => (till.paying = null) });
  till.paying = {
    prepaid,
    asksAccount: () => account !== null,
    title: (buyer) => {
      paying[at].part = { ...paying[at].part, buyer };
      shownWindow.again();
    },
  };
}

const settled = ({ part: { total: _total, ...part }, payment }) => ({ ...part, ...body(payment) });

const refusal = (payment, kind) =>
  kind === "cash" ? _("An amount in yuan, like 50.") : _("At most what is left: %(left)s. Only cash gives change.", { left: shown(left(payment)) });

function part(till, paying, at, { wrong, pay, kindOf, without, letters }) {
  const { part: one, payment } = paying[at];
  const open = left(payment);
  return h("form", {
    submit: (event) => {
      event.preventDefault();
      kindOf("cash");
    },
    keydown: (event) => {
      const kind = event.target.id === "amount" && !event.ctrlKey && !event.metaKey ? LETTERS[event.key.toLowerCase()] : undefined;
      const chosen = letters.key(event.key, event.timeStamp, kind ? () => kindOf(kind) : null);
      if (kind || chosen) event.preventDefault();
    },
  },
    h("p", { class: "to-pay large" }, h("span", {}, open === payment.total ? _("To pay") : _("Left to pay")), h("b", {}, shown(open))),
    payment.payments.length ? h("ul", { class: "paid" }, payment.payments.map(({ kind, amount }) => h("li", {}, kindName(kind), h("b", {}, shown(amount)),
      h("button", { type: "button", class: "close", "aria-label": _("Take back: %(kind)s", { kind: kindName(kind) }), click: () => without(kind) }, icon("x"))))) : null,
    h("button", { type: "button", class: `row title-of${one.buyer ? " some" : ""}`, click: () => retitle(till, paying, at) },
      icon("store"), h("span", {}, one.buyer ? h("b", {}, one.buyer.name) : _("Add a company's title")), h("kbd", {}, "F2")),
    h("label", { for: "amount" }, _("Amount, in yuan")),
    wrong && h("p", { class: "error", id: "amount-wrong" }, wrong),
    h("input", { id: "amount", type: "text", inputmode: "decimal", autocomplete: "off", autofocus: true, value: yuanOf(open), "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? "amount-wrong" : null }),
    h("div", { class: "chips", role: "group", "aria-label": _("Cash given") }, notes(open).slice(1).map((note) =>
      h("button", { type: "button", class: "chip", click: () => pay("cash", note) }, shown(note)))),
    h("div", { class: "kinds" }, [...KINDS, PREPAID].map((kind) => h("button", {
      type: kind === "cash" ? "submit" : "button", class: `button${kind === "cash" ? "" : " quiet"}`, click: kind === "cash" ? null : () => kindOf(kind),
    }, kindName(kind), h("kbd", {}, kind === "cash" ? "Enter" : letterOf(kind))))));
}

/** Another title for this part; afterwards paying goes on where it was. */
function retitle(till, paying, at) {
  const parts = paying.map(({ part: one }) => one);
  askTitle(till, parts[at].buyer ?? null, (buyer) => {
    parts[at] = { ...parts[at], buyer: buyer ?? undefined };
    setTimeout(() => till.pay(parts));
  });
}

/** The change of all parts, for the person at the till. */
export const changeOf = (parts) =>
  parts.reduce((sum, { payments, tendered }) => sum + change({ payments, tendered }), 0);
