/** What a till is set up with: menu, tables, tills, and the printer of this browser. */
import { _, N_, ngettext } from "../../ground/words.js";
import { button, field, fill, h, icon, part } from "../dom.js";
import { frame, showCashier } from "../frame.js";
import { newId } from "../ids.js";
import * as printers from "../printers.js";
import { say, sound } from "../say.js";
import { rateName, sentence } from "../sentences.js";
import { FIELDS, dishesOf, fieldsOf, joined, tablesOf } from "./rows.js";

const FAULTS = {
  name_missing: N_("A dish needs a name."),
  price_unreadable: N_("Its price in yuan, like 28 or 28.50."),
  code_twice: N_("Another dish has this code."),
};
const NAMES = { name: N_("Dish"), category: N_("Category"), price: N_("Price with tax, in yuan"), tax_rate: N_("Tax rate"), code: N_("Dish code") };
const WAYS = {
  browser: [N_("The browser's own print"), N_("For every printer that the system knows.")],
  serial: [N_("Serial line or Bluetooth"), N_("A receipt printer on a serial port; Chrome and Edge.")],
  usb: [N_("USB"), N_("A receipt printer on USB; Chrome and Edge, not on Windows.")],
  bridge: [N_("Network, by the print bridge"), N_("A printer on the network; the bridge runs on this machine.")],
};

class Settings {
  constructor() {
    Object.assign(this, frame());
  }

  async start() {
    try {
      this.state = await this.service.get("/till/state");
      this.rows = [...this.state.menu].sort((a, b) => a.position - b.position).map(fieldsOf);
      showCashier(this.state);
      if (this.data.owner) this.#owners();
      this.#tills();
      this.#printer();
    } catch (error) {
      this.#failed(error);
    }
    document.body.dataset.ready = "";
  }

  #owners() {
    this.#menu([]);
    part("tables").value = this.state.tables.join("\n");
    part("tables-form").addEventListener("submit", (event) => this.#saveTables(event));
    part("menu-form").addEventListener("submit", (event) => this.#saveMenu(event));
    part("menu-file").addEventListener("change", (event) => this.#import(event));
    part("menu-add").addEventListener("click", () => this.#add());
  }

  #menu(faults) {
    const wrong = (at, name) => faults.find((one) => one.at === at && one.field === name);
    if (!this.rows.length) this.rows = [this.#blank()];
    fill(part("menu"), h("table", { class: "menu" },
      h("thead", {}, h("tr", {}, FIELDS.map((name) => h("th", { scope: "col" }, _(NAMES[name]))), h("th", {}, h("span", { class: "heard" }, _("Edit"))))),
      h("tbody", {}, this.rows.map((row, at) => h("tr", { "data-at": at }, FIELDS.map((name) => this.#cell(row, at, name, wrong(at, name))),
        h("td", { class: "acts" },
          at > 0 && h("button", { type: "button", class: "step", "aria-label": _("Further up: %(name)s", { name: row.name }), "data-at": `up-${at}`, click: () => this.#up(at) }, icon("chevron-down")),
          h("button", { type: "button", class: "step", "aria-label": _("Remove %(name)s", { name: row.name }), "data-at": `gone-${at}`, click: () => this.#gone(at) }, icon("trash-2"))))))));
    part("menu-count").textContent = ngettext("%(num)s dish", "%(num)s dishes", this.rows.filter(({ name }) => name.trim()).length);
  }

  #cell(row, at, name, wrong) {
    const label = `${_(NAMES[name])} ${at + 1}`;
    const about = wrong ? { "aria-invalid": "true", "aria-describedby": `wrong-${at}-${name}` } : {};
    const change = (event) => (row[name] = event.target.value);
    const input = name === "tax_rate"
      ? h("select", { "aria-label": label, change }, this.#rates(row.tax_rate).map((rate) => h("option", { value: rate, selected: rate === row.tax_rate }, rateName(rate, rate === row.tax_rate ? row.tax_kind : undefined))))
      : h("input", { type: "text", "aria-label": label, value: row[name], autocomplete: "off", maxlength: name === "name" ? 100 : 40, inputmode: name === "price" ? "decimal" : null, input: change, ...about });
    return h("td", { class: `of-${name}` }, input, wrong && h("small", { class: "error", id: `wrong-${at}-${name}` }, _(FAULTS[wrong.code])));
  }

  #rates(own) {
    return [...new Set([own, ...this.state.rates])];
  }

  #blank() {
    const last = this.rows.at(-1);
    return { id: newId(), name: "", category: last?.category ?? "", price: "", tax_rate: last?.tax_rate ?? usual(this.state.rates), code: "" };
  }

  #add() {
    this.rows = [...this.rows, this.#blank()];
    this.#menu([]);
    part("menu").querySelector("tbody tr:last-child input").focus();
  }

  #gone(at) {
    this.rows = this.rows.filter((_row, n) => n !== at);
    this.#menu([]);
  }

  #up(at) {
    const rows = [...this.rows];
    [rows[at - 1], rows[at]] = [rows[at], rows[at - 1]];
    this.rows = rows;
    this.#menu([]);
  }

  async #saveMenu(event) {
    event.preventDefault();
    const { items, faults } = dishesOf(this.rows, newId);
    if (faults.length) {
      this.#menu(faults);
      part("menu").querySelector("[aria-invalid]").focus();
      return this.#wrong(_(FAULTS[faults[0].code]));
    }
    return this.#do(async () => {
      const { version } = await this.service.change("PUT", "/till/menu", { version: this.state.versions.menu, items });
      this.state.versions.menu = version;
      this.rows = items.map(fieldsOf);
      this.#menu([]);
      say(_("The menu is kept; all tills have it now."), "good");
    });
  }

  async #import(event) {
    const [file] = event.target.files;
    if (!file) return;
    await this.#do(async () => {
      const kind = file.name.toLowerCase().endsWith(".xlsx") ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" : "text/csv";
      const answer = await this.service.sendFile("/till/menu/file", file, kind);
      this.rows = joined(this.rows, answer.items);
      this.#menu([]);
      const read = ngettext("%(num)s dish was read: look at it, and keep it.", "%(num)s dishes were read: look at them, and keep them.", answer.items.length);
      say(answer.refused.length ? `${read} ${refusedLines(answer.refused)}` : read, answer.refused.length ? "warn" : "good");
    });
    event.target.value = "";
  }

  #saveTables(event) {
    event.preventDefault();
    const tables = tablesOf(part("tables").value);
    if (tables === null) return this.#wrong(_("Each table once, 500 at most, with names of up to 32 signs."));
    return this.#do(async () => {
      const { version } = await this.service.change("PUT", "/till/tables", { version: this.state.versions.tables, tables });
      this.state.versions.tables = version;
      part("tables").value = tables.join("\n");
      say(_("The tables are kept."), "good");
    });
  }

  #tills() {
    const { till, tills } = this.state;
    fill(part("tills"), tills.map((one) => h("li", {}, h("label", { class: "choice" },
      h("input", { type: "radio", name: "here", value: one.id, checked: one.id === till?.id, change: () => this.#here(one.id) }), one.name, one.id === till?.id ? h("small", { class: "quiet" }, _("this browser")) : null),
      this.data.owner && tills.length > 1 && button(_("Remove"), () => this.#removeTill(one.id), { "aria-label": _("Remove %(name)s", { name: one.name }) }))),
    !tills.length && h("li", { class: "quiet" }, _("None has a name yet: this browser sells as the only till.")));
    if (!this.data.owner) return;
    fill(part("new-till"), field("till-name", _("A further till"), { name: "name", maxlength: 32 }), h("button", { class: "button quiet" }, _("Add it")));
    part("new-till").onsubmit = (event) => {
      event.preventDefault();
      const name = part("till-name").value.trim();
      if (name) this.#again(() => this.service.change("POST", "/till/tills", { name }));
    };
  }

  #here(till) {
    return this.#again(() => this.service.change("POST", "/till/here", { till }), _("This browser is that till now."));
  }

  #removeTill(id) {
    return this.#again(() => this.service.change("DELETE", `/till/tills/${encodeURIComponent(id)}`));
  }

  #again(work, said = "") {
    return this.#do(async () => {
      await work();
      this.state = await this.service.get("/till/state");
      this.#tills();
      if (said) say(said, "good");
    });
  }

  #printer() {
    const now = printers.settings();
    const keep = (values) => {
      printers.keep(values);
      this.#printer();
    };
    const radio = (name, value, text, hint) => h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked: String(now[name]) === String(value), "data-at": `${name}-${value}`, change: () => keep({ [name]: value }) }), h("span", {}, text, hint && h("small", { class: "quiet" }, " ", hint)));
    const check = (name, text) => h("label", { class: "choice" }, h("input", { type: "checkbox", checked: now[name], "data-at": name, change: (event) => keep({ [name]: event.target.checked }) }), text);
    fill(part("printer"),
      h("fieldset", { class: "long" }, h("legend", {}, _("How this browser prints")), printers.WAYS.map((way) => radio("way", way, _(WAYS[way][0]), _(WAYS[way][1])))),
      h("fieldset", {}, h("legend", {}, _("Paper")), [58, 80].map((width) => radio("width", width, _("%(width)s mm", { width })))),
      h("fieldset", {}, h("legend", {}, _("Slip")), radio("form", "full", _("Full")), radio("form", "short", _("Short")), radio("form", "electronic", _("Only the code"))),
      h("fieldset", {}, h("legend", {}, _("With a sale")), check("atOnce", _("Print at once")), check("drawer", _("Open the drawer for cash"))),
      now.way === "serial" && h("fieldset", {}, h("legend", {}, _("Speed")), [9600, 19_200, 38_400, 115_200].map((rate) => radio("baudRate", rate, String(rate)))),
      (now.way === "serial" || now.way === "usb") && button(_("Choose the printer"), () => this.#choose(now), { "data-at": "choose" }, "printer"),
      now.way === "bridge" && h("p", { class: "hint" }, _("Start it on this machine:"), " ", h("code", {}, `fapiao print-bridge PRINTER --origin ${location.origin}`)));
  }

  async #choose(now) {
    try {
      await printers.choose(now.way, now);
      say(_("The printer is chosen; the next slip goes there."), "good");
    } catch (error) {
      say(sentence(error.code, error), "warn");
    }
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
  }

  #wrong(text) {
    sound("bad");
    say(text, "bad");
  }

  #failed(error) {
    this.#wrong(error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error));
  }
}

/** What restaurants have, where it is in force. */
const usual = (rates) => (rates.includes("0.06") ? "0.06" : rates.at(-1));

/** The first ten, each with its cause. */
const refusedLines = (refused) => [
  ngettext("%(num)s line was not read.", "%(num)s lines were not read.", refused.length),
  ...refused.slice(0, 10).map(({ line, title }) => _("Line %(line)s: %(why)s.", { line, why: title })),
].join(" ");

new Settings().start();
