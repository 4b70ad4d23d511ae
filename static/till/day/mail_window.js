/** An invoice by e-mail: where to, once; what became of those before. */
import { _ } from "../../ground/words.js";
import { field, h, icon } from "../dom.js";
import { say, sound } from "../say.js";
import { sentence } from "../sentences.js";
import * as windows from "../window.js";

const STATES = {
  waiting: () => _("a letter is on its way"),
  sent: () => _("a letter was sent"),
  failed: () => _("a letter could not be sent"),
};

/** Ask where an invoice goes, and have it sent; the address is kept until then, and no longer. */
export async function askMail(service, { hash, number }) {
  const { mails } = await service.get(`/till/invoices/${hash}/mails`).catch(() => ({ mails: [] }));
  let wrong = "";
  return windows.show(_("Invoice %(number)s by e-mail", { number }), (shown) => {
    const send = async (event) => {
      event.preventDefault();
      const to = event.target.elements.to.value.trim();
      try {
        await service.change("POST", `/till/invoices/${hash}/mail`, { to, language: document.documentElement.lang.slice(0, 2) });
        windows.close();
        say(_("The invoice is sent within a minute or two."), "good");
      } catch (error) {
        sound("bad");
        wrong = error.name === "Away" ? _("No line to the service: try again.") : sentence(error.code, error);
        shown.again();
      }
    };
    return h("form", { submit: send },
      mails.length > 0 && h("ul", { class: "plain" }, mails.map(({ state, at }) => h("li", {}, `${new Date(at * 1000).toLocaleString()} · ${STATES[state]()}`))),
      field("to", _("The customer's address"), { name: "to", type: "email", maxlength: 254, required: true, autofocus: true, autocomplete: "off" }, wrong),
      h("p", { class: "quiet" }, _("PDF and proof go to this address once. It is deleted when they are sent.")),
      h("div", { class: "buttons" }, h("button", { class: "button" }, icon("upload"), _("Send"))));
  });
}
