/**
 * A bill: what a table or a guest at the counter has, as plain data that is never changed in place.
 *
 * `{id, version, table, lines: [{item?, name, quantity, unit_price, discount?, tax_rate, tax_kind?}],
 * discount?, buyer?}`; money in fen, quantities as decimal strings.
 */
import { LIMIT, millionthsOf, quantityText, spread, times } from "./money.js";

export const MOST_LINES = 2000;
const ONE = 1_000_000n;

export const fresh = (id, table = null) => ({ id, version: 0, table, lines: [] });

/** What a line comes to before its discount. */
export const gross = (line) => times(line.unit_price, millionthsOf(line.quantity) ?? 0n);

/** What it comes to. */
export const net = (line) => gross(line) - (line.discount ?? 0);

/** What all lines come to, before what is taken off the whole. */
export const subtotal = (bill) => bill.lines.reduce((sum, line) => sum + net(line), 0);

/** What is to be paid. */
export const total = (bill) => subtotal(bill) - (bill.discount ?? 0);

/** What each line comes to once the bill's discount is spread over them. */
export function nets(bill) {
  const own = bill.lines.map(net);
  const off = bill.discount ? spread(bill.discount, own) : own.map(() => 0);
  return own.map((one, at) => one - off[at]);
}

/** How many things there are; weighed ones count once. */
export const count = (bill) =>
  bill.lines.reduce((sum, { quantity }) => sum + (/^\d+$/.test(quantity) ? Number(quantity) : 1), 0);

export const isFree = (line) => line.discount !== undefined && line.discount > 0 && net(line) === 0;

/** One more of a dish; it joins a line of the same that nobody has given a price of its own. */
export function withItem(bill, item, quantity = "1") {
  const at = bill.lines.findLastIndex((line) => joins(line, item));
  if (at < 0) return withLine(bill, lineOf(item, quantity));
  const more = (millionthsOf(bill.lines[at].quantity) ?? 0n) + (millionthsOf(quantity) ?? 0n);
  return changed(bill, at, { quantity: quantityText(more) });
}

const joins = (line, item) =>
  line.item === item.id && !line.discount && line.unit_price === item.price && line.tax_rate === item.tax_rate;

function lineOf(item, quantity) {
  const line = { item: item.id, name: item.name, quantity, unit_price: item.price, tax_rate: item.tax_rate };
  return item.tax_kind ? { ...line, tax_kind: item.tax_kind } : line;
}

export const withLine = (bill, line) => ({ ...bill, lines: [...bill.lines, line] });

/** A line with other values; undefined ones go. */
export function changed(bill, at, values) {
  const lines = bill.lines.map((line, n) => (n === at ? without({ ...line, ...values }) : line));
  return { ...bill, lines };
}

const without = (values) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

/** The same line with this many; none of it: the line goes. Null for what is no quantity. */
export function withQuantity(bill, at, text) {
  if (/^0+(\.0*)?$/.test(text.trim())) return removed(bill, at);
  const found = millionthsOf(text);
  return found === null ? null : changed(bill, at, { quantity: quantityText(found) });
}

/** One more, or one less; the last one goes. */
export function stepped(bill, at, by) {
  const now = (millionthsOf(bill.lines[at].quantity) ?? 0n) + BigInt(by) * ONE;
  return now > 0n ? changed(bill, at, { quantity: quantityText(now) }) : removed(bill, at);
}

export const removed = (bill, at) => ({ ...bill, lines: bill.lines.filter((_line, n) => n !== at) });

export const withDiscount = (bill, at, off) => changed(bill, at, { discount: off || undefined });

/** Given away: the whole line is taken off; or no longer. */
export function toggledFree(bill, at) {
  const line = bill.lines[at];
  return changed(bill, at, { discount: isFree(line) ? undefined : gross(line) || undefined });
}

export const withBillDiscount = (bill, off) => ({ ...bill, discount: off || undefined });

export const withBuyer = (bill, buyer) => ({ ...bill, buyer: buyer ?? undefined });

/** Why a bill cannot be paid as it is: codes, none if it can. */
export function troubles(bill) {
  if (!bill.lines.length) return ["bill_empty"];
  const found = [];
  if (bill.lines.length > MOST_LINES) found.push("too_many_lines");
  if (bill.lines.some((line) => net(line) < 0)) found.push("line_discount_too_large");
  if (total(bill) < 0) found.push("bill_discount_too_large");
  else if (total(bill) === 0) found.push("bill_is_nothing");
  if (subtotal(bill) > LIMIT) found.push("amount_out_of_range");
  return found;
}

/** What the service keeps of a bill. */
export function body(bill) {
  const { table, lines, discount, buyer } = bill;
  return without({ table, lines, discount: discount || undefined, buyer });
}

export const isEmpty = (bill) => bill.lines.length === 0;
