/** Titles that this phone remembers, because somebody wished so: in its own storage, sent nowhere. */
const KEY = "fapiao-titles";
export const MOST = 5;

/** The titles, the last used first; none where there is no storage. */
export function remembered(storage) {
  try {
    const found = JSON.parse(storage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(isTitle).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Keep one, before all others. */
export function remember(storage, title) {
  keep(storage, [title, ...remembered(storage).filter((one) => !isSame(one, title))].slice(0, MOST));
}

/** Keep it no longer. */
export function forget(storage, title) {
  keep(storage, remembered(storage).filter((one) => !isSame(one, title)));
}

function keep(storage, titles) {
  try {
    storage.setItem(KEY, JSON.stringify(titles));
  } catch {
    // a phone that keeps nothing asks again
  }
}

const isSame = (one, other) => one.kind === other.kind && one.name === other.name && one.tax_id === other.tax_id;

const isTitle = (one) =>
  ["kind", "name", "tax_id"].every((name) => typeof one?.[name] === "string") && one.name !== "";
