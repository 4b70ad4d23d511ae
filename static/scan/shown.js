/** What a scan page says of an invoice, as a person reads it, and what the code said that led to it. */
const HASH = /(?<![0-9a-z])01[0-9a-f]{64}(?![0-9a-z])/gi;
const COMMAS = /^\s*01,10,\d{12},(\d{8}),[^,]*,(\d+)\.(\d\d),\d{8},(01[0-9a-f]{64})\s*$/i;

/** {verdict, style, name, said: {name: [text…]}, returns: [{hash, at, said}]} of a page. */
export function readShown(page) {
  const band = page.querySelector("[data-verdict]");
  const said = {};
  for (const part of page.querySelectorAll("[data-said]")) {
    (said[part.dataset.said] ??= []).push(textOf(part));
  }
  const returns = [...page.querySelectorAll("[data-return]")].map((part) => ({
    hash: part.dataset.return,
    at: part.dataset.at,
    said: textOf(part),
  }));
  return {
    verdict: band?.dataset.verdict ?? "none",
    style: [...(band?.classList ?? [])].find((name) => name.startsWith("is-"))?.slice(3) ?? "",
    name: textOf(band?.querySelector(".name")),
    said,
    returns,
  };
}

const textOf = (part) => (part?.textContent ?? "").replace(/\s+/g, " ").trim();

/**
 * What the address says of an invoice: {hash, number, total, amount}, what is not said null. Null
 * for an address that does not name one invoice, and one alone.
 */
export function claimOf(search) {
  const asked = new URLSearchParams(search.replace(/&amp;/gi, "&"));
  const text = asked.get("text");
  const hashes = new Set((search.match(HASH) ?? []).map((one) => one.toLowerCase()));
  for (const one of (text ?? "").match(HASH) ?? []) hashes.add(one.toLowerCase());
  if (hashes.size !== 1) return null;
  const [hash] = hashes;
  const commas = COMMAS.exec(text ?? "");
  if (commas) return { hash, number: commas[1], total: null, amount: Number(commas[2] + commas[3]) };
  const named = text === null ? asked : queryIn(text);
  const number = first(named.get("bill_num"), /^\s*(\d{8})(?!\d)/);
  const total = first(named.get("total_amount"), /^\s*(\d{1,15})(?!\d)/);
  return { hash, number, total: total === null ? null : Number(total), amount: null };
}

const queryIn = (text) =>
  new URLSearchParams(text.replace(/&amp;/gi, "&").slice(text.indexOf("?") + 1).split("#", 1)[0]);

const first = (text, pattern) => pattern.exec(text ?? "")?.[1] ?? null;
