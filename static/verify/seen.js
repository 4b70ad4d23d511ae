/** What the page says of what this browser was shown of the log before. */
import { N_, _, joined } from "../ground/words.js";
import { Problem } from "./errors.js";
import { ForkedError } from "./fork.js";
import { holdAgainst, Memory } from "./memory.js";
import { age } from "./newest.js";
import { browserStorage } from "./notes.js";

export const memory = new Memory(browserStorage());

const SEEN = {
  first: N_("This browser has seen nothing of this log before."),
  same: N_("This browser has seen %(size)s entries of this log (%(age)s); this agrees."),
  older: N_("This file is older than what this browser has seen (%(size)s entries, %(age)s)."),
  newer: N_("This browser has seen %(size)s entries of this log (%(age)s)."),
  damaged: N_(
    "What this browser remembered of this log is damaged; nothing was compared. Have it forgotten below.",
  ),
};
const COMPARED = N_("The log contains both: proved here from its own tiles.");
const NOT_COMPARED = N_("The two were not compared: %(why)s.");
const WHY = {
  asking: N_("the log is being asked"),
  foreign: N_("it is not this service's log"),
  alone: N_("the log cannot be asked for now"),
};
const OTHERS = N_(
  "It has also seen a log of this name by other keys, which is taken for another log.",
);
const KEEPS_NOTHING = N_(
  "This browser keeps nothing, so there will be nothing to compare with.",
);

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

/** The sentences about it; `why` it was not compared, null where it was. */
export function wordsOf(before, size, why) {
  const kind = kindOf(before, size);
  const seen = before?.time ? age(before.time, Date.now()) : "";
  const said = [_(SEEN[kind], { size: before?.largest, age: seen })];
  if (kind === "older" || kind === "newer") said.push(comparison(why));
  if (before?.others) said.push(_(OTHERS));
  if (!memory.works) said.push(_(KEEPS_NOTHING));
  return joined(said);
}

const comparison = (why) =>
  why === null ? _(COMPARED) : _(NOT_COMPARED, { why: why in WHY ? _(WHY[why]) : why });
