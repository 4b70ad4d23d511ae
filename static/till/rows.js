/** The invoices of a day, as they come and change. */

/** The list with a row as it is now: in its place, or on top where it is new and wanted. */
export function upserted(rows, row, wanted = () => true) {
  const at = rows.findIndex(({ hash }) => hash === row.hash);
  if (at >= 0) return rows.map((one, n) => (n === at ? row : one));
  return wanted(row) ? [row, ...rows] : rows;
}

/** How money goes back that was paid so: as much as came in each way, less what went back already. */
export function refund(payments, amount, before = []) {
  const open = payments.map(({ kind, amount: paid }) => ({ kind, amount: paid - gone(before, kind) }));
  const found = [];
  let rest = amount;
  for (const { kind, amount: most } of open.sort((a, b) => b.amount - a.amount)) {
    const part = Math.min(Math.max(most, 0), rest);
    if (part) found.push({ kind, amount: part });
    rest -= part;
  }
  if (!rest) return found;
  const [first = { kind: "cash", amount: 0 }, ...others] = found;
  return [{ ...first, amount: first.amount + rest }, ...others];
}

const gone = (before, kind) =>
  before.flat().reduce((sum, one) => (one.kind === kind ? sum + Math.abs(one.amount) : sum), 0);

/** What some of a line comes to, at least nearly: the service computes it to the fen. */
export function share(line, taken) {
  const left = millionths(line.quantity_left);
  const some = millionths(taken);
  if (some === left) return line.left;
  return left ? Number((2n * BigInt(line.left) * some + left) / (2n * left)) : 0;
}

function millionths(text) {
  const [whole, part = ""] = String(text).split(".");
  return BigInt(whole || 0) * 1_000_000n + BigInt(part.padEnd(6, "0").slice(0, 6));
}
