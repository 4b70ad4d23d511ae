/** A page whose verdict is not the last one looks again by itself, and shows what has changed. */
const FIRST = 3000; // milliseconds
const LONGEST = 30_000;
const PATIENCE = 15 * 60_000;
const SLOWER = 1.3;

const bandOf = (page) => page.querySelector("[data-verdict]");

/** This page as the service gives it now; null where it gives none. */
export async function freshPage() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Show another page's words; the band stays the same part, so that they are read aloud. */
export function put(fresh) {
  const [band, news] = [bandOf(document), bandOf(fresh)];
  document.querySelector(".sprite").replaceWith(fresh.querySelector(".sprite"));
  document.title = fresh.title;
  while (band.nextSibling) band.nextSibling.remove();
  while (news.nextSibling) band.parentNode.append(news.nextSibling);
  band.className = news.className;
  band.replaceChildren(...news.childNodes);
  band.dataset.verdict = news.dataset.verdict;
}

/** Ask again, less and less often, while the verdict is pending; then show the page, and call `changed`. */
export function watch(changed, show = put, pause = FIRST, spent = 0) {
  if (spent > PATIENCE) return;
  setTimeout(async () => {
    if (bandOf(document).dataset.verdict !== "pending") return;
    const fresh = document.hidden ? null : await freshPage().catch(() => null);
    const now = fresh && bandOf(fresh)?.dataset.verdict;
    if (now && now !== bandOf(document).dataset.verdict) {
      show(fresh);
      changed();
    } else watch(changed, show, Math.min(pause * SLOWER, LONGEST), spent + pause);
  }, pause);
}
