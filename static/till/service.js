/** Calls of the service, by the session's cookie: what it says, that it is slow, that it is away. */
import { titleOf } from "../ground/words.js";

export const SLOW = 1000; // milliseconds after which a person is told
const JSON_TYPE = "application/json";
const LONGEST = 20_000; // of one try
const PAUSES = [500, 1000, 2000, 4000, 5000]; // between tries

/** The service said no, by a stable code, with a sentence for the person here. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.title ?? problem.code);
    this.name = "Refused";
    this.status = status;
    this.code = problem.code;
    this.problem = problem;
  }
}

/** Nobody knows what became of a call: the line is cut, or the service is not there. */
export class Away extends Error {
  constructor(cause) {
    super(String(cause?.message ?? cause));
    this.name = "Away";
  }
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Service {
  #told;
  #late = new Set(); // calls under way that take long

  /**
   * `root` is the path before ours; `told(state, {answered})` hears "good", "slow" and "cut" of all
   * calls together: one that is answered says that the line is not cut, not that no other one waits.
   */
  constructor({ root = "", token = "", language = "en", told = () => {}, fetch = globalThis.fetch, pause = wait, slow = SLOW }) {
    Object.assign(this, { root, token, language, fetch, pause, slow });
    this.#told = told;
  }

  get(path) {
    return this.#once("GET", path);
  }

  change(method, path, body = {}) {
    return this.#once(method, path, body);
  }

  /** The same call with the same body until it is answered: a body carries the id that makes it one. */
  async insist(method, path, body, goesOn = () => true) {
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#once(method, path, body);
      } catch (error) {
        if (!(error instanceof Away) || !goesOn()) throw error;
      }
      await this.pause(PAUSES[Math.min(tried, PAUSES.length - 1)]);
    }
  }

  /** A file as it is; what it says comes back. */
  sendFile(path, file, type) {
    return this.#once("POST", path, file, type);
  }

  /** The bytes or text behind an address, as `fetch` gives them: for slips. */
  raw(path, init = {}) {
    const headers = init.method ? { "X-Form": this.token, "Content-Type": JSON_TYPE } : {};
    const body = init.method ? { body: "{}" } : {};
    return this.fetch.call(globalThis, this.root + path, { ...init, ...body, headers, credentials: "same-origin" });
  }

  async #once(method, path, body, type = JSON_TYPE) {
    const { status, said } = await this.#watched(() => this.#send(method, path, body, type));
    if (status < 400) return said;
    throw new Refused(status, { ...said, title: titleOf(said, this.language) || said.code });
  }

  /** The call, and what is told of the line while it is under way and once it has ended. */
  async #watched(work) {
    const call = {};
    const timer = setTimeout(() => {
      this.#late.add(call);
      this.#told("slow");
    }, this.slow);
    const ended = () => {
      clearTimeout(timer);
      this.#late.delete(call);
    };
    try {
      const found = await work();
      ended();
      this.#told(this.#late.size ? "slow" : "good", { answered: true });
      return found;
    } catch (error) {
      ended();
      this.#told("cut");
      throw error;
    }
  }

  /** What was answered, read to its end: half an answer is none. */
  async #send(method, path, body, type) {
    const init = { method, credentials: "same-origin", redirect: "error", cache: "no-store", headers: { Accept: "application/json" } };
    if (body !== undefined) {
      init.headers["Content-Type"] = type;
      init.headers["X-Form"] = this.token;
      init.body = type === JSON_TYPE ? JSON.stringify(body) : body;
    }
    try {
      const answer = await this.fetch.call(globalThis, this.root + path, { ...init, signal: AbortSignal.timeout(LONGEST) });
      if (answer.status >= 500) throw new Error(`${answer.status}`);
      return { status: answer.status, said: said(answer, await answer.text()) };
    } catch (error) {
      throw new Away(error);
    }
  }
}

/** JSON, null where nothing was said. What is no JSON is somebody else's answer, but for a refusal. */
function said(answer, text) {
  if (answer.ok) return text ? JSON.parse(text) : null;
  const unnamed = { code: `http_${answer.status}` };
  try {
    return JSON.parse(text) ?? unnamed;
  } catch {
    return unnamed;
  }
}
