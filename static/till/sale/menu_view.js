/** The left side: tables, categories, dishes, and the field that takes codes and names. */
import { _ } from "../../ground/words.js";
import { isEmpty, total, withItem } from "../bill.js";
import { button, fill, h, icon, part } from "../dom.js";
import { asked, byCategory, search, withCode } from "../menu.js";
import { shown } from "../money.js";
import { placeName } from "../sentences.js";
import { say, sound, whisper } from "../say.js";
import { askOwnLine } from "./line_window.js";

const ALL = "";
const SHORT = 6; // signs of a code that somebody types; longer ones are scanned

export class MenuView {
  category = ALL;

  constructor(till) {
    this.till = till;
    this.find = part("dish-code");
    this.find.addEventListener("input", () => this.#dishes());
    this.find.addEventListener("keydown", (event) => event.key === "Enter" && this.#enter(event));
    part("own-line").addEventListener("click", () => askOwnLine(till));
  }

  draw() {
    this.#places();
    this.#categories();
    this.#dishes();
  }

  /** To the field: what is typed next goes there. */
  focus() {
    this.find.focus();
    this.find.select();
  }

  clear() {
    this.find.value = "";
    this.#dishes();
  }

  /** What a scanner read, or somebody typed in full. */
  addCode(code) {
    const item = withCode(this.till.desk.state.menu, code);
    if (item) this.add(item);
    else {
      this.find.select();
      sound("bad");
      say(_("No dish has the code %(code)s.", { code }), "warn");
    }
    return Boolean(item);
  }

  add(item, quantity = "1") {
    this.till.desk.edit((bill) => withItem(bill, item, quantity));
    sound("good");
    whisper(_("%(name)s added, %(total)s in all.", { name: item.name, total: shown(total(this.till.desk.bill)) }));
  }

  #enter(event) {
    event.preventDefault();
    const { quantity, text } = asked(this.find.value);
    if (!text) return;
    const [found] = search(this.till.desk.state.menu, text);
    if (found) {
      this.add(found, quantity);
      this.clear();
    } else this.addCode(text);
  }

  #places() {
    const { desk } = this.till;
    const bills = [...desk.bills.values()].map(({ bill }) => bill);
    const unfinished = bills.filter(({ settling }) => settling);
    const open = new Map([...unfinished.filter(({ table }) => table !== null), ...bills.filter(({ settling }) => !settling)].map((bill) => [bill.table, bill]));
    const extra = [...open.keys()].filter((table) => table !== null && !desk.state.tables.includes(table));
    const chip = (table, name) => {
      const bill = open.get(table);
      const some = bill && !isEmpty(bill);
      return h("button", {
        type: "button", class: `chip${some ? " some" : ""}`, "data-at": `place-${table ?? ""}`,
        "aria-pressed": String(desk.bill.table === table && !desk.bill.settling), click: () => desk.choose(table),
      }, name, some && h("small", {}, shown(total(bill))));
    };
    const begun = (bill) => h("button", {
      type: "button", class: "chip begun", "data-at": `begun-${bill.id}`, "aria-pressed": String(desk.current === bill.id), click: () => desk.open(bill.id),
    }, icon("clock"), _("Not finished: %(place)s", { place: placeName(bill.table) }), h("small", {}, shown(total(bill))));
    fill(part("places"), unfinished.map(begun), chip(null, placeName(null)),
      [...desk.state.tables, ...extra].map((table) => chip(table, placeName(table))));
  }

  #categories() {
    const names = byCategory(this.till.desk.state.menu).map(([name]) => name);
    const chip = (category, name) => h("button", {
      type: "button", class: "chip", "data-at": `category-${category}`, "aria-pressed": String(this.category === category),
      click: () => {
        this.category = category;
        this.clear();
        this.#categories();
      },
    }, name);
    fill(part("categories"), names.length > 1 && [chip(ALL, _("All")), names.map((name) => chip(name, name))]);
  }

  #dishes() {
    const { menu } = this.till.desk.state;
    const { text } = asked(this.find.value);
    const found = text ? [["", search(menu, text)]] : byCategory(menu).filter(([name]) => [ALL, name].includes(this.category));
    if (!menu.length) return this.#empty();
    if (text && !found[0][1].length) return fill(part("dishes"), h("p", { class: "quiet" }, _("Nothing on the menu is called so.")));
    return fill(part("dishes"), found.map(([name, items]) => [name && h("h2", {}, name), h("ul", { class: "tiles" }, items.map((item) => this.#tile(item)))]));
  }

  #tile(item) {
    return h("li", {}, h("button", { type: "button", class: "tile", "data-at": `dish-${item.id}`, click: () => this.add(item) },
      h("span", { class: "dish" }, item.name),
      h("span", { class: "foot-of" }, h("b", {}, shown(item.price)), item.code && item.code.length <= SHORT && h("small", {}, item.code))));
  }

  #empty() {
    const { data } = this.till;
    fill(part("dishes"), h("div", { class: "card" }, h("h2", {}, _("The menu is empty")),
      h("p", {}, _("Write it once, or bring it from a file. Until then each line can be typed with its price.")),
      h("div", { class: "buttons" },
        data.owner && h("a", { class: "button", href: `${data.root}/till/settings` }, icon("pencil"), _("Write the menu")),
        button(_("Type a line"), () => askOwnLine(this.till)))));
  }
}
