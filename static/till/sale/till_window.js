/** Which till this browser is: chosen once, kept by the session. */
import { _ } from "../../ground/words.js";
import { field, h } from "../dom.js";
import * as windows from "../window.js";

/** Asks; `taken()` once it is known. */
export function askTill(till, taken) {
  const { data, service, desk } = till;
  let wrong = "";
  const act = async (path, body, window_) => {
    try {
      await service.change("POST", path, body);
      windows.close();
      await taken();
    } catch (error) {
      wrong = till.why(error);
      window_.again();
    }
  };
  windows.show(_("Which till is this?"), (window_) => [
    wrong && h("p", { class: "error", role: "alert" }, wrong),
    h("div", { class: "chips" }, desk.state.tills.map(({ id, name }) =>
      h("button", { type: "button", class: "chip", click: () => act("/till/here", { till: id }, window_) }, name))),
    desk.state.tills.length ? null : data.owner ? first(window_, act) : h("p", {}, _("No till has a name yet: the owner gives the first one under Settings.")),
  ]);
}

const first = (window_, act) => h("form", { submit: (event) => {
  event.preventDefault();
  const name = event.target.elements.name.value.trim();
  if (name) act("/till/tills", { name }, window_);
} },
  h("p", {}, _("Invoices say at which till they were made. Give this one a name.")),
  field("till-name", _("Name of the till"), { name: "name", maxlength: 32, value: _("Till 1"), autofocus: true }),
  h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take it over"))));
