/** What else can be done with a bill: to another table, together with another one, or dropped. */
import { _ } from "../../ground/words.js";
import { isEmpty, total } from "../bill.js";
import { button, h } from "../dom.js";
import { shown } from "../money.js";
import { say } from "../say.js";
import { placeName } from "../sentences.js";
import * as windows from "../window.js";

export function askMore(till) {
  const { desk } = till;
  const open = [...desk.bills.values()].map(({ bill }) => bill).filter((bill) => bill.id !== desk.current && !isEmpty(bill));
  const taken = new Set([...desk.bills.values()].map(({ bill }) => bill.table));
  const free = desk.state.tables.filter((table) => !taken.has(table));
  windows.show(_("This bill"), () => [
    free.length && !isEmpty(desk.bill) && h("section", {}, h("h3", {}, _("Move it to")), h("div", { class: "chips" },
      free.map((table) => h("button", { type: "button", class: "chip", click: () => move(till, table) }, placeName(table))))),
    desk.bill.table !== null && h("section", {}, h("h3", {}, _("Bring in the bill of")), h("div", { class: "chips" },
      open.filter(({ version }) => version).map((bill) => h("button", { type: "button", class: "chip", click: () => act(till, () => desk.merge(bill.id)) },
        placeName(bill.table), h("small", {}, shown(total(bill)))))), open.some(({ version }) => version) ? null : h("p", { class: "quiet" }, _("No other table has a bill."))),
    h("section", {}, h("h3", {}, _("Drop it")), h("p", { class: "quiet" }, _("All its lines go; nothing was sold.")),
      button(_("Drop the bill"), () => act(till, () => desk.drop()), { disabled: isEmpty(desk.bill) }, "trash-2")),
  ]);
}

function move(till, table) {
  till.desk.edit((bill) => ({ ...bill, table }));
  windows.close();
}

async function act(till, work) {
  windows.close();
  try {
    await work();
  } catch (error) {
    say(till.why(error), "bad");
  }
}
