/** One bill, several guests: evenly, or by what each has had; each part gets its own invoice. */
import { _ } from "../../ground/words.js";
import { total } from "../bill.js";
import { h } from "../dom.js";
import { quantityText, shown } from "../money.js";
import { MOST_PARTS, allToFirst, byDish, evenly, moved, totals } from "../split.js";
import * as windows from "../window.js";

/** How a bill is shared, while it is chosen. */
export class Sharing {
  #bill;
  #dishes = false;

  /** Among `least` guests, or more. */
  constructor(bill, least) {
    this.#bill = bill;
    this.least = least;
    this.#among(least);
  }

  #among(parts) {
    this.parts = parts;
    this.taken = allToFirst(this.#bill, parts);
  }

  get byDish() {
    return this.#dishes && this.parts > 1;
  }

  /** The parts as they are sent; null while one of them has nothing. */
  get found() {
    return this.byDish ? byDish(this.#bill, this.taken) : evenly(this.#bill, this.parts);
  }

  /** What each comes to. */
  get amounts() {
    return this.byDish ? totals(this.#bill, this.taken) : this.found.map(({ amount }) => amount);
  }

  /** What is touched to choose; `again()` draws it anew. */
  draw(again) {
    const set = (change) => () => {
      change();
      again();
    };
    const numbers = Array.from({ length: MOST_PARTS - this.least + 1 }, (_none, at) => this.least + at);
    const { parts, byDish: dishes } = this;
    return [
      chips(_("Guests"), numbers, parts, (one) => set(() => this.#among(one))),
      parts > 1 && h("div", { class: "chips", role: "group", "aria-label": _("How") },
        chip(_("Evenly"), !dishes, set(() => (this.#dishes = false)), "even"),
        chip(_("By dish"), dishes, set(() => (this.#dishes = true)), "by-dish")),
      dishes ? table(this.#bill, this.taken, (line, part) => set(() => (this.taken = moved(this.taken, line, part)))) : null,
      parts > 1 && h("ul", { class: "parts" }, this.amounts.map((amount, at) => h("li", {}, _("Guest %(number)s", { number: at + 1 }), h("b", {}, shown(amount))))),
      dishes && !this.found && h("p", { class: "hint" }, _("Touch a guest's field to give one more to them, until each has something.")),
    ];
  }
}

export function askSplit(till) {
  const { bill } = till.desk;
  const sharing = new Sharing(bill, 2);
  windows.show(_("Split the bill"), (window_) => {
    const { found, amounts, parts } = sharing;
    return [
      sharing.draw(window_.again),
      h("div", { class: "buttons" }, h("button", {
        type: "button", class: "button", "data-at": "go", disabled: !found, click: () => till.pay(found.map((part, at) => ({ ...part, total: amounts[at] }))),
      }, _("Pay %(total)s in %(parts)s parts", { total: shown(total(bill)), parts }))),
    ];
  }, { kind: "wide" });
}

export const chip = (name, pressed, click, at) =>
  h("button", { type: "button", class: "chip", "aria-pressed": String(pressed), "data-at": at, click }, name);

const chips = (name, values, chosen, click) =>
  h("div", { class: "chips", role: "group", "aria-label": name }, h("span", {}, name),
    values.map((one) => chip(String(one), one === chosen, click(one), `parts-${one}`)));

function table(bill, taken, give) {
  const name = (line, part) => _("One %(name)s to guest %(number)s", { name: line.name, number: part + 1 });
  return h("div", { class: "scrolls" }, h("table", { class: "split" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, _("Dish")), taken[0].map((_taken, at) => h("th", { scope: "col" }, String(at + 1))))),
    h("tbody", {}, bill.lines.map((line, at) => h("tr", {}, h("th", { scope: "row" }, line.name),
      taken[at].map((has, part) => h("td", {}, h("button", {
        type: "button", class: `chip${has > 0n ? " some" : ""}`, "data-at": `give-${at}-${part}`, click: give(at, part),
      }, has > 0n ? quantityText(has) : "·", h("span", { class: "heard" }, name(line, part))))))))));
}
