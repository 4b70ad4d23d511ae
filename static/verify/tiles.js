/** The log's tree as the files of C2SP tlog-tiles; as chain/tree/tiles.py names them. */
import { Problem } from "./errors.js";
import { DIGEST_SIZE, nodeHash } from "./hashing.js";

const HEIGHT = 8n;
const WIDTH = 256n;

/** `tile/<L>/<N>[.p/<W>]`, with N in groups of three digits. */
export function tilePath(level, n, width = WIDTH) {
  const digits = String(n);
  const groups = digits.padStart(3 * Math.ceil(digits.length / 3), "0").match(/.{3}/g);
  const last = groups.pop();
  const number = [...groups.map((group) => `x${group}`), last].join("/");
  return `tile/${level}/${number}${width === WIDTH ? "" : `.p/${width}`}`;
}

/**
 * Return `node(level, index)` of the tree of `size`, which reads tiles by `read(path)`: bytes, or
 * null where there is none. Nothing that it returns has been checked. Throws Problem
 * `tile_missing`, `tile_damaged`, `file_too_long`.
 */
export function nodesOf(size, read) {
  const tiles = new Map();
  const tile = (level, n) => {
    const name = tilePath(level, n);
    if (!tiles.has(name)) tiles.set(name, load(size, read, level, n));
    return tiles.get(name);
  };
  return async (level, index) => {
    const height = level % HEIGHT;
    const start = index << height;
    const row = await tile(level / HEIGHT, start / WIDTH);
    const from = Number(start % WIDTH);
    return completeRoot(row.slice(from, from + Number(1n << height)));
  };
}

/** A tile's hashes, or those of the full one that has replaced it. */
async function load(size, read, level, n) {
  const left = (size >> (HEIGHT * level)) - n * WIDTH;
  const width = left < WIDTH ? left : WIDTH;
  for (const which of new Set([width, WIDTH])) {
    const data = await read(tilePath(level, n, which));
    if (data === null) continue;
    const more = data.length - DIGEST_SIZE * Number(which);
    if (more) {
      const code = more > 0 ? "file_too_long" : "tile_damaged";
      throw new Problem(code, `${tilePath(level, n, which)} has ${data.length} bytes`);
    }
    return Array.from({ length: Number(width) }, (_, place) =>
      data.slice(DIGEST_SIZE * place, DIGEST_SIZE * (place + 1)),
    );
  }
  throw new Problem("tile_missing", `${tilePath(level, n, width)} is not there`);
}

/** The root over a power of two of hashes. */
async function completeRoot(row) {
  while (row.length > 1) {
    const pairs = row.filter((_, place) => place % 2 === 0);
    row = await Promise.all(pairs.map((left, place) => nodeHash(left, row[2 * place + 1])));
  }
  return row[0];
}
