/** A bill in up to five parts: evenly, or by what each guest had. */
import { nets, total } from "./bill.js";
import { millionthsOf, quantityText, spread } from "./money.js";

export const MOST_PARTS = 5;

/** As equal as fen let them be. */
export const evenly = (bill, parts) =>
  spread(total(bill), Array(parts).fill(1)).map((amount) => ({ amount }));

/** Everything with the first guest, of so many. `taken[line][part]` is in millionths. */
export const allToFirst = (bill, parts) =>
  bill.lines.map(({ quantity }) => [millionthsOf(quantity) ?? 0n, ...Array(parts - 1).fill(0n)]);

/** One more of a line for a part: from the first other one that has some. */
export function moved(taken, line, part) {
  const from = taken[line].findIndex((has, at) => at !== part && has > 0n);
  if (from < 0) return taken;
  const some = taken[line][from] < 1_000_000n ? taken[line][from] : 1_000_000n;
  const row = taken[line].map((has, at) => (at === part ? has + some : at === from ? has - some : has));
  return taken.map((one, at) => (at === line ? row : one));
}

/** What each part comes to. */
export function totals(bill, taken) {
  const sums = taken[0].map(() => 0);
  nets(bill).forEach((net, line) => {
    spread(net, taken[line]).forEach((share, part) => (sums[part] += share));
  });
  return sums;
}

/** The parts as they are settled; null while one of them has nothing, or comes to nothing. */
export function byDish(bill, taken) {
  const amounts = totals(bill, taken);
  const parts = amounts.map((_amount, part) => ({ lines: linesOf(taken, part) }));
  return amounts.every((amount) => amount > 0) && parts.every(({ lines }) => lines.length) ? parts : null;
}

const linesOf = (taken, part) =>
  taken.flatMap((row, at) => (row[part] > 0n ? [{ line: at + 1, quantity: quantityText(row[part]) }] : []));
