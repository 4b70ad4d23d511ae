/** From a password area, wherever it stands in a text, to its anchor: nothing else is to be sent. */
import { anchor, parsePasswordArea } from "../verify/commitment.js";
import { toHex } from "../verify/hashing.js";

const PASSWORD_AREA = /(?:^|[^0-9a-f])(01[0-9a-f]{64})(?![0-9a-f])/;

/** The password area in a text, or null; also one in several pieces, as it is printed. */
export function passwordAreaIn(text) {
  const small = text.toLowerCase();
  const found = PASSWORD_AREA.exec(small) ?? PASSWORD_AREA.exec(small.replace(/\s+/g, ""));
  return found?.[1] ?? null;
}

/** The anchor of a password area, 64 hexadecimal digits. */
export const anchorOf = async (area) => toHex(await anchor(parsePasswordArea(area)));
