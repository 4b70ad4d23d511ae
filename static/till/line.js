/** The line to the service: good, slow or cut; while it is cut it is tried again and again. */
const PAUSE = 2000; // milliseconds between two tries

export class Line {
  #told;
  #probe;
  #pause;
  state = "good";

  /** `told(now, before)` hears of changes; `probe()` is a call of the service, which reports to `now`. */
  constructor({ told, probe, pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }) {
    this.#told = told;
    this.#probe = probe;
    this.#pause = pause;
  }

  get isCut() {
    return this.state === "cut";
  }

  /** Slow is what a call may be that never arrives: only once another is answered it is not cut. */
  now(state, { answered = false } = {}) {
    const before = this.state;
    if (state === before || (state === "slow" && before === "cut" && !answered)) return;
    this.state = state;
    this.#told(state, before);
    if (state === "cut") this.#look();
  }

  async #look() {
    while (this.isCut) {
      await this.#pause(PAUSE);
      if (this.isCut) await this.#probe().catch(() => {});
    }
  }
}
