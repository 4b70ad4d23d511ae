/** The claimed invoice: how it stands follows by itself, and whatever else is on the page stays. */
import { freshPage, watch } from "../scan/again.js";

const verdict = (page) => page.querySelector("[data-verdict]")?.dataset.verdict;

/** The band, which is read aloud as it changes, and what the invoice is and leads to. */
function show(fresh) {
  const [band, news] = [document, fresh].map((page) => page.querySelector("[data-verdict]"));
  for (const part of [".sprite", "#invoice"]) document.querySelector(part).replaceWith(fresh.querySelector(part));
  band.className = news.className;
  band.replaceChildren(...news.childNodes);
  band.dataset.verdict = news.dataset.verdict;
}

/** Somebody comes back to the page: what was taken back meanwhile is said. */
async function look() {
  const fresh = document.hidden ? null : await freshPage().catch(() => null);
  if (fresh && verdict(fresh) && verdict(fresh) !== verdict(document)) show(fresh);
}

watch(() => {}, show);
document.addEventListener("visibilitychange", look);
