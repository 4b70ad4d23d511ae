/** The day's orders that guests claim: what still waits, and, folded, what is done. */
import { _, ngettext } from "../../ground/words.js";
import { fill, h, icon, part } from "../dom.js";
import { shown } from "../money.js";
import { showOrder } from "../order_window.js";
import { nextEnd } from "./ends.js";
import { orderLabel } from "./states.js";

const DONE = new Set(["claimed", "cancelled"]);
const LONGEST = 2 ** 31 - 1; // milliseconds that a timer takes

export class DayOrders {
  #orders = [];
  #timer = null;

  /** `page` has `service`, `printing` and `data`; `failed(error)` tells what went wrong. */
  constructor(page, failed) {
    Object.assign(this, { page, failed });
  }

  /** Those of a day. */
  async load(day) {
    this.day = day;
    const { orders } = await this.page.service.get(`/till/orders?${new URLSearchParams({ day })}`);
    if (this.day !== day) return;
    this.#orders = orders;
    this.#draw();
  }

  /** An event: one of them is another than before. */
  async heard({ id, business_day: of }, day) {
    if (of !== day) return;
    try {
      this.#put(await this.page.service.get(`/till/orders/${id}`));
    } catch (error) {
      this.failed(error);
    }
  }

  #put(order) {
    const at = this.#orders.findIndex(({ id }) => id === order.id);
    this.#orders = at < 0 ? [order, ...this.#orders] : this.#orders.with(at, order);
    this.#draw();
  }

  #draw() {
    const waiting = this.#orders.filter(({ state }) => !DONE.has(state));
    const done = this.#orders.filter(({ state }) => DONE.has(state));
    const opened = part("orders").querySelector("details")?.open ?? false;
    fill(part("orders"), this.#orders.length > 0 && [
      h("h2", {}, _("To be claimed by guests")),
      waiting.length ? this.#list(waiting) : h("p", { class: "quiet" }, _("Nothing waits.")),
      done.length > 0 && h("details", { open: opened }, h("summary", {}, ngettext("%(num)s is done", "%(num)s are done", done.length)), this.#list(done)),
    ]);
    this.#wait(waiting);
  }

  #list(orders) {
    return h("ul", { class: "invoices" }, orders.map((order) => this.#row(order)));
  }

  #row(order) {
    const claimed = order.shares.filter(({ state }) => state === "claimed").length;
    const many = order.shares.length > 1 && _("%(claimed)s of %(shares)s claimed", { claimed, shares: order.shares.length });
    const print = () => this.page.printing.printClaim(order.id).catch(this.failed);
    return h("li", { "data-order": order.id, "data-state": order.state },
      h("button", { type: "button", class: "what", "data-at": `order-${order.id}`, click: () => showOrder(this.page, order.id) },
        h("b", {}, order.order_id), h("small", {}, [order.created_at.slice(11, 16), order.till].filter(Boolean).join(" · "))),
      h("span", { class: "state-of" }, orderLabel(order.state), many && h("small", {}, many)),
      h("span", { class: "sum-of" }, shown(order.total), claimed > 0 && order.left > 0 && h("small", {}, _("left %(left)s", { left: shown(order.left) }))),
      h("span", { class: "acts" }, !DONE.has(order.state) && h("button", {
        type: "button", class: "step", "data-at": `slip-${order.id}`, "aria-label": _("Print the claim slip: %(number)s", { number: order.order_id }), click: print,
      }, icon("printer"))));
  }

  /** Time ends an order without anybody: then it is asked for again. */
  #wait(waiting) {
    clearTimeout(this.#timer);
    const end = nextEnd(waiting);
    if (end === undefined) return;
    const pause = Math.max(1000, end - Date.now() + 1000);
    this.#timer = setTimeout(() => this.load(this.day).catch(this.failed), Math.min(pause, LONGEST));
  }
}
