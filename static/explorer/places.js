/** The files of a log at an address, of bounded size and within bounded time. */
import { Problem } from "../verify/errors.js";

const PATIENCE = 20_000; // milliseconds for all files of one comparison
const LARGEST = 1_000_000; // bytes; a signed note has no more, a tile much less

/** The folder that an address names: a log's, or that of its checkpoint. Problem `address`. */
export function folderAt(text) {
  let folder;
  try {
    folder = new URL(text.trim());
  } catch {
    throw new Problem("address", "this is no address");
  }
  if (!["http:", "https:"].includes(folder.protocol)) throw new Problem("address", "it begins with https://");
  folder.search = "";
  folder.hash = "";
  folder.pathname = folder.pathname.replace(/checkpoint$/, "").replace(/\/?$/, "/");
  return folder;
}

/** Returns `read(path)` of the files there: bytes, or null where there is none. */
export function readerAt(folder) {
  const signal = AbortSignal.timeout(PATIENCE);
  return async (path) => {
    const answer = await asked(new URL(path, folder), { signal, cache: path === "checkpoint" ? "no-store" : "default" });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Problem("not_loaded", `${folder.host} answered ${answer.status}`);
    return bounded(answer, folder);
  };
}

async function asked(where, options) {
  try {
    return await fetch(where, { ...options, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    const slow = error.name === "TimeoutError";
    throw new Problem("not_loaded", slow ? `${where.host} took too long` : `${where.host} cannot be read from here`);
  }
}

async function bounded(answer, { host }) {
  const parts = [];
  let length = 0;
  try {
    const reader = answer.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      length += part.value.length;
      if (length > LARGEST) {
        await reader.cancel();
        throw new Problem("file_too_long", `${host} sends more than such a file has`);
      }
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("not_loaded", `${host} broke off`);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
