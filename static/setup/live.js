/** What goes on by itself is looked at again: the page's live part, every few seconds. */
const PAUSE = 4000; // milliseconds
const ours = document.querySelector("[data-live]");

async function look() {
  if (!document.hidden) {
    const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
    const text = answer?.ok ? await answer.text() : "";
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-live]");
    if (fresh) ours.replaceChildren(...fresh.childNodes);
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
