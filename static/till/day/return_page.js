/** Taking back some lines of an invoice, or an amount. */
import { _, joined } from "../../ground/words.js";
import { fill, field, h, part } from "../dom.js";
import { frame, showCashier } from "../frame.js";
import { newId } from "../ids.js";
import { fenOf, millionthsOf, shown } from "../money.js";
import { REASONS, moneyBack, takeBack } from "../returns.js";
import { share } from "../rows.js";
import { say, sound } from "../say.js";
import { rateName, sentence } from "../sentences.js";
import { label } from "./states.js";

class Return {
  id = newId();
  wrong = "";

  constructor() {
    Object.assign(this, frame());
    this.hash = part("return").dataset.hash;
  }

  async start() {
    showCashier(await this.service.get("/till/state"));
    await this.load();
    document.body.dataset.ready = "";
  }

  async load() {
    try {
      this.invoice = await this.service.get(`/till/invoices/${this.hash}`);
      this.#draw();
    } catch (error) {
      say(sentence(error.code, error), "bad");
    }
  }

  #draw() {
    const { invoice } = this;
    const rates = [...new Map(invoice.lines.map((line) => [`${line.tax_rate} ${line.tax_kind ?? ""}`, line])).values()];
    fill(part("return"),
      h("h1", {}, _("Take back of %(number)s", { number: invoice.number })),
      h("p", {}, label(invoice.state), " ", _("left %(left)s", { left: shown(invoice.left) })),
      this.wrong && h("p", { class: "error", role: "alert" }, this.wrong),
      invoice.left > 0 && [
        h("form", { class: "card", submit: (event) => this.#lines(event) }, h("h2", {}, _("Some lines")),
          h("table", {}, h("thead", {}, h("tr", {}, [_("Dish"), _("Left"), _("Comes back")].map((name) => h("th", { scope: "col" }, name)))),
            h("tbody", {}, invoice.lines.filter(({ left }) => left > 0).map((line) => this.#line(line)))),
          reasons("lines"), h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take these back")))),
        h("form", { class: "card", submit: (event) => this.#amount(event) }, h("h2", {}, _("An amount")),
          field("amount", _("Amount, in yuan"), { name: "amount", inputmode: "decimal" }),
          rates.length > 1 && h("fieldset", {}, h("legend", {}, _("Tax rate")), rates.map((line, at) => h("label", { class: "choice" },
            h("input", { type: "radio", name: "rate", value: at, checked: at === 0 }), rateName(line.tax_rate, line.tax_kind)))),
          reasons("amount"), h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take it back")))),
      ],
      h("p", {}, h("a", { href: `${this.data.root}/till/day` }, _("Back to the day"))));
    this.rates = rates;
  }

  #line(line) {
    const id = fieldOf(line);
    return h("tr", {}, h("th", { scope: "row" }, h("label", { for: id }, line.name)), h("td", {}, `${line.quantity_left} · ${shown(line.left)}`),
      h("td", {}, h("input", { id, name: id, type: "text", inputmode: "decimal", autocomplete: "off", placeholder: "0" })));
  }

  #lines(event) {
    event.preventDefault();
    const lines = [];
    let amount = 0;
    for (const line of this.invoice.lines.filter(({ left }) => left > 0)) {
      const text = part(fieldOf(line)).value.trim(); // a form's elements by a number are by their place
      if (!text || /^0+$/.test(text)) continue;
      if (millionthsOf(text) === null || millionthsOf(text) > millionthsOf(line.quantity_left)) return this.#say(_("%(name)s: at most %(left)s.", { name: line.name, left: line.quantity_left }));
      lines.push({ line: line.number, quantity: text });
      amount += share(line, text);
    }
    if (!lines.length) return this.#say(_("Write how many come back."));
    return this.#send(event.target, { lines }, amount);
  }

  #amount(event) {
    event.preventDefault();
    const amount = fenOf(event.target.elements.amount.value);
    const line = this.rates[Number(event.target.elements.rate?.value ?? 0)];
    if (!amount || amount > this.invoice.left) return this.#say(_("Yuan, at most %(left)s.", { left: shown(this.invoice.left) }));
    const kind = line.tax_kind ? { tax_kind: line.tax_kind } : {};
    return this.#send(event.target, { amount, rate: line.tax_rate, ...kind }, amount);
  }

  async #send(form, what, amount) {
    form.querySelector("button").disabled = true;
    try {
      const { invoices: [red] } = await takeBack(this.service, this.invoice, { id: this.id, reason: form.elements.reason.value, what, amount });
      [this.id, this.wrong] = [newId(), ""];
      sound("good");
      const where = moneyBack(this.invoice);
      await this.load();
      say(joined([_("Taken back: red invoice %(number)s, %(total)s.", { number: red.number, total: shown(red.total_amount) }), where]), "good");
    } catch (error) {
      form.querySelector("button").disabled = false;
      this.id = newId();
      this.#say(error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error));
    }
  }

  #say(wrong) {
    sound("bad");
    say(wrong, "bad");
  }
}

const fieldOf = ({ number }) => `line-${number}`;

const reasons = (of) => h("fieldset", {}, h("legend", {}, _("Why")), REASONS.map(([reason, words], at) =>
  h("label", { class: "choice" }, h("input", { type: "radio", name: "reason", value: reason, checked: at === 0, id: `${of}-${reason}` }), _(words))));

new Return().start();
