/** The guests claim their invoices: among how many, and whether the money is there already. */
import { _ } from "../../ground/words.js";
import { total } from "../bill.js";
import { h } from "../dom.js";
import { shown } from "../money.js";
import { KINDS } from "../payment.js";
import { kindName } from "../sentences.js";
import * as windows from "../window.js";
import { Sharing, chip } from "./split_window.js";

export function askClaim(till) {
  const { bill } = till.desk;
  const sharing = new Sharing(bill, 1);
  let paid = "";
  windows.show(_("The guest claims the invoice"), (window_) => {
    const choose = (kind) => () => {
      paid = kind;
      window_.again();
    };
    const go = () => till.claim(sharesOf(sharing), paid ? [{ kind: paid, amount: total(bill) }] : []);
    return [
      h("p", { class: "to-pay large" }, h("span", {}, _("To pay")), h("b", {}, shown(total(bill)))),
      h("p", { class: "hint" }, _("A slip with a code is printed instead of an invoice. Whoever scans it fills in a title, and has the invoice.")),
      sharing.draw(window_.again),
      h("div", { class: "chips", role: "group", "aria-label": _("Paid") }, h("span", {}, _("Paid")),
        chip(_("Not yet"), paid === "", choose(""), "paid-no"),
        KINDS.map((kind) => chip(kindName(kind), paid === kind, choose(kind), `paid-${kind}`))),
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button", "data-at": "go", autofocus: true, disabled: !sharing.found, click: go },
        _("Make the claim slip"), h("kbd", {}, "Enter"))),
    ];
  }, { kind: "wide" });
}

/** One guest has all of it, as it stands on the bill. */
const sharesOf = (sharing) => (sharing.parts === 1 ? [{}] : sharing.found);
