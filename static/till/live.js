/** What happens at other tills, and by itself: events of the service, as they come. */
const KINDS = ["invoice", "order", "bill", "quota", "shift", "menu", "cashier", "stale", "bye"];

const AGAIN = [5_000, 10_000, 20_000, 40_000, 60_000]; // milliseconds: where there was no room, or nobody there
const UNSEEN = 4_000; // so long a feed may be away, as at a restart, before anybody is told

const wait = (pause, work) => {
  const timer = setTimeout(work, pause);
  return () => clearTimeout(timer);
};

/**
 * `hear(kind, data)` hears all of them, and "open", "lost", "closed" of the feed itself; `shown(live)`
 * whether what the page shows changes by itself. `after` is where the state ended that is shown.
 *
 * A browser opens a feed anew that broke off, and none that was refused: that is done here, after
 * pauses that grow, until `stop()` of what is returned.
 */
export function live(root, hear, { after = "", shown = () => {}, Source = globalThis.EventSource, later = wait } = {}) {
  const feed = { source: null, stop: () => {} };
  let [refused, again, unseen] = [0, null, null]; // times in a row; what stops a pause
  const open = (query) => {
    feed.source = new Source(`${root}/till/events${query}`);
    for (const kind of KINDS) feed.source.addEventListener(kind, (event) => hear(kind, read(event.data)));
    feed.source.addEventListener("open", opened);
    feed.source.addEventListener("error", () => ended(feed.source.readyState === 2));
  };
  const opened = () => {
    refused = 0;
    unseen?.();
    unseen = null;
    shown(true);
    hear("open", null);
  };
  const ended = (closed) => {
    if (closed) {
      again = later(AGAIN[Math.min(refused, AGAIN.length - 1)], () => open(""));
      refused += 1;
      shown(false);
    } else unseen ??= later(UNSEEN, () => shown(false));
    hear(closed ? "closed" : "lost", null);
  };
  feed.stop = () => {
    again?.();
    unseen?.();
    feed.source.close();
  };
  open(after ? `?after=${encodeURIComponent(after)}` : "");
  globalThis.addEventListener?.("pagehide", feed.stop);
  globalThis.addEventListener?.("pageshow", ({ persisted }) => persisted && open("")); // "back" to this page
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
