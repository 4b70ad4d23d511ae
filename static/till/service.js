/** Calls of the service, by the session's cookie: what it says, that it is slow, that it is away. */
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

  /**
   * `root` is the path before ours; `told(state)` hears "good", "slow" and "cut", by each call.
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
    const timer = setTimeout(this.#told, this.slow, "slow");
    try {
      const answer = await this.#send(method, path, body, type);
      this.#told("good");
      if (answer.ok) return answer.status === 204 ? null : await answer.json();
      throw await this.#problem(answer);
    } catch (error) {
      if (error instanceof Away) this.#told("cut");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

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
      return answer;
    } catch (error) {
      throw new Away(error);
    }
  }

  async #problem(answer) {
    const said = await answer.json().catch(() => ({ code: `http_${answer.status}` }));
    const title = this.language.startsWith("zh") ? (said.title_zh ?? said.title) : said.title;
    return new Refused(answer.status, { ...said, title: title ?? said.code });
  }
}
