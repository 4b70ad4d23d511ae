/** What a person is told besides: in words that are read aloud, and with a sound. */
import { fill, h, icon, part } from "./dom.js";

const PICTURES = { good: "circle-check", wait: "info", warn: "triangle-alert", bad: "circle-x" };

/** For who hears the page: what has just happened. */
export function whisper(text) {
  part("heard").textContent = text;
}

/** A line over the page that stays until the next one, or until it is taken away. */
export function say(text, kind = "wait", ...more) {
  fill(part("said"), h("p", { class: `notice is-${kind}`, role: kind === "bad" ? "alert" : "status" },
    icon(PICTURES[kind]), h("span", {}, text), ...more,
    h("button", { type: "button", class: "close", "aria-label": part("said").dataset.close, click: hush }, icon("x"))));
}

export function hush() {
  fill(part("said"));
}

const TONES = { good: [[1320, 0.08]], bad: [[220, 0.16], [180, 0.22]] }; // hertz, seconds
let audio = null;

/** A short sound; without one where the browser has none, or nobody has touched the page yet. */
export function sound(kind) {
  try {
    audio ??= new AudioContext();
    let at = audio.currentTime;
    for (const [tone, seconds] of TONES[kind]) {
      const [source, volume] = [audio.createOscillator(), audio.createGain()];
      source.frequency.value = tone;
      volume.gain.value = 0.06;
      source.connect(volume).connect(audio.destination);
      source.start(at);
      source.stop(at + seconds);
      at += seconds;
    }
  } catch {
    // silence is no fault
  }
}
