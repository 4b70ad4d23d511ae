/** Money as people type it, and as the service computes it. */
import assert from "node:assert/strict";
import test from "node:test";
import { discountOf, fenOf, millionthsOf, quantityText, shown, spread, times, yuanOf } from "../../../static/till/money.js";

test("what people type becomes whole fen, or nothing", () => {
  const typed = { 12: 1200, "12.5": 1250, "0.05": 5, ".5": 50, "¥1,280.00": 128_000, "￥3": 300, " 7 ": 700, "１２．５": 1250, 0: 0 };
  for (const [text, fen] of Object.entries(typed)) assert.equal(fenOf(text), fen, text);
  for (const text of ["", "-1", "1.234", "1e3", "12 34", "1,28", "abc", "012", "999999999999", "1..2"]) {
    assert.equal(fenOf(text), null, text);
  }
});

test("money is shown with its separators and typed again without", () => {
  assert.equal(shown(123_456_789), "¥1,234,567.89");
  assert.equal(shown(-5), "-¥0.05");
  assert.equal(yuanOf(100_000), "1000.00");
  for (const fen of [0, 1, 99, 100, 123_456]) assert.equal(fenOf(yuanOf(fen)), fen);
});

test("a price meets its quantity once, half up, also where numbers are large", () => {
  assert.equal(times(333, millionthsOf("0.5")), 167);
  assert.equal(times(1, millionthsOf("0.499999")), 0);
  assert.equal(times(10 ** 13, millionthsOf("0.999999")), 9_999_990_000_000);
  assert.equal(quantityText(millionthsOf("1.50")), "1.5");
  for (const text of ["0", "-1", "1.1234567", "", "x", "01"]) assert.equal(millionthsOf(text), null, text);
});

test("a discount is yuan or per cent, at most the whole", () => {
  assert.equal(discountOf("5", 2800), 500);
  assert.equal(discountOf("10%", 2805), 281);
  assert.equal(discountOf("12.5％", 1000), 125);
  assert.equal(discountOf("100%", 2800), 2800);
  for (const text of ["28.01", "101%", "-5", "ten", ""]) assert.equal(discountOf(text, 2800), null, text);
});

test("a sum is spread by largest remainders, ties in order, and none is lost", () => {
  assert.deepEqual(spread(100, [1, 1, 1]), [34, 33, 33]);
  assert.deepEqual(spread(0, [3, 4]), [0, 0]);
  assert.deepEqual(spread(5, [0, 0]), [0, 0]);
  assert.deepEqual(spread(7, [1, 2, 4]), [1, 2, 4]);
  assert.deepEqual(spread(10, [3, 3, 4, 0]), [3, 3, 4, 0]);
  for (let amount = 0; amount < 40; amount += 1) {
    const parts = spread(amount, [7, 13, 20]);
    assert.equal(parts.reduce((sum, one) => sum + one), amount);
    parts.forEach((one, at) => assert.ok(one <= [7, 13, 20][at]));
  }
});
