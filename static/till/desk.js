/**
 * The till's desk: the bills that are open here and at the service, and how they come together.
 *
 * A table's bill is sent with every change; a sale at the counter only when it is settled. Whatever
 * the service has is never written over by what was typed here: what differs is laid aside, shown,
 * and a person decides.
 */
import { body, fresh, isEmpty } from "./bill.js";
import { Away, Refused } from "./service.js";

const [LOOKS, LOOK] = [6, 500]; // times, and milliseconds between them

export class Desk {
  #journal;
  #service;
  #newId;
  #sending = new Map(); // bill's id: the promise of what is under way
  #attempts = new Map(); // bill's id: that of settling it from here
  #moves = 0; // counts beginnings and ends of what changes the service's state

  /** `told()` hears of every change; `notice(code, about)` of what a person should know. */
  constructor({ service, journal, newId, told = () => {}, notice = () => {} }) {
    Object.assign(this, { told, notice, state: null, bills: new Map(), current: null });
    this.#service = service;
    this.#journal = journal;
    this.#newId = newId;
  }

  /** The bill that is worked at. */
  get bill() {
    return this.bills.get(this.current).bill;
  }

  /** Whether it differs from what the service has; null where there is nothing aside. */
  get aside() {
    return this.bills.get(this.current)?.aside ?? null;
  }

  /** Why it could not be sold to its end; null where nothing was refused. */
  get why() {
    return this.bills.get(this.current)?.why ?? null;
  }

  /** Everything from the service and the journal; then what was under way when the page was closed. */
  async start() {
    const { drafts, settling } = await this.#journal.read();
    for (const draft of drafts) this.#takeUp(draft);
    await this.refresh();
    return Promise.all(settling.map(({ id, body: sent }) => this.#resume(id, sent)));
  }

  /**
   * The service's state again, with what is here and not there yet. What was read while something of
   * ours was under way says nothing about it: it is read again.
   */
  async refresh() {
    for (;;) {
      await Promise.all(this.#sending.values());
      const before = this.#moves;
      const state = await this.#service.get("/till/state");
      if (before === this.#moves && !this.#sending.size) return this.#take(state);
    }
  }

  /** A draft of before; what was typed since the page was opened stands. */
  #takeUp(draft) {
    if (this.bills.get(draft.id)?.dirty) return;
    const open = this.bills.get(this.current);
    if (open && !open.dirty && !open.bill.version && open.bill.table === draft.table) this.bills.delete(this.current);
    this.bills.set(draft.id, { bill: draft, dirty: true });
    if (!this.bills.has(this.current)) this.current = draft.id;
  }

  #take(state) {
    const open = this.bills.get(this.current);
    this.state = state;
    const before = this.bills;
    this.bills = merged(state.bills, this.#drafts());
    for (const [id, held] of this.bills) if (held.bill.settling) held.why = before.get(id)?.why;
    if (open && !open.dirty && !open.bill.version && !this.#has(open.bill.table)) this.bills.set(this.current, open);
    if (!this.bills.has(this.current)) this.#to(open?.bill.table ?? null); // stay at the table
    this.told();
    for (const { bill, dirty, aside } of this.bills.values()) if (dirty && !aside) this.#send(bill.id);
  }

  #has(table) {
    return [...this.bills.values()].some(({ bill }) => bill.table === table);
  }

  /** Work at a table's bill, its first one if there is none; at the counter without a table. */
  choose(table) {
    this.#to(table);
    this.told();
  }

  /** Work at one bill, wherever it is. */
  open(id) {
    this.current = id;
    this.told();
  }

  /** Change the bill that is worked at; null changes nothing. One that is being paid stays as it is. */
  edit(change) {
    if (this.bill.settling) return this.notice("bill_settling");
    const next = change(this.bill);
    if (next === null || next === this.bill) return undefined;
    const held = this.bills.get(this.current);
    this.bills.set(this.current, { ...held, bill: next, dirty: true });
    this.#journal.draft(next).catch(() => this.notice("nothing_kept"));
    this.told();
    return this.#send(next.id);
  }

  /** The guest has gone: the bill with all its lines is dropped, here and at the service. */
  async drop() {
    const { id, version } = this.bill;
    await this.#sending.get(id);
    if (this.bills.get(id)?.bill.version || version) {
      await this.#service.change("DELETE", `/till/bills/${id}?version=${this.bills.get(id).bill.version}`);
    }
    await this.#forget(id);
  }

  /** Bring another table's bill into this one. */
  async merge(other) {
    const [into, from] = [this.bill, this.bills.get(other).bill];
    await Promise.all([this.#sending.get(into.id), this.#sending.get(from.id)]);
    const [mine, theirs] = [this.bills.get(into.id).bill, this.bills.get(other).bill];
    const sent = { from: other, version: mine.version, from_version: theirs.version };
    const bill = await this.#service.change("POST", `/till/bills/${into.id}/merge`, sent);
    await Promise.all([this.#journal.done(other), this.#journal.done(into.id)]);
    this.bills.delete(other);
    this.bills.set(into.id, { bill, dirty: false });
    this.told();
  }

  /** Take the service's bill as it is, and drop what was typed here. */
  async takeTheirs() {
    const { bill } = this.bills.get(this.current);
    await this.#journal.done(bill.id);
    this.bills.set(bill.id, { bill, dirty: false });
    if (isEmpty(bill) && bill.gone) this.#remove(bill.id);
    this.told();
  }

  /** Send what was typed here in place of what the service has: somebody has looked at both. */
  takeMine() {
    const { bill, aside } = this.bills.get(this.current);
    this.bills.set(bill.id, { bill: { ...aside, version: bill.version }, dirty: true });
    this.edit((mine) => ({ ...mine }));
  }

  /**
   * Sell: the bill in parts. What is sent is on the disk before the first try, and the same is sent
   * until there is an answer. Refused: the bill is as before. `goesOn()` says when to stop trying.
   */
  async settle(parts, goesOn) {
    const { id, about } = await this.#ready();
    const sent = { parts, ...about };
    await this.#journal.settling(id, sent);
    return this.#settle(id, sent, goesOn);
  }

  /** Have the guests claim: the bill becomes an order, by the same rules as a sale. */
  async order(shares, payments, goesOn) {
    const { id, about } = await this.#ready();
    const sent = { order: { shares, payments, ...about } };
    await this.#journal.settling(id, sent);
    return this.#settle(id, sent, goesOn);
  }

  /** What is sent of the bill that is worked at, once the service has all that was typed. */
  async #ready() {
    const { id } = this.bill;
    await this.#sending.get(id);
    const held = this.bills.get(id);
    if (held.aside) throw new Refused(409, { code: "bill_changed", title: "" });
    const { version } = held.bill;
    if (version && held.dirty) throw new Away("the bill is not at the service yet");
    return { id, about: { version, ...(version ? { id: this.#attempt(id) } : { bill: body(held.bill) }) } };
  }

  /** One sale from here, however often it is sent: another till may be paid for the same bill. */
  #attempt(id) {
    if (!this.#attempts.has(id)) this.#attempts.set(id, this.#newId());
    return this.#attempts.get(id);
  }

  /** Go no further: the parts that are sold stay, the rest is open again. The invoices that stay. */
  async undo() {
    const { id, version } = this.bill;
    this.#moves += 1;
    try {
      const { bill, invoices } = await this.#service.insist("POST", `/till/bills/${id}/undo`, { version });
      this.bills.set(id, { bill: placed(bill), dirty: false });
      this.told();
      return invoices;
    } catch (error) {
      if (error.code === "bill_settled") await this.#forget(id);
      if (error.code === "bill_changed") await this.#instead(id, error.problem.bill);
      throw error;
    } finally {
      this.#moves += 1;
    }
  }

  /** Finish what was begun elsewhere and never answered: the service knows how it is paid. */
  finish() {
    const { id, version } = this.bill;
    return this.#settle(id, { version });
  }

  async #resume(id, sent) {
    try {
      return await this.#settle(id, sent);
    } catch (error) {
      return { error };
    }
  }

  async #settle(id, sent, goesOn) {
    this.#moves += 1;
    try {
      const answer = await this.#answered(id, sent, goesOn);
      await this.#forget(id);
      return answer;
    } catch (error) {
      if (error instanceof Refused) await this.#refused(id, error);
      if (error.code === "bill_settled") await this.#forget(id); // by another till: nobody pays twice
      if (error.code === "bill_changed" && !sent.parts && !sent.order) await this.#instead(id, error.problem.bill);
      throw error;
    } finally {
      this.#moves += 1;
    }
  }

  /** While another till is at it, a moment later says what came of that. */
  async #answered(id, sent, goesOn) {
    const [call, said] = sent.order ? ["order", sent.order] : ["settle", sent];
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#service.insist("POST", `/till/bills/${id}/${call}`, said, goesOn);
      } catch (error) {
        if (error.code !== "bill_settling" || tried === LOOKS) throw error;
        await this.#service.pause(LOOK);
      }
    }
  }

  /** Open as before; but where a part of it is sold, it is the service's, and can only be finished. */
  async #refused(id, error) {
    await this.#journal.refused(id);
    const theirs = error.problem.bill;
    if (!theirs?.settling) return;
    await this.#journal.done(id);
    this.bills.set(id, { bill: placed(theirs), dirty: false, why: error });
    this.told();
  }

  /** Another till was quicker: its bill stands here. */
  async #instead(id, theirs) {
    if (!theirs) return;
    await this.#journal.done(id);
    this.bills.set(id, { bill: placed(theirs), dirty: false });
    this.told();
  }

  async #forget(id) {
    await this.#journal.done(id);
    this.#attempts.delete(id);
    this.#remove(id);
    this.told();
  }

  #remove(id) {
    this.bills.delete(id);
    if (this.current === id) this.#toCounter();
  }

  #drafts() {
    return [...this.bills.values()].filter(({ dirty }) => dirty).map(({ bill, aside }) => aside ?? bill);
  }

  #toCounter() {
    this.#to(null);
  }

  #to(table) {
    const there = [...this.bills.values()].filter(({ bill }) => bill.table === table);
    const found = there.find(({ bill }) => !bill.settling) ?? (table === null ? undefined : there[0]);
    if (found) this.current = found.bill.id; // one at the counter that is not finished is in nobody's way
    else this.#open(table);
  }

  #open(table) {
    const bill = fresh(this.#newId(), table);
    this.bills.set(bill.id, { bill, dirty: false });
    this.current = bill.id;
  }

  /** Send a table's bill until the service has what is here; one call at a time. */
  #send(id) {
    const { bill } = this.bills.get(id);
    if ((bill.table === null && !bill.version) || this.#sending.has(id)) return;
    this.#moves += 1;
    const sending = this.#sendAll(id).finally(() => {
      this.#sending.delete(id);
      this.#moves += 1;
    });
    this.#sending.set(id, sending);
  }

  async #sendAll(id) {
    for (let held = this.bills.get(id); held?.dirty && !held.aside; held = this.bills.get(id)) {
      try {
        const sent = { version: held.bill.version, ...body(held.bill) };
        const bill = await this.#service.change("PUT", `/till/bills/${id}`, sent);
        await this.#kept(id, held.bill, bill.version);
      } catch (error) {
        await this.#notKept(id, error);
        return;
      }
    }
  }

  /** The service has what was sent; what was typed since is still to be sent. */
  async #kept(id, sent, version) {
    const held = this.bills.get(id);
    if (!held) return;
    const same = held.bill === sent;
    this.bills.set(id, { bill: { ...held.bill, version }, dirty: !same });
    if (same) await this.#journal.done(id);
    else await this.#journal.draft(this.bills.get(id).bill);
    this.told();
  }

  async #notKept(id, error) {
    const held = this.bills.get(id);
    if (error instanceof Away || !held) return; // tried again once the line is there
    if (error.code === "bill_changed" && error.problem.bill) {
      this.bills.set(id, { bill: error.problem.bill, dirty: true, aside: held.bill });
    } else if (error.code === "bill_settled") {
      await this.#forget(id);
    }
    this.notice(error.problem?.order ? "bill_ordered" : (error.code ?? "internal_error"), error);
    this.told();
  }
}

const placed = (bill) => ({ ...bill, table: bill.table ?? null });

/** Bills of the service and drafts from here, by id: {bill, dirty, aside}. */
export function merged(bills, drafts) {
  const found = new Map(bills.map((bill) => [bill.id, { bill: placed(bill), dirty: false }]));
  for (const draft of drafts) {
    const theirs = found.get(draft.id)?.bill;
    if (theirs?.settling && !draft.version) continue; // it was sent when it was sold, as it stood
    if (theirs && theirs.version !== draft.version) {
      found.set(draft.id, { bill: theirs, dirty: true, aside: draft });
    } else if (!theirs && draft.version) {
      // Paid, dropped or merged elsewhere: what was typed since is to be seen, not to be sent.
      const gone = { ...fresh(draft.id, draft.table), version: draft.version, gone: true };
      found.set(draft.id, { bill: gone, dirty: true, aside: draft });
    } else {
      found.set(draft.id, { bill: draft, dirty: true });
    }
  }
  return found;
}
