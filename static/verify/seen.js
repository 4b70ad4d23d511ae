/** What the page says of what this browser was shown of the log before. */
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { browserStorage, holdAgainst, Memory } from "./memory.js";
import { age } from "./newest.js";

export const memory = new Memory(browserStorage());

const SEEN = {
  first: ["本浏览器此前没有见过此账本。", "This browser has seen nothing of this log before."],
  same: [
    "本浏览器见过此账本的 {size} 条记录（{age}），与此相符。",
    "This browser has seen {size} entries of this log ({age}); this agrees.",
  ],
  older: [
    "此文件早于本浏览器所见（{size} 条记录，{age}）。",
    "This file is older than what this browser has seen ({size} entries, {age}).",
  ],
  newer: [
    "本浏览器见过此账本的 {size} 条记录（{age}）。",
    "This browser has seen {size} entries of this log ({age}).",
  ],
  damaged: [
    "本浏览器对此账本的记录已损坏，未作比较；可在下方清除。",
    "What this browser remembered of this log is damaged; nothing was compared. Have it forgotten below.",
  ],
};
const COMPARED = ["账本自身的数据证明两者同属一份历史。", "The log contains both: proved here from its own tiles."];
const NOT_COMPARED = ["两者未作比较：{why}。", "The two were not compared: {why}."];
const WHY = {
  asking: ["正在询问账本", "the log is being asked"],
  foreign: ["它不是本服务的账本", "it is not this service's log"],
  alone: ["现在无法询问账本", "the log cannot be asked for now"],
};
const OTHERS = [
  "也见过同名而公钥不同的账本，视为另一账本。",
  "It has also seen a log of this name by other keys, which is taken for another log.",
];
const KEEPS_NOTHING = [
  "此浏览器不保存内容，下次无从比较。",
  "This browser keeps nothing, so there will be nothing to compare with.",
];

/** Hold a proof's checkpoint against what was seen; a ForkedError is returned, to be shown. */
export async function hold({ seen, known }, read = null) {
  try {
    return await holdAgainst(memory, { ...seen, time: new Date().toISOString() }, known, read);
  } catch (problem) {
    if (problem instanceof ForkedError) return problem;
    if (problem instanceof Problem && problem.code === "memory_damaged") return null;
    throw problem;
  }
}

/** How a file of `size` stands to `before`, which `hold` returned when it was opened. */
export function kindOf(before, size) {
  if (before === null) return "damaged";
  if (before.largest === null) return "first";
  if (before.largest === size) return "same";
  return before.largest > size ? "older" : "newer";
}

/** The sentences about it, Chinese and English; `why` it was not compared, null where it was. */
export function wordsOf(before, size, why) {
  const kind = kindOf(before, size);
  const ages = before?.time ? age(before.time, Date.now()) : ["", ""];
  return [0, 1].map((place) => {
    const values = { size: before?.largest, age: ages[place] };
    const said = [filled(SEEN[kind][place], values)];
    if (kind === "older" || kind === "newer") said.push(comparison(place, why));
    if (before?.others) said.push(OTHERS[place]);
    if (!memory.works) said.push(KEEPS_NOTHING[place]);
    return said.join(place ? " " : "");
  });
}

function comparison(place, why) {
  if (why === null) return COMPARED[place];
  return filled(NOT_COMPARED[place], { why: WHY[why]?.[place] ?? why });
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
