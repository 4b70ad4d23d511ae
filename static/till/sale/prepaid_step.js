/** Paying from an account of money paid in advance: its code, what it holds, what is left then. */
import { _ } from "../../ground/words.js";
import { button, field, h } from "../dom.js";
import { shown } from "../money.js";
import { accountIn } from "../payment.js";
import { sound } from "../say.js";

/** While an account is asked for. `before(id)` is what it pays of this sale's other parts already. */
export class PrepaidStep {
  typed = "";
  wrong = "";
  found = null; // what the service says of the account

  constructor(till, { total, before, again, take, back }) {
    Object.assign(this, { till, total, before, again, take, back });
  }

  /** Looks at the account with this code, scanned or typed. */
  async look(text) {
    const id = accountIn(text);
    [this.typed, this.found, this.wrong] = [text.trim(), null, ""];
    try {
      if (id) this.found = await this.till.service.get(`/till/prepaid/${id}`);
      this.wrong = id ? this.#refusal() : _("An account's code has 32 characters, 0 to 9 and a to f: scan it again.");
    } catch (error) {
      this.wrong = this.till.why(error);
    }
    if (this.wrong) sound("bad");
    this.again();
  }

  get #held() {
    return this.found.held - this.before(this.found.id);
  }

  /** Why it does not pay; "" where it does. */
  #refusal() {
    if (this.found.state !== "open") return _("This account pays no more: what is left goes back to the guest. Take another way.");
    if (this.#held >= this.total) return "";
    return _("The account holds %(held)s, and this comes to %(total)s: take another way, or split the bill.", { held: shown(this.#held), total: shown(this.total) });
  }

  draw() {
    const ready = this.found && !this.wrong;
    return h("form", {
      submit: (event) => {
        event.preventDefault();
        if (ready) this.take(this.found.id);
        else this.look(new FormData(event.target).get("account"));
      },
    },
      h("p", { class: "to-pay large" }, h("span", {}, _("To pay")), h("b", {}, shown(this.total))),
      ready ? this.#account() : [
        h("p", { class: "hint" }, _("Scan the code on the guest's page of the account, or type it.")),
        field("account", _("Prepaid account"), { name: "account", maxlength: 40, value: this.typed, spellcheck: "false", autocapitalize: "off", autofocus: true }, this.wrong),
      ],
      h("div", { class: "buttons" },
        h("button", { class: "button", "data-at": "prepaid-go", autofocus: Boolean(ready) }, ready ? _("Pay %(total)s from it", { total: shown(this.total) }) : _("Look at the account"), h("kbd", {}, "Enter")),
        button(_("Another way"), this.back, { "data-at": "prepaid-back" })));
  }

  #account() {
    const { wallet, expires_at: until } = this.found;
    return h("div", { role: "status" }, h("ul", { class: "paid" },
      h("li", {}, h("span", {}, _("Held by %(wallet)s, until %(day)s", { wallet, day: until.slice(0, 10) })), h("b", {}, shown(this.#held))),
      h("li", {}, h("span", {}, _("Left in it afterwards")), h("b", { id: "prepaid-left" }, shown(this.#held - this.total)))));
  }
}
