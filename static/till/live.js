/** What happens at other tills, and by itself: events of the service, as they come. */
const KINDS = ["invoice", "bill", "quota", "shift", "menu", "cashier", "stale", "bye"];

const AGAIN = 10_000; // milliseconds: where there was no room, or the service was not there

/**
 * `hear(kind, data)` hears all of them, and "open", "lost", "closed" of the line itself. `after` is
 * where the state ended that is shown. Once it is closed for good, it is opened anew by itself,
 * until `stop()` of what is returned.
 */
export function live(root, hear, { after = "", Source = globalThis.EventSource, pause = AGAIN } = {}) {
  const feed = { source: null, timer: null, stop: () => {} };
  const open = (query) => {
    feed.source = new Source(`${root}/till/events${query}`);
    for (const kind of KINDS) feed.source.addEventListener(kind, (event) => hear(kind, read(event.data)));
    feed.source.addEventListener("open", () => hear("open", null));
    feed.source.addEventListener("error", () => ended(feed.source.readyState === 2));
  };
  const ended = (closed) => {
    if (closed) feed.timer = setTimeout(open, pause, "");
    hear(closed ? "closed" : "lost", null);
  };
  feed.stop = () => {
    clearTimeout(feed.timer);
    feed.source.close();
  };
  open(after ? `?after=${encodeURIComponent(after)}` : "");
  globalThis.addEventListener?.("pagehide", feed.stop);
  return feed;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Calls `work` soon, and once for all who ask meanwhile. */
export function soon(work, pause = 150) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      work();
    }, pause);
  };
}
