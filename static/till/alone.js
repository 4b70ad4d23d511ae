/**
 * One writer: of several tabs of a till only one sells; another begins once the first is closed.
 *
 * Browsers have locks for this (Web Locks), but only on https and on the machine itself. Elsewhere, as
 * on plain http in a restaurant's own network, the tabs ask each other.
 */
import { newId } from "./ids.js";

const ANSWER = 400; // milliseconds in which whoever sells has said so
const BEAT = 1000; // between two signs of life of whoever sells
const ALIVE = 5000; // so old a sign says that it is there, if only too busy to answer
const AGAIN = 2000; // between two questions of a tab that waits
const UNANSWERED = 3; // questions after which the one that sold is taken for gone

/**
 * Calls `mine()` once nobody else holds the name, `others()` at once where somebody does. Without
 * locks `others()` may come later, too: where two had been apart, as after a tab was frozen.
 */
export function alone(name, mine, others, { locks = globalThis.navigator?.locks, Channel = globalThis.BroadcastChannel } = {}) {
  if (locks) return byLock(locks, name, mine, others);
  if (!Channel) return mine();
  const talk = new Talk(new Channel(name), mine, others, { sign: new Sign(name) });
  talk.begin();
  return talk;
}

function byLock(locks, name, mine, others) {
  const forever = new Promise(() => {});
  const held = () => {
    mine();
    return forever;
  };
  locks.request(name, { ifAvailable: true }, (lock) => {
    if (lock) return held();
    others();
    locks.request(name, held);
    return undefined;
  });
}

/** When whoever sells was last alive, where all tabs of the browser read it. */
export class Sign {
  constructor(name, { now = () => Date.now(), storage = storageHere() } = {}) {
    Object.assign(this, { key: `${name}-alive`, now, storage });
  }

  get isFresh() {
    const at = this.storage?.getItem(this.key);
    return Boolean(at) && Math.abs(this.now() - Number(at)) < ALIVE;
  }

  give() {
    try {
      this.storage?.setItem(this.key, String(this.now()));
    } catch {
      // Full: a tab that answers in time is found without it.
    }
  }

  take() {
    this.storage?.removeItem(this.key);
  }
}

/** None where the person forbids it. */
function storageHere() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** What one tab says and hears: "ask", "held", "gone", each with its `from`. */
export class Talk {
  #state = "asking"; // "holds", "waits"
  #since = 0; // when it began to hold
  #unanswered = 0;
  #timer = null;
  #beats = null;

  constructor(channel, mine, others, { id = newId(), now = () => Date.now(), answer = ANSWER, again = AGAIN, sign = new Sign("", { storage: null }) } = {}) {
    Object.assign(this, { channel, mine, others, id, now, answer, again, sign });
    channel.addEventListener("message", ({ data }) => this.#hear(data));
    globalThis.addEventListener?.("pagehide", () => this.leave());
    globalThis.addEventListener?.("pageshow", ({ persisted }) => persisted && this.begin());
  }

  /** Ask whether somebody holds it; nobody says so, and nobody was alive just now: it is ours. */
  begin() {
    this.#state = "asking";
    if (this.sign.isFresh) return this.#wait();
    this.#later(this.answer, () => this.#take());
    this.#say("ask");
  }

  /** Closed: whoever waits need not ask thrice. */
  leave() {
    clearTimeout(this.#timer);
    clearInterval(this.#beats);
    const held = this.#state === "holds";
    this.#state = "left";
    if (!held) return;
    this.sign.take();
    this.#say("gone");
  }

  #take() {
    this.#state = "holds";
    this.#since = this.now();
    this.sign.give();
    this.#beats = setInterval(() => this.sign.give(), BEAT);
    this.#say("held");
    this.mine();
  }

  #wait() {
    this.#unanswered = 0;
    if (this.#state === "waits") return;
    clearInterval(this.#beats);
    this.#state = "waits";
    this.others();
    this.#askAgain();
  }

  #askAgain() {
    this.#later(this.again, () => {
      this.#unanswered += 1;
      if (this.#unanswered > UNANSWERED && !this.sign.isFresh) return this.begin();
      this.#say("ask");
      return this.#askAgain();
    });
  }

  #hear({ kind, from, since }) {
    if (this.#state === "left") return;
    if (kind === "ask" && this.#state === "holds") this.#say("held");
    else if (kind === "ask" && this.#state === "asking") this.#meet(from);
    else if (kind === "held" && (this.#state !== "holds" || this.#yields(from, since))) this.#wait();
    else if (kind === "gone" && this.#state === "waits") this.begin();
  }

  /** Two ask at the same time: the lower id has it. */
  #meet(from) {
    if (from < this.id) this.#wait();
    else this.#say("ask");
  }

  /** Two hold it, of which one was frozen: the one at which somebody began later goes on. */
  #yields(from, since) {
    const stays = this.#since > since || (this.#since === since && this.id < from);
    if (stays) this.#say("held");
    return !stays;
  }

  #say(kind) {
    this.channel.postMessage({ kind, from: this.id, since: this.#since });
  }

  #later(pause, work) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, pause);
  }
}
