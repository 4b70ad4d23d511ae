/** Bills, split in parts, and paid. */
import assert from "node:assert/strict";
import test from "node:test";
import * as bills from "../../../static/till/bill.js";
import * as payment from "../../../static/till/payment.js";
import * as split from "../../../static/till/split.js";

const DUCK = { id: "d", name: "烤鸭", price: 12_800, tax_rate: "0.06", code: "01" };
const TEA = { id: "t", name: "茶", price: 333, tax_rate: "0.06" };
const OIL = { id: "o", name: "油", price: 100, tax_rate: "0", tax_kind: "exempt" };
const bill = (...items) => items.reduce((one, item) => bills.withItem(one, item), bills.fresh("b"));

test("the same dish again is one line, unless it has a price of its own", () => {
  const two = bill(DUCK, TEA, DUCK);
  assert.deepEqual(two.lines.map(({ quantity }) => quantity), ["2", "1"]);
  const off = bills.withItem(bills.withDiscount(two, 0, 100), DUCK);
  assert.deepEqual(off.lines.map(({ quantity }) => quantity), ["2", "1", "1"]);
  assert.equal(bills.withItem(bill(TEA), TEA, "0.5").lines[0].quantity, "1.5");
  assert.equal(bill(OIL).lines[0].tax_kind, "exempt");
  assert.ok(!("tax_kind" in bill(DUCK).lines[0]));
});

test("a bill is never changed in place", () => {
  const before = Object.freeze(bill(DUCK));
  Object.freeze(before.lines);
  Object.freeze(before.lines[0]);
  bills.withItem(before, DUCK);
  bills.toggledFree(before, 0);
  bills.withQuantity(before, 0, "3");
  bills.withBillDiscount(before, 5);
  assert.deepEqual(before, bill(DUCK));
});

test("quantities go up and down, and a line of none goes", () => {
  assert.equal(bills.stepped(bill(DUCK), 0, 1).lines[0].quantity, "2");
  assert.deepEqual(bills.stepped(bill(DUCK), 0, -1).lines, []);
  assert.deepEqual(bills.withQuantity(bill(DUCK), 0, "0").lines, []);
  assert.equal(bills.withQuantity(bill(DUCK), 0, "0.350").lines[0].quantity, "0.35");
  for (const text of ["", "-1", "two", "1.1234567"]) assert.equal(bills.withQuantity(bill(DUCK), 0, text), null);
});

test("discounts and free dishes come off, and can be put back", () => {
  const free = bills.toggledFree(bill(DUCK, TEA), 1);
  assert.ok(bills.isFree(free.lines[1]));
  assert.equal(bills.total(free), 12_800);
  assert.deepEqual(bills.toggledFree(free, 1), bill(DUCK, TEA));
  const off = bills.withBillDiscount(free, 800);
  assert.equal(bills.total(off), 12_000);
  assert.deepEqual(bills.nets(off), [12_000, 0]);
  assert.deepEqual(bills.body(bills.withBillDiscount(off, 0)), bills.body(free));
});

test("what cannot be paid is said by its code", () => {
  assert.deepEqual(bills.troubles(bills.fresh("b")), ["bill_empty"]);
  assert.deepEqual(bills.troubles(bills.toggledFree(bill(TEA), 0)), ["bill_is_nothing"]);
  const less = bills.withQuantity(bills.withDiscount(bill(TEA, TEA), 0, 600), 0, "1");
  assert.deepEqual(bills.troubles(less), ["line_discount_too_large", "bill_discount_too_large"]);
  assert.deepEqual(bills.troubles(bills.withBillDiscount(bill(TEA), 334)), ["bill_discount_too_large"]);
  assert.deepEqual(bills.troubles(bill(DUCK)), []);
  const long = { ...bill(DUCK), lines: Array(2001).fill(bill(DUCK).lines[0]) };
  assert.deepEqual(bills.troubles(long), ["too_many_lines"]);
});

test("what the service keeps has no empty fields", () => {
  assert.deepEqual(Object.keys(bills.body(bill(DUCK))), ["lines"]);
  const whole = bills.withBuyer(bills.withBillDiscount({ ...bill(DUCK), table: "5" }, 1), { kind: "company", name: "x", tax_id: "y" });
  assert.deepEqual(Object.keys(bills.body(whole)), ["table", "lines", "discount", "buyer"]);
});

test("a bill is split evenly to the fen", () => {
  const one = bill(DUCK, TEA);
  for (const parts of [2, 3, 4, 5]) {
    const amounts = split.evenly(one, parts).map(({ amount }) => amount);
    assert.equal(amounts.reduce((sum, amount) => sum + amount), bills.total(one));
    assert.ok(Math.max(...amounts) - Math.min(...amounts) <= 1);
  }
});

test("a bill is split by dish, its discount with it", () => {
  const one = bills.withBillDiscount(bills.withItem(bill(DUCK, DUCK, TEA), OIL), 100);
  let taken = split.allToFirst(one, 2);
  assert.equal(split.byDish(one, taken), null);
  taken = split.moved(taken, 0, 1);
  taken = split.moved(taken, 1, 1);
  const parts = split.byDish(one, taken);
  assert.deepEqual(parts[0].lines, [{ line: 1, quantity: "1" }, { line: 3, quantity: "1" }]);
  assert.deepEqual(parts[1].lines, [{ line: 1, quantity: "1" }, { line: 2, quantity: "1" }]);
  assert.equal(split.totals(one, taken).reduce((sum, amount) => sum + amount), bills.total(one));
  assert.deepEqual(split.moved(split.moved(taken, 2, 1), 2, 1), split.moved(taken, 2, 1));
});

test("payments add up, only cash gives change", () => {
  let one = payment.begun(2800);
  assert.equal(payment.paid(one, "wechat", 2801), null);
  assert.equal(payment.paid(one, "cash", 0), null);
  one = payment.paid(one, "wechat", 800);
  assert.equal(payment.left(one), 2000);
  one = payment.paid(one, "cash", 5000);
  assert.ok(payment.isPaid(one));
  assert.equal(payment.change(one), 3000);
  assert.deepEqual(payment.body(one), { payments: [{ kind: "wechat", amount: 800 }, { kind: "cash", amount: 2000 }], tendered: 5000 });
  assert.equal(payment.paid(one, "cash", 1), null);
  const back = payment.taken(one, "cash");
  assert.deepEqual([payment.left(back), payment.change(back)], [2000, 0]);
  const exact = payment.paid(payment.begun(5), "cash", 5);
  assert.deepEqual(payment.body(exact), { payments: [{ kind: "cash", amount: 5 }] });
});

test("the same way twice is one payment", () => {
  const one = payment.paid(payment.paid(payment.begun(100), "card", 30), "card", 70);
  assert.deepEqual(one.payments, [{ kind: "card", amount: 100 }]);
});

test("notes that a guest may lay down", () => {
  assert.deepEqual(payment.notes(8730), [8730, 9000, 10_000]);
  assert.deepEqual(payment.notes(5000)[0], 5000);
  for (const amount of [1, 99, 12_345, 50_000]) assert.ok(payment.notes(amount).every((note) => note >= amount));
});

test("an account pays all of a part, or none of it", () => {
  const id = "0a".repeat(16);
  assert.equal(payment.accountIn(` ${id.toUpperCase()}\n`), id);
  assert.equal(payment.accountIn(id.replace(/.{4}/g, "$& ")), id);
  for (const text of ["", "0a", `${id}0`, id.replace("a", "g"), "6901234567892"]) assert.equal(payment.accountIn(text), null);
  const one = payment.fromAccount(payment.begun(2800), id);
  assert.ok(payment.isPaid(one));
  assert.deepEqual(payment.body(one), { payments: [{ kind: "prepaid", amount: 2800 }], prepaid: id });
  assert.deepEqual(payment.body(payment.taken(one, "prepaid")), { payments: [] });
  assert.equal(payment.fromAccount(payment.paid(payment.begun(2800), "cash", 800), id), null);
});
