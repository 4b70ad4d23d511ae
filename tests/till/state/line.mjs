/** Calls that are slow, lost or refused; the line's state; tabs. */
import assert from "node:assert/strict";
import test from "node:test";
import { Sign, Talk, alone } from "../../../static/till/alone.js";
import { newId } from "../../../static/till/ids.js";
import { Line } from "../../../static/till/line.js";
import { live, soon } from "../../../static/till/live.js";
import { Away, Refused, Service } from "../../../static/till/service.js";

const json = (status, body) => new Response(JSON.stringify(body), { status });

test("a call is told to be slow while it is, and good once it is answered", async () => {
  const told = [];
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const service = new Service({ told: (state) => told.push(state), slow: 1, fetch: () => held });
  const call = service.get("/x");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(told, ["slow"]);
  release(json(200, { a: 1 }));
  assert.deepEqual(await call, { a: 1 });
  assert.deepEqual(told, ["slow", "good"]);
});

test("who has to wait is told how long, in the page's language", async () => {
  const said = { code: "sign_in_limited", title: "Wait", title_zh: "请等候", detail: "9 s", detail_zh: "9 秒" };
  const shown = async (language, more) => {
    const service = new Service({ language, fetch: async () => json(429, { ...said, ...more }) });
    return service.get("/x").catch((error) => error.message);
  };
  assert.equal(await shown("en", { retry_after: 9 }), "Wait (9 s)");
  assert.equal(await shown("zh-Hans", { retry_after: 9 }), "请等候 (9 秒)");
  assert.equal(await shown("en", {}), "Wait");
  assert.equal(await shown("zh-Hans", {}), "请等候");
});

test("a call that is answered does not make good what another one still waits for", async () => {
  const [told, release] = [[], []];
  const line = new Line({ told: (state) => told.push(state), probe: async () => {}, pause: () => new Promise(() => {}) });
  const fetch = async (path) => {
    if (path === "/cut") throw new TypeError("cut");
    return path === "/slow" ? new Promise((resolve) => release.push(() => resolve(json(200, {})))) : json(200, {});
  };
  const service = new Service({ told: (...state) => line.now(...state), slow: 1, fetch });
  const slow = [service.get("/slow"), service.get("/slow")];
  while (line.state !== "slow") await new Promise((resolve) => setTimeout(resolve, 1));
  await service.get("/quick");
  assert.equal(line.state, "slow");
  await service.get("/cut").catch(() => {});
  assert.equal(line.state, "cut");
  await service.get("/quick");
  assert.equal(line.state, "slow"); // not cut any more, and two are still under way
  release.forEach((one) => one());
  await Promise.all(slow);
  assert.deepEqual(told, ["slow", "cut", "slow", "good"]);
});

test("half an answer is none, and a page in the way of the service is not the service", async () => {
  const half = new Response(new ReadableStream({ start: (body) => body.error(new TypeError("broke off")) }));
  const told = [];
  const at = (answer) => new Service({ fetch: async () => answer, told: (state) => told.push(state) });
  await assert.rejects(at(half).get("/x"), Away);
  await assert.rejects(at(new Response("<h1>Welcome to our network</h1>")).get("/x"), Away);
  assert.deepEqual(told, ["cut", "cut"]);
  assert.equal(await at(new Response(null, { status: 204 })).get("/x"), null);
});

test("refusals have their code and the reader's sentence; a broken service is away", async () => {
  const problem = { code: "bill_changed", title: "changed", title_zh: "zh" };
  const at = (language, answer) => new Service({ language, fetch: async () => answer });
  await assert.rejects(at("en", json(409, problem)).get("/x"), (error) => error instanceof Refused && error.message === "changed" && error.status === 409);
  await assert.rejects(at("zh-Hans", json(409, problem)).get("/x"), { message: "zh", code: "bill_changed" });
  await assert.rejects(at("en", new Response("<p>", { status: 404 })).get("/x"), { code: "http_404" });
  for (const status of [500, 502, 503, 504]) await assert.rejects(at("en", json(status, problem)).get("/x"), Away);
});

test("changes carry the form's token and go to no other site", async () => {
  const calls = [];
  const service = new Service({ root: "/a", token: "t", fetch: async (...call) => calls.push(call) && json(200, {}) });
  await service.change("PUT", "/till/bills/1", { version: 0 });
  const [[path, init]] = calls;
  assert.equal(path, "/a/till/bills/1");
  assert.deepEqual([init.headers["X-Form"], init.headers["Content-Type"], init.credentials, init.redirect], ["t", "application/json", "same-origin", "error"]);
  await service.get("/x");
  assert.equal(calls[1][1].headers["X-Form"], undefined);
});

test("insisting sends the same until there is an answer, and stops at a refusal", async () => {
  const bodies = [];
  const answers = [null, json(503, {}), json(200, { done: true })];
  const fetch = async (_path, { body }) => {
    bodies.push(body);
    const answer = answers.shift();
    if (!answer) throw new TypeError("cut");
    return answer;
  };
  const service = new Service({ fetch, pause: async () => {} });
  assert.deepEqual(await service.insist("POST", "/x", { id: 1 }), { done: true });
  assert.deepEqual(bodies, Array(3).fill('{"id":1}'));
  const no = new Service({ fetch: async () => json(422, { code: "no" }), pause: async () => assert.fail("it tried again") });
  await assert.rejects(no.insist("POST", "/x", {}), { code: "no" });
});

test("a line that is cut is tried until it is back, and slow is not better than cut", async () => {
  const told = [];
  let tries = 0;
  const line = new Line({
    told: (...states) => told.push(states),
    pause: async () => {},
    probe: async () => {
      tries += 1;
      if (tries === 3) line.now("good");
      else throw new Away("cut");
    },
  });
  line.now("cut");
  line.now("slow");
  assert.ok(line.isCut);
  while (line.isCut) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, [["cut", "good"], ["good", "cut"]]);
  assert.equal(tries, 3);
});

class Locks {
  held = false;
  waiting = [];

  async request(_name, ...rest) {
    const [work, options] = [rest.at(-1), rest.length > 1 ? rest[0] : {}];
    if (this.held && options.ifAvailable) return work(null);
    if (this.held) await new Promise((resolve) => this.waiting.push(resolve));
    this.held = true;
    return work({});
  }

  release() {
    this.held = false;
    this.waiting.shift()?.();
  }
}

test("one tab sells; the second says so, and goes on when the first is closed", async () => {
  const [locks, said] = [new Locks(), []];
  const tab = (name) => alone("till", () => said.push(`${name} sells`), () => said.push(`${name} waits`), { locks });
  tab("first");
  tab("second");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(said, ["first sells", "second waits"]);
  locks.release();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(said, ["first sells", "second waits", "second sells"]);
  alone("till", () => said.push("with nothing"), () => {}, { locks: null, Channel: null });
  assert.equal(said.at(-1), "with nothing");
});

/** Tabs that hear each other, as on plain http; a frozen one hears nothing until it thaws. */
class Tabs {
  said = [];
  #all = [];

  constructor(t) {
    t.after(() => this.#all.forEach((tab) => tab.talk.leave()));
  }

  open(id, { now = () => 1, again = 3_600_000, sign } = {}) {
    const tab = { frozen: false, missed: [] };
    const others = () => this.#all.filter((one) => one !== tab);
    const channel = {
      addEventListener: (_kind, listener) => (tab.listener = listener),
      postMessage: (data) => others().forEach((one) => (one.frozen ? one.missed.push({ data }) : one.listener({ data }))),
    };
    tab.talk = new Talk(channel, () => this.said.push(`${id} sells`), () => this.said.push(`${id} waits`), { id, now, answer: 1, again, sign });
    this.#all.push(tab);
    tab.talk.begin();
    return tab;
  }

  close(tab) {
    tab.talk.leave();
    this.#all = this.#all.filter((one) => one !== tab);
  }

  thaw(tab) {
    tab.frozen = false;
    tab.missed.splice(0).forEach((event) => tab.listener(event));
  }

  async until(count) {
    while (this.said.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("without locks tabs ask each other: one sells, the next one once it is closed", async (t) => {
  const tabs = new Tabs(t);
  const first = tabs.open("b");
  tabs.open("c"); // at the same moment
  await tabs.until(2);
  const third = tabs.open("a");
  await tabs.until(3);
  assert.deepEqual(tabs.said, ["c waits", "b sells", "a waits"]);
  tabs.close(third);
  tabs.close(first);
  await tabs.until(4);
  assert.deepEqual(tabs.said.slice(3), ["c sells"]);
});

test("a tab that is too busy to answer sells on while it was alive just now", async (t) => {
  const [kept, tabs] = [new Map(), new Tabs(t)];
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  let at = 1_000_000;
  const sign = () => new Sign("till", { now: () => at, storage });
  const busy = tabs.open("a", { again: 1, sign: sign() });
  await tabs.until(1);
  busy.frozen = true;
  const other = tabs.open("b", { again: 1, sign: sign() });
  await tabs.until(2);
  await new Promise((resolve) => setTimeout(resolve, 50)); // dozens of questions
  assert.deepEqual(tabs.said, ["a sells", "b waits"]);
  busy.talk.sign = new Sign("till", { storage: null }); // it crashed: no more signs of life
  at += 60_000;
  await tabs.until(3);
  assert.deepEqual(tabs.said, ["a sells", "b waits", "b sells"]);
  assert.ok(sign().isFresh);
  tabs.close(other);
  assert.ok(!sign().isFresh);
});

test("where nothing is kept, or nothing can be, a sign of life is none", () => {
  const full = { getItem: () => null, setItem: () => { throw new Error("full"); }, removeItem: () => {} };
  for (const storage of [null, full]) {
    const sign = new Sign("till", { storage });
    sign.give();
    assert.equal(sign.isFresh, false);
    sign.take();
  }
});

test("a tab that answers no more is taken for gone, and gives way when it is there again", async (t) => {
  const tabs = new Tabs(t);
  const frozen = tabs.open("a", { now: () => 1, again: 5 });
  await tabs.until(1);
  tabs.open("b", { now: () => 2, again: 5 });
  await tabs.until(2);
  frozen.frozen = true;
  await tabs.until(3);
  tabs.thaw(frozen);
  await tabs.until(4);
  assert.deepEqual(tabs.said, ["a sells", "b waits", "b sells", "a waits"]);
});

test("a browser without locks has its tabs talk by a channel", async (t) => {
  const [said, channels, talks] = [[], [], []];
  t.after(() => {
    talks.forEach((talk) => talk.leave());
    channels.forEach((channel) => channel.close());
  });
  class Channel extends BroadcastChannel {
    constructor(name) {
      super(name);
      channels.push(this);
    }
  }
  const tab = (name) => talks.push(alone("till-1", () => said.push(`${name} sells`), () => said.push(`${name} waits`), { locks: null, Channel }));
  tab("first");
  while (!said.length) await new Promise((resolve) => setTimeout(resolve, 1));
  tab("second");
  while (said.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(said, ["first sells", "second waits"]);
});

test("ids are of version 4 and differ", () => {
  const ids = new Set(Array.from({ length: 100 }, () => newId()));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

class Source {
  static opened = [];
  listeners = new Map();
  readyState = 0;

  constructor(path) {
    this.path = path;
    Source.opened.push(this);
  }

  addEventListener(kind, listener) {
    this.listeners.set(kind, listener);
  }

  close() {
    this.readyState = 2;
  }
}

test("events are heard by their kind; an end for good begins anew, until it is stopped", () => {
  const [heard, pauses, shown] = [[], [], []];
  const later = (pause, work) => {
    pauses.push([pause, work]);
    return () => (pauses.length = 0);
  };
  const feed = live("/a", (...said) => heard.push(said), { after: "7:1", Source, later, shown: (now) => shown.push(now) });
  const { source } = feed;
  assert.equal(source.path, "/a/till/events?after=7%3A1");
  source.listeners.get("open")({});
  source.listeners.get("bill")({ data: '{"id":"x"}' });
  source.listeners.get("invoice")({ data: "broken" });
  source.listeners.get("error")({});
  assert.equal(Source.opened.length, 1); // the browser itself goes on
  assert.deepEqual(shown, [true]);
  pauses.shift()[1](); // it was away for longer than a restart takes
  assert.deepEqual(shown, [true, false]);
  source.readyState = 2;
  source.listeners.get("error")({});
  assert.deepEqual(heard, [["open", null], ["bill", { id: "x" }], ["invoice", null], ["lost", null], ["closed", null]]);
  pauses.shift()[1]();
  assert.equal(Source.opened.length, 2);
  assert.equal(feed.source.path, "/a/till/events");
  feed.stop();
  assert.equal(feed.source.readyState, 2);
});

test("a feed that is refused is asked for again after pauses that grow, and the page says so", () => {
  const [pauses, shown] = [[], []];
  let next = null;
  const later = (pause, work) => {
    pauses.push(pause);
    next = work;
    return () => (next = null);
  };
  const feed = live("", () => {}, { Source, later, shown: (now) => shown.push(now) });
  for (let times = 0; times < 7; times += 1) {
    feed.source.readyState = 2;
    feed.source.listeners.get("error")({});
    next();
  }
  assert.deepEqual(pauses, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  assert.deepEqual(shown, Array(7).fill(false));
  feed.source.listeners.get("open")({});
  assert.equal(shown.at(-1), true);
  feed.source.readyState = 2;
  feed.source.listeners.get("error")({});
  assert.equal(pauses.at(-1), 5_000);
  feed.stop();
  assert.equal(next, null);
});

test("soon is once for all who ask meanwhile", async () => {
  let times = 0;
  const again = soon(() => (times += 1), 5);
  for (let n = 0; n < 10; n += 1) again();
  await new Promise((resolve) => setTimeout(resolve, 30));
  again();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(times, 2);
});
