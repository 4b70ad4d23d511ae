/** The menu: by category, and found by its short code, its barcode or a piece of its name. */
const AMOUNT = /^(\d{1,4}(?:\.\d{1,3})?)\s*[*x×]\s*(.+)$/i;

/** [[category, items]] in the menu's order. */
export function byCategory(menu) {
  const found = new Map();
  for (const item of [...menu].sort((a, b) => a.position - b.position)) {
    if (!found.has(item.category)) found.set(item.category, []);
    found.get(item.category).push(item);
  }
  return [...found];
}

/** What somebody typed: {quantity, text}; "3*01" is three of 01. */
export function asked(text) {
  const found = AMOUNT.exec(text.trim());
  return found ? { quantity: found[1], text: found[2].trim() } : { quantity: "1", text: text.trim() };
}

/** The dish with exactly this code. */
export const withCode = (menu, code) =>
  menu.find((item) => item.code !== undefined && item.code !== "" && item.code.toLowerCase() === code.toLowerCase());

/** What is meant by a text, the most likely first. */
export function search(menu, text) {
  const sought = text.toLowerCase();
  if (!sought) return menu;
  const rank = (item) => {
    const [code, name] = [(item.code ?? "").toLowerCase(), item.name.toLowerCase()];
    if (code === sought) return 0;
    if (code.startsWith(sought)) return 1;
    if (name.startsWith(sought)) return 2;
    return name.includes(sought) ? 3 : 9;
  };
  return menu
    .map((item) => ({ item, at: rank(item) }))
    .filter(({ at }) => at < 9)
    .sort((a, b) => a.at - b.at || a.item.position - b.item.position)
    .map(({ item }) => item);
}
