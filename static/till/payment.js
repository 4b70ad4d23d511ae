/** How one part of a bill is paid. Several ways add up; only cash gives change. */
export const KINDS = ["cash", "wechat", "alipay", "card", "other"];

/** What an account of money paid in advance pays: all of a part, and nothing comes to the till. */
export const PREPAID = "prepaid";

/** The account that a code names, scanned or typed; null for what is none. */
export function accountIn(text) {
  const plain = text.replace(/\s+/g, "").toLowerCase(); // typed in groups of four
  return /^[0-9a-f]{32}$/.test(plain) ? plain : null;
}

export const begun = (total) => ({ total, payments: [], tendered: null });

const sum = (payments) => payments.reduce((whole, { amount }) => whole + amount, 0);

/** What nobody has paid yet. */
export const left = (payment) => payment.total - sum(payment.payments);

/** Paid in full. */
export const isPaid = (payment) => left(payment) === 0;

const cashOf = (payment) =>
  sum(payment.payments.filter(({ kind }) => kind === "cash"));

/** What goes back to the guest. */
export const change = (payment) => Math.max(0, (payment.tendered ?? 0) - cashOf(payment));

/** So much in one way. More than is left is only possible in cash, which gives change. Null: refused. */
export function paid(payment, kind, amount) {
  const open = left(payment);
  if (amount <= 0 || open <= 0 || (amount > open && kind !== "cash")) return null;
  const taken = Math.min(amount, open);
  const others = payment.payments.filter((one) => one.kind !== kind);
  const before = sum(payment.payments.filter((one) => one.kind === kind));
  const payments = [...others, { kind, amount: before + taken }];
  const tendered = kind === "cash" ? (payment.tendered ?? 0) + amount : payment.tendered;
  return { ...payment, payments, tendered };
}

/** All of it from this account. Null: something was paid otherwise already. */
export const fromAccount = (payment, account) =>
  payment.payments.length ? null : { ...payment, payments: [{ kind: PREPAID, amount: payment.total }], prepaid: account };

/** Without what was given in one way. */
export const taken = ({ prepaid, ...payment }, kind) => ({
  ...payment,
  ...(prepaid && kind !== PREPAID ? { prepaid } : {}),
  payments: payment.payments.filter((one) => one.kind !== kind),
  tendered: kind === "cash" ? null : payment.tendered,
});

/** Notes that a guest may lay down for so much: the sum itself, and what is just above it. */
export function notes(amount) {
  const above = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000].map((note) => Math.ceil(amount / note) * note);
  return [...new Set([amount, ...above])].filter((one) => one <= amount + 10_000).sort((a, b) => a - b).slice(0, 5);
}

/** The part of a settlement that says how it was paid. */
export function body(payment) {
  const cash = cashOf(payment);
  const tendered = cash && payment.tendered > cash ? { tendered: payment.tendered } : {};
  const account = payment.prepaid ? { prepaid: payment.prepaid } : {};
  return { payments: payment.payments, ...tendered, ...account };
}
