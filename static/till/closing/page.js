/** Opening and closing a till: the drawer counted by pieces, and what differs. */
import { _ } from "../../ground/words.js";
import { button, field, fill, h, part } from "../dom.js";
import { frame, showCashier } from "../frame.js";
import { newId } from "../ids.js";
import { fenOf, shown } from "../money.js";
import { say, sound } from "../say.js";
import { kindName, placeName, sentence } from "../sentences.js";
import { PIECES, counted } from "./count.js";

const OTHERS = ["wechat", "alipay", "card", "other"];

class Closing {
  open = null; // named where bills are open
  begun = null; // named where a sale was begun and is not finished: it belongs to this shift
  id = newId();

  constructor() {
    Object.assign(this, frame());
  }

  async start() {
    try {
      this.state = await this.service.get("/till/state");
      showCashier(this.state);
      this.draw();
      await this.#past();
    } catch (error) {
      this.#failed(error);
    }
    document.body.dataset.ready = "";
  }

  draw() {
    const { shift } = this.state;
    fill(part("shift"), shift ? this.#close(shift) : this.#begin());
  }

  #begin() {
    return h("form", { submit: (event) => this.#opened(event) }, h("h2", {}, _("The till is closed")),
      h("p", {}, _("It opens by itself with the first sale; open it here if there is change in the drawer.")),
      field("float", _("Change in the drawer, in yuan"), { name: "float", inputmode: "decimal", value: "0" }),
      h("div", { class: "buttons" }, h("button", { class: "button" }, _("Open the till"))));
  }

  #close(shift) {
    return h("form", { submit: (event) => this.#closed(event, shift), input: () => this.#sum() },
      h("h2", {}, _("Count the drawer")),
      h("p", { class: "quiet" }, _("Opened at %(time)s by %(name)s, with %(float)s.", { time: shift.opened_at.slice(0, 16).replace("T", " "), name: shift.by.name, float: shown(shift.float) })),
      h("div", { class: "pieces" }, PIECES.map((piece) => h("div", { class: "field" },
        h("label", { for: `piece-${piece}` }, _("%(piece)s ×", { piece: shown(piece) })),
        h("input", { id: `piece-${piece}`, name: `piece-${piece}`, type: "text", inputmode: "numeric", autocomplete: "off", placeholder: "0" })))),
      h("p", { class: "to-pay large" }, h("span", {}, _("In the drawer")), h("b", { id: "drawer", role: "status" }, shown(0))),
      h("details", {}, h("summary", {}, _("Other ways of payment, as their own lists say")), OTHERS.map((kind) =>
        field(`counted-${kind}`, _("%(kind)s, in yuan", { kind: kindName(kind) }), { name: kind, inputmode: "decimal" }))),
      field("note", _("A note, if something is to be known"), { name: "note", maxlength: 200 }),
      this.begun && h("p", { class: "error", role: "alert" }, _("Sales are not finished: %(bills)s. Finish each of them where it is sold, and close then.", { bills: this.begun })),
      this.open && h("p", { class: "error", role: "alert" }, _("Bills are open: %(bills)s. Settle them, or leave them to the next shift.", { bills: this.open }),
        h("label", { class: "choice" }, h("input", { type: "checkbox", name: "carry" }), _("Leave them open"))),
      h("div", { class: "buttons" }, h("button", { class: "button" }, _("Close the till"))));
  }

  #pieces() {
    return PIECES.map((piece) => [piece, part(`piece-${piece}`).value]);
  }

  #sum() {
    const sum = counted(this.#pieces());
    part("drawer").textContent = sum === null ? "—" : shown(sum);
  }

  async #opened(event) {
    event.preventDefault();
    const float = fenOf(event.target.elements.float.value);
    if (float === null) return this.#wrong(_("Yuan, like 500 or 12.50."));
    return this.#do(async () => {
      await this.service.insist("POST", "/till/shifts", { id: this.id, till: this.#till(), float });
      this.id = newId();
      await this.start();
      say(_("The till is open."), "good");
    });
  }

  #till() {
    return this.state.till?.id ?? "1";
  }

  async #closed(event, shift) {
    event.preventDefault();
    const form = event.target.elements;
    const cash = counted(this.#pieces());
    if (cash === null) return this.#wrong(_("Of each note and coin a whole number."));
    const said = { cash };
    for (const kind of OTHERS.filter((one) => form[one].value.trim())) {
      const amount = fenOf(form[kind].value);
      if (amount === null) return this.#wrong(_("%(kind)s: yuan, like 500 or 12.50.", { kind: kindName(kind) }));
      said[kind] = amount;
    }
    const asked = { counted: said, ...(form.note.value.trim() ? { note: form.note.value.trim() } : {}), ...(form.carry?.checked ? { carry: true } : {}) };
    return this.#do(async () => this.#done(await this.service.insist("POST", `/till/shifts/${shift.id}/close`, asked)));
  }

  async #done(shift) {
    [this.open, this.begun] = [null, null];
    await this.start();
    fill(part("result"), result(shift, true));
    part("result").scrollIntoView({ block: "nearest" });
    sound("good");
    say(_("The till is closed."), "good");
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      if (error.code === "bills_open") {
        this.state = await this.service.get("/till/state").catch(() => this.state);
        const ids = error.problem.bills ?? [];
        const begun = ids.filter((id) => this.#bill(id)?.settling);
        this.begun = this.#named(begun);
        this.open = this.#named(ids.filter((id) => !begun.includes(id)));
        this.#keepAndDraw();
      }
      this.#failed(error);
    }
  }

  /** Draw anew, with what was typed. */
  #keepAndDraw() {
    const typed = [...part("shift").querySelectorAll("input[name]")].map((input) => [input.name, input.value]);
    this.draw();
    for (const [name, value] of typed) {
      const input = part("shift").querySelector(`input[name="${name}"]:not([type=checkbox])`);
      if (input) input.value = value;
    }
    this.#sum();
  }

  #bill(id) {
    return this.state.bills.find((bill) => bill.id === id);
  }

  /** Where these bills are; null for none. */
  #named(ids) {
    return ids.length ? ids.map((id) => placeName(this.#bill(id)?.table)).join(", ") : null;
  }

  async #past() {
    const month = this.state.business_day.slice(0, 7);
    const { shifts } = await this.service.get(`/till/shifts?month=${month}`);
    const closed = shifts.filter((shift) => shift.closed_at);
    fill(part("past"), closed.length ? closed.map((shift) => h("details", { class: "card" },
      h("summary", {}, h("b", {}, shift.business_day), " ", shift.till, " · ", shift.closed_by?.name ?? "", " · ", differs(shift)), result(shift)))
      : h("p", { class: "quiet" }, _("No till was closed this month.")));
  }

  #wrong(text) {
    sound("bad");
    say(text, "bad");
  }

  #failed(error) {
    this.#wrong(error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error));
  }
}

const sumOf = (amounts) => Object.values(amounts).reduce((sum, one) => sum + one, 0);

function differs({ difference }) {
  const sum = sumOf(difference);
  return sum === 0 ? _("nothing differs") : _("differs by %(amount)s", { amount: shown(sum) });
}

function result(shift, fresh = false) {
  const kinds = [...new Set([...Object.keys(shift.expected), ...Object.keys(shift.counted)])];
  const cell = (amount) => h("td", { class: "number" }, amount === undefined ? "—" : shown(amount));
  return h("section", { class: fresh ? "card" : "" }, fresh && h("h2", {}, _("Closed: %(difference)s", { difference: differs(shift) })),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, _("Way")), [_("Should be"), _("Counted"), _("Difference")].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, kinds.map((kind) => h("tr", {}, h("th", { scope: "row" }, kindName(kind)), cell(shift.expected[kind]), cell(shift.counted[kind]), cell(shift.difference[kind]))))),
    shift.note && h("p", {}, shift.note),
    shift.figures && h("p", {}, _("Sold %(total)s, taken back %(returned)s: %(net)s.", { total: shown(shift.figures.total), returned: shown(shift.figures.returned), net: shown(shift.figures.net) })),
    fresh && button(_("Print this page"), () => globalThis.print(), {}, "printer"));
}

new Closing().start();
