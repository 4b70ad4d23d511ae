/** How old a proof is, and what the service that we came from says now. */
import { Problem } from "./errors.js";

const PATIENCE = 8000; // milliseconds for the newest proof
const UNITS = [
  [86400, "天前", "day"],
  [3600, "小时前", "hour"],
  [60, "分钟前", "minute"],
];

/** How long before `now` (milliseconds) a block was sealed (RFC 3339), in both languages. */
export function age(sealedAt, now) {
  const seconds = Math.floor((now - Date.parse(sealedAt)) / 1000);
  if (Number.isNaN(seconds) || seconds < -60) return ["时间晚于本机时钟", "later than this device's clock"];
  for (const [size, zh, en] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return [`${count} ${zh}`, `${count} ${en}${count === 1 ? "" : "s"} ago`];
  }
  return ["不到 1 分钟前", "less than a minute ago"];
}

/** The proof of `hash` as the service gives it now: face only. Throws Problem. */
export async function fetchProof(hash) {
  const where = `../v1/invoices/${encodeURIComponent(hash)}/proof`;
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
    const answer = await fetch(`../log/${path}`, { signal, cache });
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
  newest: ["这是此服务目前最新的证明。", "This is the newest proof that this service has."],
  newer: [
    "您打开的文件来自区块 {old}；以上是此服务刚给出的最新证明，已在本机验证。",
    "The file that you opened is of block {old}; this is the service's newest proof, checked here as well.",
  ],
  asking: ["正在询问最新证明……", "Asking for the newest proof …"],
  alone: [
    "此后是否红冲，只有更新的证明知道；现在无法询问。",
    "Whether it was reversed since, only a newer proof knows; it cannot be asked for now.",
  ],
  foreign: [
    "此后是否红冲，请向该账本询问；它不是本服务的账本。",
    "Whether it was reversed since, ask that log: it is not this service's.",
  ],
  bad: [
    "此服务给出的最新证明不成立（{code}）。请保存此文件并换一处查验。",
    "The newest proof that this service gives does not hold ({code}). Keep this file, and check elsewhere.",
  ],
};
