/**
 * A scanner is a keyboard that types fast: it is heard on the whole page, since a field loses focus.
 *
 * 30 ms between signs, six signs at least, Enter or Tab at the end. What was typed by a hand never
 * looks like that; what looks like it and is too short, was a scan that failed.
 */
export const PACE = 30; // milliseconds between two signs, at most
export const LEAST = 6;
const FEW = 3; // as many so fast were no hand

/** Letters that choose something: a hand types one; a scanner's come in a row, and choose nothing. */
export class Letters {
  #last = -Infinity;
  #timer = null;
  #choose = null;

  /** A key at a time (ms); `choose` is what it stands for, null for nothing. */
  key(key, at, choose) {
    const row = at - this.#last <= PACE;
    const waiting = this.#choose;
    this.#last = key === "Enter" ? -Infinity : at; // which ends a row: what comes next is a new one
    this.#wait(null);
    if (key === "Enter" && waiting) waiting(); // a quick hand: its letter counts, not the Enter
    else if (!row && choose) this.#wait(choose);
    return key === "Enter" && Boolean(waiting);
  }

  #wait(choose) {
    clearTimeout(this.#timer);
    this.#choose = choose;
    this.#timer = choose && setTimeout(() => {
      this.#choose = null;
      choose();
    }, 2 * PACE);
  }
}

export class Scanner {
  #text = "";
  #last = -Infinity;

  /** What a key at a time (ms) makes of it: {kind: "none" | "sign" | "fast" | "scan" | "short", text}. */
  key(key, at) {
    const fast = at - this.#last <= PACE;
    const ends = key === "Enter" || key === "Tab";
    if (ends) return this.#end(fast);
    if ([...key].length !== 1) return { kind: "none", text: "" };
    this.#text = fast ? this.#text + key : key;
    this.#last = at;
    return { kind: this.#text.length >= FEW ? "fast" : "sign", text: this.#text };
  }

  #end(fast) {
    const text = fast ? this.#text : "";
    this.#text = "";
    this.#last = -Infinity;
    if (text.length >= LEAST) return { kind: "scan", text };
    return text.length >= FEW ? { kind: "short", text } : { kind: "none", text };
  }
}
