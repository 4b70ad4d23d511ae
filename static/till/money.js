/** Money in whole fen, quantities in millionths: nothing here is a fraction of a number. */
const MILLION = 1_000_000n;
export const LIMIT = 10 ** 13; // fen; docs/formats.md
const YUAN = /^(0|[1-9]\d{0,10})(?:\.(\d{1,2}))?$/;
const QUANTITY = /^(0|[1-9]\d{0,8})(?:\.(\d{1,6}))?$/;
const PERCENT = /^(\d{1,3})(?:\.(\d{1,2}))?\s*[%\uff05]$/;

/** Fen of what a person typed ("12", "12.5", "¥1,280.00"); null for anything else. */
export function fenOf(text) {
  const plain = text.normalize("NFKC").replace(/^\s*[¥\uffe5]?\s*|\s+$/g, "").replace(/,(?=\d{3}(\D|$))/g, "");
  const found = YUAN.exec(plain.startsWith(".") ? `0${plain}` : plain);
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

/** "12.50": as it is typed again. */
export function yuanOf(fen) {
  const whole = Math.abs(fen);
  return `${fen < 0 ? "-" : ""}${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
}

/** "¥1,280.50": as people read it. */
export function shown(fen) {
  const [whole, cents] = yuanOf(Math.abs(fen)).split(".");
  return `${fen < 0 ? "-" : ""}¥${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents}`;
}

/** A quantity in millionths; null for what is none, or 0. */
export function millionthsOf(text) {
  const found = QUANTITY.exec(String(text).trim());
  if (!found) return null;
  const value = BigInt(found[1]) * MILLION + BigInt((found[2] ?? "").padEnd(6, "0"));
  return value > 0n ? value : null;
}

/** The one spelling of a quantity: 1500000n is "1.5". */
export function quantityText(millionths) {
  const part = String(millionths % MILLION).padStart(6, "0").replace(/0+$/, "");
  return `${millionths / MILLION}${part ? `.${part}` : ""}`;
}

const halfUp = (numerator, denominator) => (2n * numerator + denominator) / (2n * denominator);

/** Fen for a quantity at a price, rounded once, half up: as the service does. */
export const times = (price, millionths) => Number(halfUp(BigInt(price) * millionths, MILLION));

/** What is taken off `of`, typed as yuan or as "10%"; null for what is neither, or more than all of it. */
export function discountOf(text, of) {
  const found = PERCENT.exec(text.normalize("NFKC").trim());
  const off = found ? percentOf(found, of) : fenOf(text);
  return off !== null && off <= of ? off : null;
}

function percentOf([, whole, part = ""], of) {
  const hundredths = BigInt(whole) * 100n + BigInt(part.padEnd(2, "0"));
  return Number(halfUp(BigInt(of) * hundredths, 10_000n));
}

/** `amount` divided as `over` is (integers), by largest remainders, ties in order: as the service does. */
export function spread(amount, over) {
  const shares = over.map(BigInt);
  const whole = shares.reduce((sum, one) => sum + one, 0n);
  if (whole === 0n) return over.map(() => 0);
  const parts = shares.map((one, at) => {
    const product = BigInt(amount) * one;
    return { at, share: product / whole, rest: product % whole };
  });
  const given = parts.reduce((sum, { share }) => sum + share, 0n);
  const order = [...parts].sort((a, b) => (a.rest === b.rest ? a.at - b.at : a.rest > b.rest ? -1 : 1));
  for (const part of order.slice(0, Number(BigInt(amount) - given))) part.share += 1n;
  return parts.map(({ share }) => Number(share));
}
