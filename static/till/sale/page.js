/** The page on which a till sells. */
import { _, ngettext } from "../../ground/words.js";
import { alone } from "../alone.js";
import { isEmpty, total, troubles, withBuyer } from "../bill.js";
import { Desk } from "../desk.js";
import { part } from "../dom.js";
import { frame, showCashier, showLive, signedOut } from "../frame.js";
import { newId } from "../ids.js";
import { Journal, MemoryLog } from "../journal.js";
import { heardOrder, showOrder } from "../order_window.js";
import { live, soon } from "../live.js";
import { accountIn, body, begun, paid } from "../payment.js";
import { Printing } from "../printers.js";
import { hush, say, sound } from "../say.js";
import { sentence } from "../sentences.js";
import { Away, Refused } from "../service.js";
import { openLog } from "../store.js";
import { isTitleCode } from "../title.js";
import * as windows from "../window.js";
import { BillView } from "./bill_view.js";
import { askClaim } from "./claim_window.js";
import { showAlready, showDone, showSending } from "./done_window.js";
import { listen, showKeys } from "./keys.js";
import { MenuView } from "./menu_view.js";
import { askPayment, changeOf } from "./pay_window.js";
import { askTill } from "./till_window.js";
import { askBillTitle, scannedTitle } from "./title_window.js";
import { askUndo, showUndone } from "./undo_window.js";

class Till {
  paying = null; // the window in which somebody pays
  sending = null; // the window that waits for the service
  second = false; // another tab sells

  constructor() {
    Object.assign(this, frame((state, before) => this.#line(state, before)));
    this.printing = new Printing(this.service);
  }

  async start() {
    const journal = new Journal(await this.#log());
    this.desk = new Desk({
      service: this.service, journal, newId, told: () => this.draw(), notice: (code, error) => this.#notice(code, error),
    });
    await this.#until(() => this.desk.refresh());
    this.menu = new MenuView(this);
    this.bill = new BillView(this);
    this.draw();
    listen(this.#keys());
    part("keys").addEventListener("click", showKeys);
    alone(`fapiao-till-${this.data.merchant}`, () => this.#mine(), () => this.#second());
    const again = soon(() => this.desk.refresh().catch(() => {}));
    const hear = (kind, said) => {
      if (kind === "closed") return this.#whether();
      if (kind === "order") return said && heardOrder(said);
      return kind !== "lost" && again();
    };
    this.feed = live(this.data.root, hear, { after: this.desk.state.cursor, shown: showLive });
    if (!this.desk.state.till) this.#which();
    document.body.dataset.ready = "";
  }

  #which() {
    askTill(this, () => this.desk.refresh());
  }

  draw() {
    if (!this.menu) return;
    this.menu.draw();
    this.bill.draw();
    showCashier(this.desk.state);
    this.#quota(this.desk.state.quota);
  }

  /** Ask for payment: of the bill as a whole, or of parts. */
  pay(parts = null) {
    if (!this.#maySell()) return;
    const { bill } = this.desk;
    const whole = bill.buyer ? { total: total(bill), buyer: bill.buyer } : { total: total(bill) };
    askPayment(this, parts ?? [whole], (paidParts) => this.sell(paidParts));
  }

  /** Cash, as much as it is: sold with one key. */
  finish() {
    if (!this.#maySell()) return;
    const { bill } = this.desk;
    const buyer = bill.buyer ? { buyer: bill.buyer } : {};
    this.sell([{ ...buyer, ...body(paid(begun(total(bill)), "cash", total(bill))) }]);
  }

  sell(parts) {
    return this.#send(parts, async () => {
      const sold = await this.desk.settle(parts);
      return { ...sold, change: sold.change ?? changeOf(parts) };
    });
  }

  /** No invoice, but an order: the guests claim theirs. */
  claim(shares, payments) {
    return this.#send([{ payments }], () => this.desk.order(shares, payments));
  }

  /** Ask how the guests claim it. */
  askClaim() {
    if (this.#maySell()) askClaim(this);
  }

  /** Finish a sale that another till, or this one, began. */
  resume() {
    return this.#send([], () => this.desk.finish());
  }

  /** Go no further with a bill in parts: after a question, what is not sold is open again. */
  undo() {
    askUndo(this, async () => {
      this.sending = showSending(this);
      try {
        showUndone(this, await this.desk.undo());
      } catch (error) {
        this.#refused(error);
      } finally {
        this.sending = null;
      }
    });
  }

  async #send(parts, work) {
    this.sending = showSending(this);
    try {
      this.#sold({ change: 0, prepaid: parts.find(({ prepaid }) => prepaid)?.prepaid, ...(await work()) }, parts);
    } catch (error) {
      this.#refused(error);
      if (error.code === "till_needed") this.#which();
    } finally {
      this.sending = null;
    }
  }

  #refused(error) {
    windows.close();
    sound("bad");
    if (error.problem?.order) showOrder(this, error.problem.order);
    else if (error.code === "bill_settled") showAlready(this, error.problem);
    else say(this.why(error), "bad");
  }

  /** Why something was not done, for the person here. */
  why(error) {
    if (error instanceof Away) return sentence("line_cut");
    if (error instanceof Refused && error.status === 403 && error.code === "sign_in_needed") signedOut();
    return sentence(error.code, error);
  }

  #sold(sold, parts) {
    const drawer = parts.some(({ payments }) => payments.some(({ kind }) => kind === "cash"));
    hush();
    this.bill.unfold(false);
    this.#show(sold, drawer);
  }

  #show(sold, drawer = false) {
    if (sold.order) showOrder(this, sold.order.id, { drawer, prints: true });
    else showDone(this, sold, { drawer });
  }

  #maySell() {
    const wrong = this.second ? ["second"] : this.line.isCut ? ["line_cut"] : troubles(this.desk.bill);
    if (this.sending) return false;
    if (!wrong.length) return true;
    sound("bad");
    say(sentence(wrong[0]), "warn");
    return false;
  }

  #keys() {
    const free = (work) => () => {
      if (this.sending) return;
      windows.close();
      work();
    };
    return {
      F1: free(() => this.menu.focus()),
      F2: free(() => askBillTitle(this)),
      F9: free(() => this.pay()),
      F10: free(() => this.finish()),
      F8: free(() => this.askClaim()),
      Escape: () => this.#back(),
      typed: () => this.#typed(),
      scan: (text) => this.#scan(text),
    };
  }

  #back() {
    if (this.sending) return;
    if (windows.isOpen()) windows.close();
    else if (this.menu.find.value) this.menu.clear();
    else if (this.bill.isOpen) this.bill.unfold(false);
    else hush();
  }

  /** Somebody types for the next guest: the window of the last one goes. */
  #typed() {
    if (document.querySelector("dialog.done, dialog.order")) windows.close();
    return !windows.isOpen();
  }

  #scan(text) {
    if (this.sending) return;
    this.#typed();
    if (isTitleCode(text)) {
      const take = this.paying?.title ?? ((buyer) => this.desk.edit((bill) => withBuyer(bill, buyer)));
      scannedTitle(this, text, take);
      if (!this.paying) windows.close();
    } else if (this.paying?.asksAccount() || (accountIn(text) && (this.paying || !windows.isOpen()))) {
      if (!this.paying) this.pay();
      this.paying?.prepaid(text);
    } else if (!windows.isOpen()) this.menu.addCode(text);
  }

  #line(state, before) {
    if (state === "cut") say(sentence("line_cut"), "bad");
    if (state !== "cut" && before === "cut") {
      say(_("The line is back."), "good");
      this.desk?.refresh().catch(() => {});
    }
    this.sending?.again();
  }

  #notice(code, error) {
    if (code === "bill_settled") say(_("This bill was paid at another till."), "warn");
    else say(sentence(code, error), "warn");
  }

  #quota({ limit, left }) {
    const few = limit !== null && limit !== undefined && left <= Math.max(20, limit / 20);
    part("quota").hidden = !few;
    if (few) part("quota").textContent = ngettext("%(num)s invoice left of the quota", "%(num)s invoices left of the quota", left);
  }

  /** This tab sells: what was typed and under way before is taken up. */
  async #mine() {
    this.second = false;
    document.body.classList.remove("second");
    const finished = await this.#until(() => this.desk.start());
    for (const sold of finished) this.#finished(sold);
    if (!isEmpty(this.desk.bill)) say(_("What was typed here before is still there."), "wait");
  }

  #finished(sold) {
    if (sold.error) this.#refused(sold.error);
    else this.#show({ change: 0, ...sold });
  }

  #second() {
    this.second = true;
    document.body.classList.add("second");
    say(sentence("second"), "warn");
  }

  async #log() {
    try {
      const log = await openLog(this.data.merchant);
      globalThis.navigator.storage?.persist?.();
      return log;
    } catch {
      say(sentence("nothing_kept"), "warn");
      return new MemoryLog();
    }
  }

  /** Events have ended for good: signed out, or the service is another one now. */
  async #whether() {
    try {
      await this.desk.refresh();
    } catch (error) {
      if (!(error instanceof Refused)) return;
      this.feed.stop();
      signedOut();
    }
  }

  async #until(work) {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Away)) {
          say(this.why(error), "bad");
          throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

new Till().start();
