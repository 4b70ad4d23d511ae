/** How old a proof is, and what the service that we came from says now. */
import { N_, _, ngettext } from "../ground/words.js";
import { Problem } from "./errors.js";

const PATIENCE = 8000; // milliseconds for the newest proof
// Of the service: ours is below static/verify, or static/<version>/verify.
const ROOT = new URL(/\/[0-9a-f]{16}\/verify\//.test(import.meta.url) ? "../../../" : "../../", import.meta.url);
const UNITS = [
  [86400, (count) => ngettext("%(num)s day ago", "%(num)s days ago", count)],
  [3600, (count) => ngettext("%(num)s hour ago", "%(num)s hours ago", count)],
  [60, (count) => ngettext("%(num)s minute ago", "%(num)s minutes ago", count)],
];

/** How long before `now` (milliseconds) a block was sealed (RFC 3339), in words. */
export function age(sealedAt, now) {
  const seconds = Math.floor((now - Date.parse(sealedAt)) / 1000);
  if (Number.isNaN(seconds) || seconds < -60) return _("later than this device's clock");
  for (const [size, said] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return said(count);
  }
  return _("less than a minute ago");
}

/** The proof of `hash` as the service gives it now: face only. Throws Problem. */
export async function fetchProof(hash) {
  const where = new URL(`v1/invoices/${encodeURIComponent(hash)}/proof`, ROOT);
  const options = { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" };
  const answer = await fetch(where, options);
  const data = new Uint8Array(await answer.arrayBuffer());
  if (answer.ok) return data;
  throw new Problem(...(await reason(answer, data)));
}

/** Returns `read(path)` of the files of this service's log: bytes, or null where there is none. */
export function logReader() {
  const signal = AbortSignal.timeout(PATIENCE); // for all of them
  return async (path) => {
    const cache = path === "checkpoint" ? "no-store" : "default";
    const answer = await fetch(new URL(`log/${path}`, ROOT), { signal, cache });
    const data = new Uint8Array(await answer.arrayBuffer());
    if (answer.ok) return data;
    if (answer.status === 404) return null;
    throw new Problem(...(await reason(answer, data)));
  };
}

async function reason(answer, data) {
  try {
    const { code, detail } = JSON.parse(new TextDecoder().decode(data));
    return [String(code), String(detail)];
  } catch {
    return ["not_loaded", `the service answered ${answer.status}`];
  }
}

/** What stands below the verdict: since when it is true, and whether anything newer is known. */
export const AS_OF = {
  newest: N_("This is the newest proof that this service has."),
  newer: N_(
    "The file that you opened is of block %(old)s; this is the service's newest proof, checked here as well.",
  ),
  asking: N_("Asking for the newest proof …"),
  alone: N_("Whether it was reversed since, only a newer proof knows; it cannot be asked for now."),
  foreign: N_("Whether it was reversed since, ask that log: it is not this service's."),
  bad: N_(
    "The newest proof that this service gives does not hold (%(code)s). Keep this file, and check elsewhere.",
  ),
};
