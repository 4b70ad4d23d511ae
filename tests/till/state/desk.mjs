/** The desk: bills here and at the service, with cut lines, other tills, reloads. */
import assert from "node:assert/strict";
import test from "node:test";
import * as bills from "../../../static/till/bill.js";
import { Desk, merged } from "../../../static/till/desk.js";
import { Journal, MemoryLog, folded } from "../../../static/till/journal.js";
import { Service } from "../../../static/till/service.js";

const DUCK = { id: "d", name: "烤鸭", price: 12_800, tax_rate: "0.06" };
const TEA = { id: "t", name: "茶", price: 500, tax_rate: "0.06" };
const CASH = [{ payments: [{ kind: "cash", amount: 12_800 }] }];

/** The service as the contract says it, in memory; `lose` takes answers away after the work is done. */
class Fake {
  bills = new Map();
  sold = new Map();
  calls = [];
  cut = false;
  lose = 0;

  fetch = async (path, { method, body }) => {
    this.calls.push(`${method} ${path}`);
    if (this.cut) throw new TypeError("no network");
    const [status, said] = this.#answer(method, path, body && JSON.parse(body));
    if (method !== "GET" && this.lose > 0) {
      this.lose -= 1;
      throw new TypeError("the answer was lost");
    }
    return new Response(JSON.stringify(said), { status });
  };

  #answer(method, path, sent) {
    if (path === "/till/state") return [200, { tables: ["1", "2"], menu: [], bills: [...this.bills.values()] }];
    const [, id, what] = /^\/till\/bills\/([^/?]+)\/?(\w*)/.exec(path);
    if (what === "settle") return this.#settle(id, sent);
    if (what === "undo") return this.#undo(id);
    if (what === "order") return this.#order(id, sent);
    if (this.sold.has(id)) return [409, { code: "bill_settled", title: "sold", invoices: this.sold.get(id).invoices }];
    const now = this.bills.get(id);
    if (method === "DELETE") return [this.bills.delete(id) ? 200 : 404, {}];
    if ((now?.version ?? 0) !== sent.version) return [409, { code: "bill_changed", title: "changed", bill: now }];
    this.bills.set(id, { ...sent, id, version: sent.version + 1 });
    return [200, this.bills.get(id)];
  }

  /** The same bill again is the order there is; one that was sold is not ordered. */
  #order(id, sent) {
    const there = this.sold.get(id);
    if (there && !there.order) return [409, { code: "bill_settled", title: "sold", invoices: there.invoices }];
    if (!there) this.sold.set(id, { order: { id: `o${this.sold.size}`, shares: sent.shares, payments: sent.payments } });
    this.bills.delete(id);
    return [201, this.sold.get(id)];
  }

  /** The first part has its invoice, the second none: the quota is used up. */
  #short(id, sent) {
    const bill = { ...(sent.bill ?? this.bills.get(id)), id, version: 2, settling: true, order_id: "P1", sold: [{ part: 1 }], parts: [{}, {}] };
    this.bills.set(id, bill);
    return [403, { code: "quota_exhausted", title: "used up", bill }];
  }

  /** The first part stays, the rest is open again; the same again is nothing new. */
  #undo(id) {
    if (this.quicker) return [409, { code: "bill_changed", title: "changed", bill: this.quicker }];
    const { settling, sold, parts, order_id, ...open } = this.bills.get(id);
    if (settling) this.bills.set(id, { ...open, version: open.version + 1 });
    return [200, { bill: this.bills.get(id), invoices: [{ hash: "h-part-1" }] }];
  }

  #settle(id, sent) {
    const { order } = this.sold.get(id) ?? {};
    if (order) return [409, { code: "bill_settled", title: "ordered", invoices: [], order: order.id }];
    const theirs = this.sold.get(id);
    if (this.busy > 0) {
      this.busy -= 1;
      return [409, { code: "bill_settling", title: "being paid" }];
    }
    if (theirs?.asked && theirs.asked !== JSON.stringify(sent)) return [409, { code: "bill_settled", title: "sold", ...theirs }];
    if (!this.sold.has(id)) {
      if (this.short) return this.#short(id, sent);
      if (sent.parts?.[0].payments[0].amount === 1) return [422, { code: "payments_differ", title: "differ" }];
      this.sold.set(id, { order_id: `${this.sold.size + 1}`, invoices: [{ hash: `h${this.sold.size}` }], change: 0 });
    }
    this.bills.delete(id);
    return [200, this.sold.get(id)];
  }
}

function opened(fake = new Fake(), log = new MemoryLog()) {
  const told = [];
  const service = new Service({ fetch: fake.fetch, told: (state) => told.push(state), pause: async () => {} });
  const notices = [];
  let number = 0;
  const desk = new Desk({ service, journal: new Journal(log), newId: () => `bill-${log.name ?? "a"}-${(number += 1)}`, notice: (code) => notices.push(code) });
  return { desk, fake, log, told, notices };
}

const quiet = () => new Promise((resolve) => setTimeout(resolve, 5));
const add = (desk, item) => desk.edit((bill) => bills.withItem(bill, item));

test("a sale at the counter is one call, and leaves nothing in the journal", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  const sold = await desk.settle(CASH);
  assert.deepEqual(sold.invoices, [{ hash: "h0" }]);
  assert.deepEqual(fake.calls, ["GET /till/state", "POST /till/bills/bill-a-1/settle"]);
  assert.deepEqual(await log.all(), []);
  assert.deepEqual(desk.bill.lines, []);
});

test("an answer that is lost is asked for with the same id: one sale", async () => {
  const { desk, fake } = opened();
  await desk.start();
  add(desk, DUCK);
  fake.lose = 3;
  const sold = await desk.settle(CASH);
  assert.equal(fake.sold.size, 1);
  assert.deepEqual(sold.invoices, [{ hash: "h0" }]);
  assert.equal(fake.calls.filter((call) => call.endsWith("/settle")).length, 4);
});

test("a page that is closed while it sells finishes the same sale when it is opened again", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  fake.lose = 1;
  await assert.rejects(desk.settle(CASH, () => false)); // closed: nobody tries again
  assert.equal(fake.sold.size, 1);
  log.name = "b";
  const again = opened(fake, log);
  const finished = await again.desk.start();
  assert.deepEqual(finished.map(({ invoices }) => invoices), [[{ hash: "h0" }]]);
  assert.equal(fake.sold.size, 1);
  assert.deepEqual(again.desk.bill.lines, []);
  assert.deepEqual(await log.all(), []);
});

test("what the service refuses is open as before", async () => {
  const { desk, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await assert.rejects(desk.settle([{ payments: [{ kind: "cash", amount: 1 }] }]), { code: "payments_differ" });
  assert.equal(desk.bill.lines.length, 1);
  assert.deepEqual(folded(await log.all()).settling.size, 0);
  assert.equal(folded(await log.all()).drafts.size, 1);
});

test("a bill of which a part was refused is the service's, in nobody's way, and can be finished", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  fake.short = true;
  await assert.rejects(desk.settle(CASH), { code: "quota_exhausted" });
  const { id } = desk.bill;
  assert.deepEqual([desk.bill.settling, desk.why.code, desk.aside], [true, "quota_exhausted", null]);
  assert.deepEqual(await log.all(), []);
  add(desk, TEA); // refused in words
  assert.equal(desk.bill.lines.length, 1);
  desk.choose(null);
  assert.notEqual(desk.bill.id, id); // the counter is free for the next guest
  log.name = "b";
  const again = opened(fake, log);
  await again.desk.start();
  assert.deepEqual(again.desk.bill.lines, []);
  again.desk.open(id);
  await assert.rejects(again.desk.finish(), { code: "quota_exhausted" });
  assert.equal(again.desk.why.code, "quota_exhausted");
  await again.desk.refresh();
  assert.equal(again.desk.why.code, "quota_exhausted");
  fake.short = false;
  const sold = await again.desk.finish();
  assert.deepEqual(sold.invoices, [{ hash: "h0" }]);
  assert.equal(again.desk.bills.has(id), false);
});

test("the rest of a half-sold bill is open again, once, and sold under another attempt", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  fake.short = true;
  await assert.rejects(desk.settle(CASH), { code: "quota_exhausted" });
  fake.lose = 1;
  assert.deepEqual(await desk.undo(), [{ hash: "h-part-1" }]);
  assert.deepEqual([desk.bill.settling, desk.bill.version, desk.why], [undefined, 3, null]);
  assert.deepEqual(await log.all(), []);
  fake.short = false;
  assert.deepEqual((await desk.settle(CASH)).invoices, [{ hash: "h0" }]);
});

test("undone at another till meanwhile: their bill stands here", async () => {
  const { desk, fake } = opened();
  await desk.start();
  add(desk, DUCK);
  fake.short = true;
  await assert.rejects(desk.settle(CASH), { code: "quota_exhausted" });
  const { id } = desk.bill;
  const theirs = { ...bills.fresh(id), version: 7, lines: [{ name: "茶", quantity: "1" }] };
  fake.quicker = theirs;
  await assert.rejects(desk.undo(), { code: "bill_changed" });
  assert.deepEqual([desk.bill.version, desk.bill.settling], [7, undefined]);
});

test("a bill that another till was paid for is no sale of this one", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  const { id, version } = desk.bill;
  fake.sold.set(id, { invoices: [{ hash: "theirs" }], by: { name: "Li" }, asked: JSON.stringify({ version, id: "another", parts: CASH }) });
  fake.busy = 2; // it is still at it
  const refused = await desk.settle(CASH).catch((error) => error);
  assert.deepEqual([refused.code, refused.problem.by.name], ["bill_settled", "Li"]);
  assert.equal(desk.bills.has(id), false);
  assert.deepEqual(await log.all(), []);
});

test("a table's bill is settled under one id, however often it is tried from here", async () => {
  const { desk, fake } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  const ids = [];
  const { fetch } = fake;
  const wrong = [{ payments: [{ kind: "cash", amount: 1 }] }];
  const seen = async (path, init) => {
    if (path.endsWith("/settle")) ids.push(JSON.parse(init.body).id);
    return fetch(path, init);
  };
  const again = new Desk({ service: new Service({ fetch: seen, pause: async () => {} }), journal: new Journal(new MemoryLog()), newId: () => `other-${ids.length}` });
  await again.start();
  again.choose("1");
  await assert.rejects(again.settle(wrong), { code: "payments_differ" });
  await again.settle(CASH);
  assert.equal(ids.length, 2);
  assert.ok(ids[0]);
  assert.equal(ids[0], ids[1]);
});

test("a page that was closed while a part was refused finds the bill once, not beside its draft", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  [fake.short, fake.lose] = [true, 1];
  await assert.rejects(desk.settle(CASH, () => false)); // nobody hears the refusal
  log.name = "b";
  const again = opened(fake, log);
  const [{ error }] = await again.desk.start();
  assert.equal(error.code, "quota_exhausted");
  const found = [...again.desk.bills.values()].filter(({ bill }) => bill.lines.length);
  assert.deepEqual(found.map(({ bill, aside, dirty }) => [bill.settling, aside, dirty]), [[true, undefined, false]]);
  assert.deepEqual(await log.all(), []);
});

test("what was typed survives a reload without a line", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  fake.cut = true;
  add(desk, DUCK);
  desk.choose("1");
  add(desk, TEA);
  await quiet();
  fake.cut = false;
  log.name = "b";
  const again = opened(fake, log);
  await again.desk.start();
  await quiet();
  assert.deepEqual(again.desk.bill.lines.map(({ name }) => name), ["烤鸭"]);
  again.desk.choose("1");
  assert.deepEqual(again.desk.bill.lines.map(({ name }) => name), ["茶"]);
  assert.deepEqual([...fake.bills.values()].map(({ table, lines }) => [table, lines.length]), [["1", 1]]);
});

test("what is typed while the page is still being opened stands beside what was typed before", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  log.name = "b";
  const again = opened(fake, log);
  await again.desk.refresh();
  add(again.desk, TEA);
  const { current } = again.desk;
  const starting = again.desk.start();
  add(again.desk, TEA);
  await starting;
  assert.equal(again.desk.current, current);
  assert.deepEqual(again.desk.bill.lines.map(({ name, quantity }) => [name, quantity]), [["茶", "2"]]);
  await again.desk.settle(CASH);
  assert.deepEqual(again.desk.bill.lines.map(({ name }) => name), ["烤鸭"]);
});

test("a table's bill is sent with every change, one call after the other", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  desk.choose("2");
  for (let n = 0; n < 5; n += 1) add(desk, DUCK);
  await quiet();
  const [kept] = [...fake.bills.values()];
  assert.equal(kept.lines[0].quantity, "5");
  assert.equal(desk.bill.version, kept.version);
  assert.ok(kept.version < 5); // what was typed while a call was under way went in the next one
  assert.deepEqual(await log.all(), []);
});

test("another till's change is never written over; what was typed is laid aside", async () => {
  const { desk, fake, notices } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  const { id } = desk.bill;
  fake.bills.set(id, { ...fake.bills.get(id), version: 9, lines: [] });
  add(desk, TEA);
  await quiet();
  assert.deepEqual(notices, ["bill_changed"]);
  assert.equal(fake.bills.get(id).version, 9);
  assert.deepEqual(desk.bill.lines, []);
  assert.deepEqual(desk.aside.lines.map(({ name }) => name), ["烤鸭", "茶"]);
  await assert.rejects(desk.settle(CASH), { code: "bill_changed" });
  desk.takeMine();
  await quiet();
  assert.equal(desk.aside, null);
  assert.deepEqual(fake.bills.get(id).lines.map(({ name }) => name), ["烤鸭", "茶"]);
});

test("theirs can be taken instead", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  fake.bills.set(desk.bill.id, { ...fake.bills.get(desk.bill.id), version: 9 });
  add(desk, TEA);
  await quiet();
  await desk.takeTheirs();
  assert.deepEqual([desk.aside, desk.bill.version, desk.bill.lines.length], [null, 9, 1]);
  assert.deepEqual(await log.all(), []);
});

test("a bill that was paid at another till is not sent again", async () => {
  const { desk, fake, notices } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  const { id } = desk.bill;
  fake.sold.set(id, { invoices: [{ hash: "theirs" }] });
  fake.bills.delete(id);
  add(desk, TEA);
  await quiet();
  assert.deepEqual(notices, ["bill_settled"]);
  assert.equal(fake.sold.size, 1);
  assert.notEqual(desk.bill.id, id);
});

test("a draft of a bill that is gone is shown, never sent", () => {
  const draft = { ...bills.fresh("x", "3"), version: 4, lines: [{ name: "茶" }] };
  const { bill, aside } = merged([], [draft]).get("x");
  assert.deepEqual([bill.gone, bill.lines, aside], [true, [], draft]);
});

test("a draft that was sold and refused half-way is the service's bill, not one laid aside", () => {
  const draft = { ...bills.fresh("x"), lines: [{ name: "茶" }] };
  const theirs = { ...draft, version: 2, settling: true };
  const { bill, aside, dirty } = merged([theirs], [draft]).get("x");
  assert.deepEqual([bill.settling, aside, dirty], [true, undefined, false]);
});

test("a change that came while one's own was under way is no quarrel", async () => {
  const { desk, fake, notices } = opened();
  await desk.start();
  desk.choose("1");
  add(desk, DUCK);
  const refreshing = desk.refresh(); // the service's own event, as it were
  add(desk, TEA);
  await refreshing;
  await quiet();
  assert.deepEqual(notices, []);
  assert.equal(desk.aside, null);
  assert.equal([...fake.bills.values()][0].lines.length, 2);
});

test("a refresh leaves whoever is at an empty table there", async () => {
  const { desk } = opened();
  await desk.start();
  desk.choose("2");
  await desk.refresh();
  assert.equal(desk.bill.table, "2");
});

test("whoever is at a table sees the bill that another till begins there", async () => {
  const { desk, fake } = opened();
  await desk.start();
  desk.choose("2");
  fake.bills.set("theirs", { id: "theirs", version: 1, table: "2", lines: [] });
  await desk.refresh();
  assert.equal(desk.current, "theirs");
  fake.bills.delete("theirs");
  await desk.refresh();
  assert.deepEqual([desk.bill.table, desk.bill.version], ["2", 0]);
});

test("a dropped bill goes here and there, one at the counter only here", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await desk.drop();
  desk.choose("1");
  add(desk, DUCK);
  await quiet();
  await desk.drop();
  assert.equal(fake.bills.size, 0);
  assert.equal(fake.calls.filter((call) => call.startsWith("DELETE")).length, 1);
  assert.deepEqual(await log.all(), []);
});

test("drafts stand for the newest only, and one sale for itself", () => {
  const entries = [
    { number: 1, kind: "draft", id: "a", draft: { id: "a", n: 1 } },
    { number: 3, kind: "settling", id: "a", body: 1 },
    { number: 2, kind: "draft", id: "a", draft: { id: "a", n: 2 } },
    { number: 4, kind: "draft", id: "b", draft: { id: "b" } },
    { number: 5, kind: "done", id: "b" },
  ];
  const { drafts, settling } = folded(entries);
  assert.deepEqual([...drafts.values()].map(({ draft }) => draft.n), [2]);
  assert.deepEqual([...settling], [["a", 1]]);
  assert.equal(folded([...entries, { number: 6, kind: "refused", id: "a" }]).settling.size, 0);
});

test("guests claim: one order, whatever is lost on the way, and the bill is done with", async () => {
  const { desk, fake, log } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  fake.lose = 2;
  const { order } = await desk.order([{}], []);
  assert.deepEqual(order, { id: "o0", shares: [{}], payments: [] });
  assert.equal(fake.calls.filter((call) => call.endsWith("/order")).length, 3);
  assert.deepEqual(await log.all(), []);
  assert.ok(bills.isEmpty(desk.bill));
});

test("an order whose page was closed before the answer is found when it is opened again", async () => {
  const fake = new Fake();
  const log = new MemoryLog();
  const first = opened(fake, log);
  await first.desk.start();
  add(first.desk, DUCK);
  await quiet();
  fake.cut = true;
  await assert.rejects(first.desk.order([{}], CASH[0].payments, () => false));
  fake.cut = false;
  const again = opened(fake, log);
  const [{ order }] = await again.desk.start();
  assert.equal(order.id, "o0");
  assert.equal(order.payments[0].amount, 12_800);
  assert.equal(fake.sold.size, 1);
});

test("a bill that is an order elsewhere is not sold: the order is shown instead", async () => {
  const { desk, fake } = opened();
  await desk.start();
  add(desk, DUCK);
  await quiet();
  fake.sold.set(desk.bill.id, { order: { id: "o7" } });
  await assert.rejects(desk.settle(CASH), ({ problem }) => problem.order === "o7");
  assert.ok(bills.isEmpty(desk.bill));
});
