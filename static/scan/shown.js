/** What a scan page says of an invoice, as a person reads it, and what the code said that led to it. */
import { yuan } from "../verify/words.js";

const HASH = /(?<![0-9a-z])01[0-9a-f]{64}(?![0-9a-z])/gi;
const COMMAS = /^\s*01,10,\d{12},(\d{8}),[^,]*,(\d+)\.(\d\d),\d{8},(01[0-9a-f]{64})\s*$/i;

const SUM = /-?[\u00a5\uffe5]\s?[\d,.]*\d/g;

/** Parts whose sums are held against something else, or that a check itself has written. */
const HELD = "[data-said], [data-return], #phone, script, style, template, noscript";

/**
 * {verdict, style, name, said: {name: [text…]}, returns: [{hash, at, said}], sums: [text…]} of a
 * page. A fact that nobody can see is not said; `sums` are those that stand outside of all facts.
 */
export function readShown(page) {
  const bands = page.querySelectorAll("[data-verdict], .verdict");
  const band = bands.length === 1 && isSeen(bands[0]) ? bands[0] : null;
  const said = {};
  const shown = new Map();
  for (const part of page.querySelectorAll("[data-said]")) {
    if (isSeen(part, shown)) (said[part.dataset.said] ??= []).push(textOf(part));
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
    sums: sumsBeside(page),
  };
}

/**
 * Whether a part can be seen, now or once what folds it is opened. Of a page that is not shown
 * (it came by a call) that is not known, and asked again when it is.
 */
function isSeen(part, shown = new Map()) {
  const view = part.ownerDocument.defaultView;
  if (!view) return true;
  if (!isStyled(part, view, shown)) return false;
  if (part.closest("details:not([open])") !== null) return true;
  const { width, height } = part.getBoundingClientRect();
  return width * height > 0;
}

/** Whether a part and all around it are styled to be seen; `shown` are those that were asked. */
function isStyled(part, view, shown) {
  if (part === null) return true;
  if (!shown.has(part)) {
    const { display, visibility, opacity } = view.getComputedStyle(part);
    const isHidden = display === "none" || visibility !== "visible" || Number(opacity) < 0.5;
    shown.set(part, !isHidden && isStyled(part.parentElement, view, shown));
  }
  return shown.get(part);
}

/** Each sum that is no fact, nor that of another invoice to which a link beside it leads. */
function sumsBeside(page) {
  const found = [];
  const walker = page.createTreeWalker(page.body, 4); // texts
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (parentElement.closest(HELD)) continue;
    const linked = parentElement.closest("dd")?.querySelector("a[href]")?.getAttribute("href") ?? "";
    const total = /[?&]total_amount=(-?\d{1,15})(?!\d)/.exec(linked)?.[1];
    const other = total === undefined ? null : yuan(Math.abs(Number(total)));
    found.push(...(data.match(SUM) ?? []).filter((sum) => sum.replace("-", "") !== other));
  }
  return found;
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
