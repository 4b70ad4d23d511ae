/**
 * Canonical JSON: RFC 8785 (JCS) for objects, arrays, strings, booleans and integers.
 *
 * Not JSON.parse: it keeps the last of two equal keys and takes 1.0 for 1. Objects become a
 * Map, so that no name in a file ("__proto__") means anything to JavaScript.
 */
import { Problem } from "./errors.js";
import { utf8 } from "./hashing.js";

const MAX_INTEGER = Number.MAX_SAFE_INTEGER; // 2^53 - 1
const MAX_DEPTH = 32;
const LONGEST_INTEGER = String(-MAX_INTEGER).length;
const MARKS = /\\.|["[\]{}]/gs;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const CONSTANT = /NaN|-?Infinity/y;
const PLAIN = /[^"\\\x00-\x1f]*/y;
const ESCAPE = /\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y;
const HALF_PAIR = /\p{Surrogate}/u;
const ESCAPED = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { true: true, false: false, null: null };

/** Read canonical JSON from bytes; `not_canonical` for any other spelling of it. */
export function decodeCanonical(data) {
  const text = decodeUtf8(data);
  const value = decode(text);
  if (encode(value) !== text) {
    throw new Problem("not_canonical", "this is JSON, but not in its canonical spelling");
  }
  return value;
}

/** Return the canonical text of a value; `not_canonical` if it has none. */
export function encode(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Map) {
    const keys = [...value.keys()].sort(); // by UTF-16 code units, as JCS wants it
    return `{${keys.map((key) => `${JSON.stringify(key)}:${encode(value.get(key))}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  return String(value); // a boolean or an integer
}

/** Return the canonical bytes of a value. */
export const encodeBytes = (value) => utf8(encode(value));

function decodeUtf8(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Problem("not_utf8", "these bytes are not UTF-8");
  }
}

/** Read JSON strictly, canonical or not: first its depth, then its form, then its values. */
function decode(text) {
  checkDepth(text);
  const value = new Reader(text).whole();
  checkValue(value);
  return value;
}

/** Refuse what is nested too deeply before anything calls itself that often. */
function checkDepth(text) {
  let depth = 0;
  let inString = false;
  for (const [mark] of text.matchAll(MARKS)) {
    if (mark === '"') inString = !inString;
    else if (!inString && (mark === "[" || mark === "{")) depth += 1;
    else if (!inString && (mark === "]" || mark === "}")) depth -= 1;
    if (depth > MAX_DEPTH) {
      throw new Problem("too_deep", `more than ${MAX_DEPTH} levels of arrays and objects`);
    }
  }
}

function checkValue(value) {
  if (value instanceof Map) {
    for (const [key, item] of value) {
      // JCS sorts by UTF-16 and others by code points: the two differ beyond U+FFFF.
      if (/[\ud800-\udfff]/.test(key)) throw notCanonical("this key");
      checkValue(item);
    }
  } else if (Array.isArray(value)) {
    value.forEach(checkValue);
  } else if (value === null || (typeof value === "string" && HALF_PAIR.test(value))) {
    throw notCanonical(value === null ? "null" : "half a surrogate pair");
  }
}

const notCanonical = (what) => new Problem("not_canonical", `${what} has no place here`);

/** Reads one text from left to right. */
class Reader {
  constructor(text) {
    this.text = text;
    this.place = 0;
  }

  whole() {
    this.take(SPACE);
    const value = this.value();
    this.take(SPACE);
    if (this.place !== this.text.length) throw this.broken();
    return value;
  }

  value() {
    const next = this.text[this.place];
    if (next === '"') return this.string();
    if (next === "{") return this.object();
    if (next === "[") return this.array();
    for (const [word, value] of Object.entries(WORDS)) {
      if (this.text.startsWith(word, this.place)) {
        this.place += word.length;
        return value;
      }
    }
    return this.number();
  }

  object() {
    const pairs = this.items("}", () => {
      if (this.text[this.place] !== '"') throw this.broken();
      const key = this.string();
      this.take(SPACE);
      this.skip(":");
      this.take(SPACE);
      return [key, this.value()];
    });
    const found = new Map(pairs);
    if (found.size !== pairs.length) {
      throw new Problem("duplicate_key", "an object names the same key twice");
    }
    return found;
  }

  array() {
    return this.items("]", () => this.value());
  }

  items(end, item) {
    const found = [];
    this.place += 1;
    this.take(SPACE);
    if (this.text[this.place] !== end) {
      for (;;) {
        found.push(item());
        this.take(SPACE);
        if (this.text[this.place] !== ",") break;
        this.place += 1;
        this.take(SPACE);
      }
    }
    this.skip(end);
    return found;
  }

  string() {
    this.skip('"');
    let found = this.take(PLAIN)[0];
    while (this.text[this.place] !== '"') {
      const escape = this.take(ESCAPE);
      if (!escape) throw this.broken(); // a control character, a bad escape, or the end
      const [, short, digits] = escape;
      found += digits ? String.fromCharCode(parseInt(digits, 16)) : (ESCAPED[short] ?? short);
      found += this.take(PLAIN)[0];
    }
    this.place += 1;
    return found;
  }

  number() {
    const number = this.take(NUMBER);
    if (!number && !this.take(CONSTANT)) throw this.broken();
    if (!number || number[2] || number[3]) {
      throw new Problem("number_not_integer", "numbers are integers, without point or exponent");
    }
    if (number[1].length > LONGEST_INTEGER || Math.abs(Number(number[1])) > MAX_INTEGER) {
      throw new Problem("number_out_of_range", "an integer is beyond 2^53 - 1");
    }
    return Number(number[1]);
  }

  take(pattern) {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found) this.place = pattern.lastIndex;
    return found;
  }

  skip(mark) {
    if (this.text[this.place] !== mark) throw this.broken();
    this.place += 1;
  }

  broken() {
    return new Problem("not_json", `this is not JSON at character ${this.place}`);
  }
}
