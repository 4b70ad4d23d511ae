/** Scanners, hands, and titles of companies. */
import assert from "node:assert/strict";
import test from "node:test";
import { Letters, PACE, Scanner } from "../../../static/till/scanner.js";
import { asked, byCategory, search, withCode } from "../../../static/till/menu.js";
import { buyerOf, crc16, isTitleCode, looksLikeTaxId, readTitle } from "../../../static/till/title.js";

function typed(keys, pace, start = 1000) {
  const scanner = new Scanner();
  return keys.map((key, at) => scanner.key(key, start + at * pace).kind);
}

test("fast keys with an end are a scan, by Enter and by Tab", () => {
  for (const end of ["Enter", "Tab"]) {
    const scanner = new Scanner();
    [..."6901234567892"].forEach((key, at) => scanner.key(key, at * 8));
    assert.deepEqual(scanner.key(end, 13 * 8), { kind: "scan", text: "6901234567892" });
    assert.equal(scanner.key(end, 13 * 8 + 5).kind, "none");
  }
});

test("a hand is no scanner, however long it types", () => {
  assert.equal(typed([..."12345678", "Enter"], 80).at(-1), "none");
  const scanner = new Scanner();
  [..."123456"].forEach((key, at) => scanner.key(key, at * 10));
  assert.equal(scanner.key("Enter", 60 + 31).kind, "none"); // the end came too late for a scanner
});

test("a scan that is too short is said, two quick fingers are not", () => {
  assert.equal(typed([..."12345", "Enter"], 30).at(-1), "short");
  assert.equal(typed([..."123456", "Enter"], 30).at(-1), "scan");
  assert.equal(typed([..."01", "Enter"], 10).at(-1), "none");
});

test("keys without a sign are not of a scan, and a pause begins anew", () => {
  const scanner = new Scanner();
  for (const [at, key] of ["1", "Shift", "2", "3"].entries()) scanner.key(key, at * 5);
  assert.equal(scanner.key("F9", 25).kind, "none");
  assert.equal(scanner.key("4", 500).text, "4");
});

const MENU = [
  { id: "1", name: "烤鸭", category: "热菜", code: "01", position: 2, price: 1 },
  { id: "2", name: "啤酒", category: "酒水", code: "6901234567892", position: 1, price: 1 },
  { id: "3", name: "鸭汤", category: "热菜", code: "011", position: 3, price: 1 },
  { id: "4", name: "茶", category: "酒水", position: 4, price: 1 },
];

test("dishes are found by code first, then by name", () => {
  assert.deepEqual(search(MENU, "01").map(({ id }) => id), ["1", "3"]);
  assert.deepEqual(search(MENU, "鸭").map(({ id }) => id), ["3", "1"]);
  assert.deepEqual(search(MENU, "x"), []);
  assert.equal(withCode(MENU, "6901234567892").id, "2");
  assert.equal(withCode(MENU, ""), undefined);
});

test("the menu keeps its order, and several are asked for at once", () => {
  assert.deepEqual(byCategory(MENU).map(([name, items]) => [name, items.length]), [["酒水", 2], ["热菜", 2]]);
  assert.deepEqual(asked("3*01"), { quantity: "3", text: "01" });
  assert.deepEqual(asked("0.5 × 鸭"), { quantity: "0.5", text: "鸭" });
  assert.deepEqual(asked("01"), { quantity: "1", text: "01" });
});

const TEXT = "深圳市采购有限公司</>91440300708461136T</>深圳市福田区|0755-82180000</>中国银行 4000</>";
const GBK = { 深: [0xc9, 0xee], 圳: [0xdb, 0xda] };
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const code = (text, sum) => `$01${base64(Buffer.from(text + sum, "utf-8"))}$`;
const sumOf = (bytes) => crc16(bytes).toString(16).toUpperCase().padStart(4, "0");

test("the check sum is CRC-16 with 8005, the highest bit first", () => {
  assert.equal(crc16(Buffer.from("123456789")), 0xfee8); // known as CRC-16/UMTS
});

test("a title code is read with all its fields", () => {
  const title = readTitle(code(TEXT, sumOf(Buffer.from(TEXT))));
  assert.deepEqual(title, {
    name: "深圳市采购有限公司", tax_id: "91440300708461136T", address_phone: "深圳市福田区 0755-82180000", bank_account: "中国银行 4000", sure: true,
  });
  assert.deepEqual(buyerOf(title), { kind: "company", name: title.name, tax_id: title.tax_id, address_phone: title.address_phone });
});

test("a sum over GBK, a title in GBK, and one without a sum are read, too", () => {
  const short = "深圳</>91440300708461136T</>";
  const bytes = [...GBK["深"], ...GBK["圳"], ...Buffer.from("</>91440300708461136T</>")];
  assert.equal(readTitle(code(short, sumOf(bytes))).sure, true);
  assert.equal(readTitle(`$01${base64([...bytes, ...Buffer.from(sumOf(bytes))])}$`).name, "深圳");
  assert.deepEqual(readTitle(code("深圳</>91440300708461136T", "")).sure, false);
});

test("a title without base64 is read, also where its GBK was taken for Latin letters", () => {
  const plain = `$01${TEXT}${sumOf(Buffer.from(TEXT))}$`;
  assert.deepEqual(readTitle(plain), readTitle(code(TEXT, sumOf(Buffer.from(TEXT)))));
  const bytes = [...GBK["深"], ...GBK["圳"], ...Buffer.from("</>91440300708461136T</>")];
  const title = readTitle(`$01${String.fromCharCode(...bytes)}${sumOf(bytes)}$`);
  assert.deepEqual([title.name, title.sure], ["深圳", true]);
});

test("a bent title is not taken for sure, and rubbish for none", () => {
  assert.equal(readTitle(code(TEXT.replace("采购", "采构"), sumOf(Buffer.from(TEXT)))).sure, false);
  for (const text of ["", "$01$", "$01####$", "$01YWJj$", "$02YWJj$", "6901234567892", code("</>x</>", "")]) {
    assert.equal(readTitle(text), null, text);
  }
  assert.ok(isTitleCode("$01abc") && !isTitleCode("01abc"));
});

test("a buyer without a tax id is an organisation", () => {
  assert.deepEqual(buyerOf({ name: " 市教育局 ", tax_id: "" }), { kind: "organisation", name: "市教育局" });
  assert.ok(looksLikeTaxId(" 91440300708461136t "));
  for (const text of ["", "123", "9144030070846113IO", "440300708461136", "91440300708461136TX"]) assert.ok(!looksLikeTaxId(text), text);
});

/** What `keys` (key and time) choose of letters that stand for themselves. */
async function chosen(...keys) {
  const found = [];
  const letters = new Letters();
  const taken = keys.map(([key, at]) => letters.key(key, at, /^[a-z]$/.test(key) ? () => found.push(key) : null));
  await new Promise((done) => setTimeout(done, 5 * PACE));
  return [found.join(""), taken.at(-1)];
}

test("a hand's letter chooses, a scanner's do not", async () => {
  assert.deepEqual(await chosen(["w", 0]), ["w", false]);
  assert.deepEqual(await chosen(["c", 0], ["0", 5], ["a", 10]), ["", false]);
  assert.deepEqual(await chosen(["0", 0], ["c", 5]), ["", false]);
  assert.deepEqual(await chosen(["0", 0], ["c", 200]), ["c", false]);
});

test("a letter and a quick Enter are the letter, alone", async () => {
  assert.deepEqual(await chosen(["w", 0], ["Enter", 40]), ["w", true]);
  assert.deepEqual(await chosen(["Enter", 0]), ["", false]);
});

test("a letter right after an Enter is a hand's, for the next part of a bill", async () => {
  assert.deepEqual(await chosen(["Enter", 0], ["k", 5]), ["k", false]);
  assert.deepEqual(await chosen(["Enter", 0], ["k", 5], ["1", 10]), ["", false]);
});
