/** An order whose guests claim: its code, how far it has come, and what can be done with it. */
import { _, N_ } from "../ground/words.js";
import { orderLabel } from "./day/states.js";
import { button, h, icon } from "./dom.js";
import { shown } from "./money.js";
import { KINDS } from "./payment.js";
import { printsByItself, settings } from "./printers.js";
import { say, sound } from "./say.js";
import { kindName, sentence } from "./sentences.js";
import * as windows from "./window.js";

let open = null; // the order that is shown, where one is

/** An event: the window that shows this order says what is so now. */
export function heardOrder({ id }) {
  if (open?.id === id) open.load();
}

/** Shows one of the service's orders; `page` has `service`, `printing`, `data`. `prints`: at once. */
export async function showOrder(page, id, { drawer = false, prints = false } = {}) {
  const view = new OrderView(page, id, drawer);
  if (!(await view.load())) return;
  open = view;
  view.window = windows.show(_("Order %(number)s", { number: view.order.order_id }), () => view.draw(), {
    kind: "wide order", closed: () => (open = open === view ? null : open),
  });
  if (prints && printsByItself(settings())) view.print();
}

const ASKED = {
  cancel: [N_("Nobody can claim it any more. The bill is open again, and what came into the till goes back as it was paid."), N_("Cancel the order")],
  rest: [N_("What nobody has claimed is invoiced now, to an unnamed individual."), N_("Invoice the rest")],
};

class OrderView {
  order = null;
  window = null;
  asked = ""; // what is about to be done, and waits for a second touch
  told = "";

  constructor(page, id, drawer) {
    Object.assign(this, { page, id, drawer });
  }

  /** What the service says; whether it said it. */
  async load() {
    try {
      this.#take(await this.page.service.get(`/till/orders/${this.id}`));
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #take(order) {
    this.order = order;
    this.window?.again();
  }

  #failed(error) {
    say(error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error), "bad");
  }

  async #act(method, path, body) {
    this.asked = "";
    try {
      this.#take(await this.page.service.change(method, `/till/orders/${this.id}${path}`, body));
      sound("good");
    } catch (error) {
      sound("bad");
      windows.close();
      this.#failed(error);
    }
  }

  async print() {
    try {
      await this.page.printing.printClaim(this.id, { drawer: this.drawer });
      this.told = _("The slip is printed.");
    } catch (error) {
      this.told = sentence(error.code, error);
    }
    this.window?.again();
  }

  #ask(what) {
    return () => {
      this.asked = what;
      this.window.again();
    };
  }

  draw() {
    const { order, page } = this;
    const claimable = !["claimed", "cancelled"].includes(order.state);
    return [
      h("p", { class: "of" }, orderLabel(order.state), " ", claimable && h("span", { class: "quiet" }, _("until %(time)s", { time: timeOf(order.expires_at) }))),
      h("p", { class: "to-pay large" }, h("span", {}, order.left === order.total ? _("Total") : _("Left to claim")), h("b", {}, shown(claimable ? order.left : order.total))),
      claimable && h("p", { class: "code" }, h("img", { src: `${page.data.root}/till/orders/${order.id}/code.svg`, alt: _("The code that the guest scans"), width: 224, height: 224 })),
      h("ul", { class: "paid" }, order.shares.map((share) => shareRow(share, order.shares))),
      this.#money(),
      this.told && h("p", { class: "quiet", role: "status" }, this.told),
      this.asked ? this.#sure() : h("div", { class: "buttons" }, this.#buttons(claimable)),
    ];
  }

  #money() {
    const { order } = this;
    const said = order.payments.filter(({ by }) => by !== "till");
    if (!order.money.length && !said.length) return null;
    return h("ul", { class: "paid" },
      order.money.map(({ kind, amount }) => h("li", {}, _("Paid at a till: %(kind)s", { kind: kindName(kind) }), h("b", {}, shown(amount)))),
      said.map(({ by, amount, counts }) => h("li", {}, counts ? _("Paid, says %(kind)s", { kind: kindName(by) }) : _("Another amount was paid, says %(kind)s: give it back there", { kind: kindName(by) }), h("b", {}, shown(amount)))));
  }

  #buttons(claimable) {
    const { order } = this;
    if (!claimable) return [];
    const untouched = order.shares.every(({ state }) => state === "free");
    return [
      h("button", { type: "button", class: "button", autofocus: true, "data-at": "print", click: () => this.print() }, icon("printer"), _("Print the claim slip"), h("kbd", {}, "Enter")),
      !order.paid && button(_("It is paid"), this.#ask("paid"), { "data-at": "paid" }, "banknote"),
      order.state === "expired" && button(_("Open it again"), () => this.#act("POST", "/extension"), { "data-at": "extend" }, "clock"),
      (order.paid || !order.after_payment) && button(_("Invoice the rest"), this.#ask("rest"), { "data-at": "rest" }, "receipt-text"),
      untouched && button(_("Cancel the order"), this.#ask("cancel"), { "data-at": "cancel" }, "trash-2"),
    ];
  }

  /** The first touch asks, the second one does it. */
  #sure() {
    const back = button(_("Back"), this.#ask(""), { "data-at": "back" });
    if (this.asked === "paid") {
      return [h("p", {}, _("All of it, and how?")), h("div", { class: "kinds" }, KINDS.map((kind) => button(kindName(kind),
        () => this.#act("POST", "/paid", { payments: [{ kind, amount: this.order.total }] }), { "data-at": `paid-${kind}` }))), h("div", { class: "buttons" }, back)];
    }
    const [words, name] = ASKED[this.asked];
    const go = () => (this.asked === "cancel" ? this.#act("DELETE", "") : this.#act("POST", "/rest"));
    return [h("p", { role: "status" }, _(words)), h("div", { class: "buttons" }, h("button", { type: "button", class: "button", "data-at": "sure", autofocus: true, click: go }, _(name)), back)];
  }
}

/** What is on a share is said where the others have something else. */
function shareRow({ part, amount, state, number, lines = [] }, shares) {
  const many = shares.length > 1;
  const own = !many || shares.some((one) => String(one.lines) !== String(lines));
  const what = [many && _("Guest %(number)s", { number: part }), many && own && " · "];
  const names = own && lines.slice(0, 4).join(" · ") + (lines.length > 4 ? " …" : "");
  const words = { free: _("not claimed"), begun: _("on its way"), claimed: h("span", {}, _("Invoice"), " ", h("span", { class: "mono" }, number)) };
  return h("li", { "data-share": state }, h("span", {}, what, names, h("br"), h("small", { class: "quiet" }, words[state])), h("b", {}, shown(amount)));
}

/** A time as clocks show it: the date and the minute. */
export const timeOf = (text) => `${text.slice(0, 10)} ${text.slice(11, 16)}`;
