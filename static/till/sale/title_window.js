/** Whose invoice it is: a company's title, remembered, typed, or scanned from its code. */
import { _ } from "../../ground/words.js";
import { withBuyer } from "../bill.js";
import { button, field, fill, h } from "../dom.js";
import { say, sound, whisper } from "../say.js";
import { sentence } from "../sentences.js";
import { buyerOf, looksLikeTaxId, readTitle } from "../title.js";
import * as windows from "../window.js";

/** What a scanner read: the title of whoever is served now. */
export function scannedTitle(till, text, take) {
  const title = readTitle(text);
  if (!title) {
    sound("bad");
    return say(sentence("title_unreadable"), "bad");
  }
  sound("good");
  take(buyerOf(title));
  whisper(_("Title: %(name)s", { name: title.name }));
  if (!title.sure) say(_("The title's check sum does not fit: compare it. %(name)s %(tax_id)s", title), "warn");
  return undefined;
}

/** Asks for a title; `take(buyer)` gets it, null for none. */
export function askTitle(till, buyer, take) {
  let [wrong, typed] = [{}, { name: buyer?.name ?? "", tax_id: buyer?.tax_id ?? "" }];
  const chosen = (one) => {
    take(one);
    windows.close();
  };
  const known = h("ul", { class: "found", id: "titles" });
  windows.show(_("Title of a company"), (window_) => h("form", {
    submit: (event) => {
      event.preventDefault();
      typed = Object.fromEntries(new FormData(event.target));
      wrong = faults(typed);
      if (Object.keys(wrong).length) window_.again();
      else chosen(kept(buyer, typed));
    },
    input: (event) => event.target.name === "name" && remembered(till, event.target.value, known, chosen),
  },
    h("p", { class: "hint" }, _("Scan the title code with the scanner, or type.")),
    field("title-name", _("Company's name"), { name: "name", maxlength: 100, value: typed.name, autofocus: true }, wrong.name), known,
    field("title-id", _("Tax id; empty for a public body or a foreign firm"), { name: "tax_id", maxlength: 20, autocapitalize: "characters", spellcheck: "false", value: typed.tax_id }, wrong.tax_id),
    h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take it over")),
      buyer && button(_("No title"), () => chosen(null)))));
}

function faults({ name, tax_id: taxId }) {
  const found = {};
  if (!name.trim()) found.name = _("What is the company called?");
  if (taxId.trim() && !looksLikeTaxId(taxId)) found.tax_id = _("A tax id has 18 characters, without I, O, S, V and Z.");
  return found;
}

/** What was typed; the rest of the title as it was, if it is still the same company's. */
function kept(buyer, typed) {
  const same = buyer && buyer.tax_id === typed.tax_id.trim().toUpperCase();
  return buyerOf({ ...typed, address_phone: same ? buyer.address_phone : "" });
}

let asked = 0;

async function remembered(till, text, list, chosen) {
  asked += 1;
  const mine = asked;
  if (text.trim().length < 2) return fill(list);
  const { titles } = await till.service.get(`/till/titles?q=${encodeURIComponent(text.trim())}`).catch(() => ({ titles: [] }));
  if (mine !== asked) return undefined;
  return fill(list, titles.slice(0, 6).map((title) => h("li", {},
    h("button", { type: "button", class: "row", click: () => chosen(buyerOf({ tax_id: "", ...title })) },
      h("b", {}, title.name), h("small", { class: "mono" }, title.tax_id ?? "")))));
}

/** The title of the bill that is worked at. */
export const askBillTitle = (till) =>
  askTitle(till, till.desk.bill.buyer ?? null, (buyer) => till.desk.edit((bill) => withBuyer(bill, buyer)));
