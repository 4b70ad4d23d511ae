/** One bill, several guests: evenly, or by what each has had; each part gets its own invoice. */
import { _ } from "../../ground/words.js";
import { total } from "../bill.js";
import { h } from "../dom.js";
import { quantityText, shown } from "../money.js";
import { MOST_PARTS, allToFirst, byDish, evenly, moved, totals } from "../split.js";
import * as windows from "../window.js";

export function askSplit(till) {
  const { bill } = till.desk;
  let [parts, dishes] = [2, false];
  let taken = allToFirst(bill, parts);
  windows.show(_("Split the bill"), (window_) => {
    const set = (change) => () => {
      change();
      window_.again();
    };
    const found = dishes ? byDish(bill, taken) : evenly(bill, parts);
    const amounts = dishes ? totals(bill, taken) : found.map(({ amount }) => amount);
    return [
      chips(_("Guests"), [2, 3, 4, 5].filter((one) => one <= MOST_PARTS), parts, (one) => set(() => {
        parts = one;
        taken = allToFirst(bill, parts);
      })),
      h("div", { class: "chips", role: "group", "aria-label": _("How") },
        chip(_("Evenly"), !dishes, set(() => (dishes = false)), "even"),
        chip(_("By dish"), dishes, set(() => (dishes = true)), "by-dish")),
      dishes ? table(bill, taken, (line, part) => set(() => (taken = moved(taken, line, part)))) : null,
      h("ul", { class: "parts" }, amounts.map((amount, at) => h("li", {}, _("Guest %(number)s", { number: at + 1 }), h("b", {}, shown(amount))))),
      dishes && !found && h("p", { class: "hint" }, _("Touch a guest's field to give one more to them, until each has something.")),
      h("div", { class: "buttons" }, h("button", {
        type: "button", class: "button", "data-at": "go", disabled: !found, click: () => till.pay(found.map((part, at) => ({ ...part, total: amounts[at] }))),
      }, _("Pay %(total)s in %(parts)s parts", { total: shown(total(bill)), parts }))),
    ];
  }, { kind: "wide" });
}

const chip = (name, pressed, click, at) =>
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
