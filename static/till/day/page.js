/** The day at a till: its invoices as they come and change, taking back, printing again, figures. */
import { _, joined, ngettext } from "../../ground/words.js";
import { button, fill, h, icon, part } from "../dom.js";
import { frame, showCashier, showLive, signedOut } from "../frame.js";
import { newId } from "../ids.js";
import { live, soon } from "../live.js";
import { heardOrder } from "../order_window.js";
import { shown } from "../money.js";
import { PREPAID } from "../payment.js";
import { Printing } from "../printers.js";
import { REASONS, moneyBack, takeBack } from "../returns.js";
import { upserted } from "../rows.js";
import { say, sound } from "../say.js";
import { kindName, sentence } from "../sentences.js";
import { Refused } from "../service.js";
import * as windows from "../window.js";
import { askMail } from "./mail_window.js";
import { DayOrders } from "./orders.js";
import { label } from "./states.js";

class Day {
  rows = [];
  next = null;
  sought = "";

  constructor() {
    Object.assign(this, frame());
    this.printing = new Printing(this.service);
    this.figures = soon(() => this.#figures(), 800);
    this.orders = new DayOrders(this, (error) => this.#failed(error));
  }

  async start() {
    const state = await this.service.get("/till/state");
    this.today = state.business_day;
    const day = new URLSearchParams(location.search).get("day") ?? this.today;
    part("day").value = day;
    showCashier(state);
    this.#quota(state.quota);
    part("day").addEventListener("change", () => this.load());
    part("search").addEventListener("input", soon(() => this.load(), 250));
    part("more-rows").addEventListener("click", () => this.load(this.next));
    this.feed = live(this.data.root, (kind, said) => this.#hear(kind, said), { after: state.cursor, shown: showLive });
    await this.load();
    document.body.dataset.ready = "";
  }

  /** The list of the chosen day, or more of it. */
  async load(after = null) {
    const asked = new URLSearchParams({ day: part("day").value });
    this.sought = part("search").value.trim();
    if (this.sought) asked.set("q", this.sought);
    if (after) asked.set("after", after);
    try {
      const { invoices, next } = await this.service.get(`/till/invoices?${asked}`);
      const there = new Set(after ? this.rows.map(({ hash }) => hash) : []);
      this.rows = [...(after ? this.rows : []), ...invoices.filter(({ hash }) => !there.has(hash))];
      this.next = next ?? null;
      this.#draw();
      if (!after) {
        this.figures();
        await this.orders.load(part("day").value);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #draw() {
    part("more-rows").hidden = this.next === null;
    part("papers").hidden = !this.rows.length;
    part("papers").href = `${this.data.root}/till/day/pdf?day=${part("day").value}`;
    part("count").textContent = ngettext("%(num)s invoice", "%(num)s invoices", this.rows.length);
    if (!this.rows.length) {
      fill(part("rows"), h("p", { class: "quiet empty" }, this.sought ? _("Nothing of this day is called so.") : _("Nothing was sold on this day yet.")));
    } else fill(part("rows"), h("ul", { class: "invoices" }, this.rows.map((row) => this.#row(row))));
  }

  #row(row) {
    const red = row.state === "red";
    return h("li", { "data-hash": row.hash, "data-state": row.state },
      h("button", { type: "button", class: "what", "data-at": `open-${row.hash}`, click: () => this.open(row) },
        h("b", { class: "mono" }, row.number), h("small", {}, [this.#when(row.issued_at), row.order_id, row.till].filter(Boolean).join(" · ")),
        row.buyer_name && h("small", {}, nameOf(row))),
      h("span", { class: "state-of" }, label(row.state), h("small", {}, row.payments.map(({ kind }) => kindName(kind)).join(", "))),
      h("span", { class: "sum-of" }, shown(row.total_amount), row.state === "part" && h("small", {}, _("left %(left)s", { left: shown(row.left) }))),
      h("span", { class: "acts" },
        h("button", { type: "button", class: "step", "aria-label": _("Print again: %(number)s", { number: row.number }), "data-at": `print-${row.hash}`, click: () => this.print(row.hash, true) }, icon("printer")),
        !red && row.left > 0 ? h("button", { type: "button", class: "step", "aria-label": _("Take back: %(number)s", { number: row.number }), "data-at": `back-${row.hash}`, click: () => this.askBack(row) }, icon("undo-2")) : null));
  }

  /** The time of the day that is shown; of another day its date, too. */
  #when(text) {
    const [day, time] = [text.slice(0, 10), text.slice(11, 16)];
    return day === part("day").value ? time : `${day} ${time}`;
  }

  /** The first touch; the second one, on a reason, takes it back. */
  askBack(row) {
    const id = newId();
    windows.show(_("Take back %(number)s?", { number: row.number }), () => [
      h("p", { class: "to-pay large" }, h("span", {}, _("Goes back")), h("b", {}, shown(row.left))),
      h("p", { class: "quiet" }, row.payments.some(({ kind }) => kind === PREPAID)
        ? _("A red invoice is made, and the money goes back to the guest's prepaid account by itself. Touch why:")
        : _("A red invoice is made, and the money goes back as it was paid. Touch why:")),
      h("div", { class: "reasons" }, REASONS.map(([reason, words]) =>
        h("button", { type: "button", class: "button", "data-reason": reason, click: () => this.#back(row, id, reason) }, _(words)))),
      h("p", {}, h("a", { href: `${this.data.root}/till/invoices/${row.hash}/page` }, _("Only some lines, or an amount"))),
    ]);
  }

  async #back(row, id, reason) {
    windows.show(_("Take back"), () => h("p", { class: "sending", role: "status" }, icon("clock"), _("Sending…")), { kind: "busy" });
    try {
      const invoice = await this.service.get(`/till/invoices/${row.hash}`);
      const { invoices } = await takeBack(this.service, invoice, { id, reason, amount: invoice.left });
      windows.close();
      sound("good");
      const [red] = invoices;
      say(joined([_("Taken back: red invoice %(number)s, %(total)s.", { number: red.number, total: shown(red.total_amount) }), moneyBack(invoice)]), "good",
        button(_("Print the red slip"), () => this.print(red.hash, false), {}, "printer"));
      await this.load();
    } catch (error) {
      windows.close();
      sound("bad");
      this.#failed(error);
    }
  }

  /** Everything about one invoice. */
  async open(row) {
    try {
      const whole = await this.service.get(`/till/invoices/${row.hash}`);
      windows.show(_("Invoice %(number)s", { number: row.number }), () => this.#whole(whole), { kind: "wide" });
    } catch (error) {
      this.#failed(error);
    }
  }

  #whole(one) {
    const root = this.data.root;
    return [
      h("p", {}, label(one.state), " ", nameOf(one)),
      h("ul", { class: "paid" }, one.lines.map((line) => h("li", {}, h("span", {}, line.name, " ", h("small", { class: "quiet" }, `× ${line.quantity}`)), h("b", {}, shown(line.total))))),
      h("p", { class: "to-pay large" }, h("span", {}, _("Total")), h("b", {}, shown(one.total_amount))),
      h("ul", { class: "paid" }, one.payments.map(({ kind, amount }) => h("li", {}, kindName(kind), h("b", {}, shown(amount)))),
        (one.red ?? []).map((red) => h("li", {}, h("span", {}, _("Red invoice"), " ", h("span", { class: "mono" }, red.number)), h("b", {}, shown(red.total_amount))))),
      h("div", { class: "buttons" }, button(_("Print again"), () => this.print(one.hash, true), { class: "button" }, "printer"),
        h("a", { class: "button quiet", href: `${root}/till/invoices/${one.hash}/pdf`, target: "_blank" }, icon("receipt-text"), _("On A4 (PDF)")),
        this.data.mails ? button(_("By e-mail"), () => askMail(this.service, one), {}, "upload") : null,
        one.state !== "red" && one.left > 0 ? button(_("Take back"), () => this.askBack(one), {}, "undo-2") : null,
        one.state !== "red" && one.left > 0 ? h("a", { class: "button quiet", href: `${root}/till/invoices/${one.hash}/page` }, _("Some lines, or an amount")) : null,
        h("a", { class: "button quiet", href: `${root}/till/invoices/${one.hash}/share` }, _("Share"))),
    ];
  }

  async print(hash, copy) {
    try {
      await this.printing.print(hash, { copy });
      say(_("The slip is printed."), "good");
    } catch (error) {
      say(sentence(error.code, error), "warn");
    }
  }

  #hear(kind, said) {
    if (kind === "closed") return this.#whether();
    if (kind === "invoice" && said && !this.sought && part("day").value === this.today) {
      this.rows = upserted(this.rows, said);
      this.#draw();
      this.figures();
    } else if (kind === "invoice" || kind === "stale" || kind === "open") this.load();
    if (kind === "quota" && said) this.#quota(said);
    if (kind === "order" && said) {
      heardOrder(said);
      this.orders.heard(said, part("day").value);
    }
    return undefined;
  }

  #quota(quota) {
    const few = quota.limit !== null && quota.limit !== undefined;
    const words = few ? ngettext("%(num)s invoice left of the quota", "%(num)s invoices left of the quota", quota.left) : "";
    part("quota").hidden = !few;
    part("quota").textContent = words;
    part("quota").className = few && quota.left <= Math.max(20, quota.limit / 20) ? "quota" : "quiet";
  }

  /** The figures come as the service draws them. */
  async #figures() {
    try {
      const answer = await fetch(`${this.data.root}/till/figures/page?day=${part("day").value}`, { credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = [...part("figures").querySelectorAll("details")].map((one) => one.open);
      part("figures").replaceChildren(...page.body.childNodes);
      part("figures").querySelectorAll("details").forEach((one, at) => (one.open = open[at] ?? false));
    } catch {
      // they come with the next change
    }
  }

  #failed(error) {
    if (error instanceof Refused && error.code === "sign_in_needed") signedOut();
    else say(error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error), "bad");
  }

  async #whether() {
    try {
      await this.service.get("/till/state");
      await this.load();
    } catch (error) {
      if (!(error instanceof Refused)) return;
      this.feed.stop();
      signedOut();
    }
  }
}

/** Who bought; of somebody who was erased, that it is so, in the reader's language. */
const nameOf = (row) => (row.buyer_erased ? _("Buyer erased") : (row.buyer_name ?? ""));

new Day().start();
