/** A page whose verdict is not the last one looks again by itself, and shows what has changed. */
const PAUSE = 3000; // milliseconds
const MOST = 200;

const bandOf = (page) => page.querySelector("[data-verdict]");

/** The page as it is now, if its verdict is another one; else null. */
async function changed() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return null;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = bandOf(fresh)?.dataset.verdict;
  return now && now !== bandOf(document).dataset.verdict ? fresh : null;
}

/** Show the fresh page; the band stays the same part, so that its new words are read aloud. */
function show(fresh) {
  const [band, news] = [bandOf(document), bandOf(fresh)];
  document.querySelector(".sprite").replaceWith(fresh.querySelector(".sprite"));
  document.title = fresh.title;
  while (band.nextSibling) band.nextSibling.remove();
  while (news.nextSibling) band.parentNode.append(news.nextSibling);
  band.className = news.className;
  band.replaceChildren(...news.childNodes);
  band.dataset.verdict = news.dataset.verdict;
}

async function look(left) {
  const fresh = document.hidden ? null : await changed().catch(() => null);
  if (fresh !== null) show(fresh);
  else if (left > 0) setTimeout(look, PAUSE, left - 1);
}

setTimeout(look, PAUSE, MOST);
