/** The menu as it is written: fields of text that become dishes, or what is wrong with them. */
import { fenOf, yuanOf } from "../money.js";

export const FIELDS = ["name", "category", "price", "tax_rate", "code"];

/** A dish as fields of text. */
export const fieldsOf = (item) => ({
  id: item.id, name: item.name, category: item.category ?? "", price: yuanOf(item.price), tax_rate: item.tax_rate, tax_kind: item.tax_kind, code: item.code ?? "",
});

export const isBlank = (row) => !row.name.trim() && !row.price.trim() && !row.code.trim();

/** {items, faults: [{at, field, code}]}: rows that are blank are left out. */
export function dishesOf(rows, newId) {
  const [items, faults, codes] = [[], [], new Map()];
  rows.forEach((row, at) => {
    if (isBlank(row)) return;
    const price = fenOf(row.price);
    const code = row.code.trim();
    if (!row.name.trim()) faults.push({ at, field: "name", code: "name_missing" });
    if (price === null) faults.push({ at, field: "price", code: "price_unreadable" });
    if (code && codes.has(code.toLowerCase())) faults.push({ at, field: "code", code: "code_twice" });
    codes.set(code.toLowerCase(), at);
    items.push(dish(row, { id: row.id || newId(), price, code, position: items.length }));
  });
  return { items, faults };
}

function dish(row, { id, price, code, position }) {
  const item = { id, name: row.name.trim(), category: row.category.trim(), price, tax_rate: row.tax_rate, position };
  if (row.tax_kind) item.tax_kind = row.tax_kind;
  if (code) item.code = code;
  return item;
}

/** What came from a file, behind what is there: a dish of the same name takes the new values. */
export function joined(rows, items) {
  const fresh = items.map(fieldsOf);
  const named = new Map(fresh.map((row) => [row.name, row]));
  const kept = rows.filter((row) => !isBlank(row)).map((row) => {
    const found = named.get(row.name.trim());
    named.delete(row.name.trim());
    return found ? { ...found, id: row.id, code: found.code || row.code, category: found.category || row.category } : row;
  });
  return [...kept, ...fresh.filter((row) => named.has(row.name))];
}

/** Tables as somebody wrote them: "1-12" or names, by lines or commas; null for too many or the same twice. */
export function tablesOf(text, most = 500) {
  const found = text.split(/[\n,\uff0c\u3001;\uff1b]+/).map((one) => one.trim()).filter(Boolean).flatMap(span);
  return found.length > most || new Set(found).size !== found.length || found.some((one) => one.length > 32) ? null : found;
}

function span(text) {
  const found = /^(\d{1,3})\s*[-\u2013~\uff5e\u81f3]\s*(\d{1,3})$/.exec(text);
  if (!found) return [text];
  const [first, last] = [Number(found[1]), Number(found[2])];
  return last < first ? [text] : Array.from({ length: last - first + 1 }, (_one, at) => String(first + at));
}
