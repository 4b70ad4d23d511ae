/** The camera of a phone: codes are looked for in what it sees, until one is wanted or it is stopped. */
import { N_, _ } from "../ground/words.js";
import { codesIn, drawn } from "./codes.js";

const PAUSE = 200; // milliseconds between two looks
const REFUSED = N_("The camera may not be used. Take a photograph instead, or allow it in the browser's settings.");
const MISSING = N_("There is no camera that this page can use. Take a photograph instead.");

export class Camera {
  #stream = null;

  /**
   * `video` shows what it sees, in a `box` that is hidden while it is off. `found(texts)` is given
   * codes, and says whether they will do; `told(sentence)` hears why there is no camera.
   */
  constructor({ video, box, found, told }) {
    Object.assign(this, { video, box, found, told });
  }

  async start() {
    this.stop();
    this.told("");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (problem) {
      const why = problem?.name === "NotAllowedError" ? REFUSED : MISSING;
      return this.told(_(why));
    }
    this.#stream = stream;
    this.box.hidden = false;
    this.video.srcObject = stream;
    await this.video.play();
    return this.#look(stream);
  }

  async #look(mine) {
    if (this.#stream !== mine) return;
    const texts = this.video.readyState < 2 ? [] : await codesIn(await drawn(this.video));
    if (this.#stream !== mine) return;
    if (texts.length && this.found(texts)) this.stop();
    else setTimeout(() => this.#look(mine), PAUSE);
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.box.hidden = true;
  }
}
