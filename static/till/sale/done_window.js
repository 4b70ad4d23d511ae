/** The sale is sent, and done: change, numbers, the slip. One Enter from here to paper. */
import { _ } from "../../ground/words.js";
import { button, h, icon } from "../dom.js";
import { shown } from "../money.js";
import { printsByItself, settings } from "../printers.js";
import { sentence } from "../sentences.js";
import * as windows from "../window.js";

/** While nobody knows yet: the same is sent until there is an answer. */
export function showSending(till) {
  return windows.show(_("Sending the sale"), () => [
    h("p", { class: "sending", role: "status" }, icon("clock"), till.line.isCut
      ? _("The line is cut. The sale is kept here and sent again by itself, with the same number: nothing is doubled.")
      : till.line.state === "slow" ? _("Still sending… The line is slow; the sale is kept here.") : _("Sending…")),
  ], { kind: "busy" });
}

/** Another till has taken the payment: by whom, when, which invoices. Nothing was sold here. */
export function showAlready(till, { invoices = [], by, settled_at: at, till: where }) {
  const already = by
    ? _("%(name)s has taken the payment, at till %(till)s at %(time)s. Take none here: give back what was just paid.", { name: by.name, till: where, time: at.slice(11, 16) })
    : _("Somebody has taken the payment already. Take none here: give back what was just paid.");
  return showDone(till, { invoices, change: 0 }, { already });
}

/** `sold` is what the service answered. */
export function showDone(till, sold, { drawer = false, already = "" } = {}) {
  let [state, problem, held] = ["", null, null];
  const print = async (copy) => {
    [state, problem] = ["printing", null];
    window_.again();
    try {
      for (const { hash } of sold.invoices) await till.printing.print(hash, { drawer, copy });
      state = "printed";
    } catch (error) {
      [state, problem] = ["", error];
    }
    window_.again();
    window_.focus(); // Enter does what is next: print again, or the next guest
  };
  const title = already ? _("Paid already") : _("Sold");
  const window_ = windows.show(title, () => content(till.data.root, { ...sold, already, held }, state, problem, print), { kind: "done" });
  const left = sold.prepaid && till.service.get(`/till/prepaid/${sold.prepaid}`);
  left?.then((account) => {
    held = account.held;
    window_.again();
  }, () => {}); // it is on the guest's own page as well
  if (printsByItself(settings()) && !already) print(false);
  return window_;
}

function content(root, sold, state, problem, print) {
  const next = { type: "button", click: () => windows.close(), "data-at": "next" };
  const open = state === "" || problem;
  return [
    sold.already
      ? h("p", { class: "notice is-warn", role: "alert" }, icon("triangle-alert"), h("span", {}, sold.already))
      : h("p", { class: "to-pay large" }, h("span", {}, _("Change")), h("b", {}, shown(sold.change))),
    sold.held !== null && h("p", { "data-at": "left" }, _("Left in the prepaid account: %(left)s", { left: shown(sold.held) })),
    h("ul", { class: "paid" }, sold.invoices.map(({ hash, number, total_amount: amount }) => h("li", {},
      h("span", {}, _("Invoice"), " ", h("b", { class: "mono" }, number), " ", hash && h("a", { href: `${root}/till/invoices/${hash}/pdf`, target: "_blank" }, _("On A4 (PDF)"))),
      h("b", {}, shown(amount))))),
    h("p", { role: "status", class: problem ? "error" : "quiet" }, said(state, problem)),
    h("div", { class: "buttons" },
      open && h("button", { type: "button", class: "button", autofocus: true, "data-at": "print", click: () => print(false).then(() => settings().way === "browser" && windows.close()) }, icon("printer"), problem ? _("Print again") : _("Print"), h("kbd", {}, "Enter")),
      open ? button(_("Next guest"), next.click, { "data-at": "next" }) : h("button", { ...next, class: "button", autofocus: true }, _("Next guest"), h("kbd", {}, "Enter"))),
  ];
}

function said(state, problem) {
  if (problem) return sentence(problem.code, problem);
  return { printing: _("Printing the slip…"), printed: _("The slip is printed.") }[state] ?? _("The sale stands, with a slip or without.");
}
