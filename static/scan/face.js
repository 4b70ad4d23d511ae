/** The words in which a scan page says what stands in a proved face. */
import { yuan } from "../verify/words.js";

/** {name: text} of all that the page may say, from `face` (a Map) and the hash. */
export function expectedOf(face, hash) {
  const seller = face.get("seller");
  const said = {
    total: yuan(face.get("total")),
    amount: yuan(face.get("amount")),
    tax: yuan(face.get("tax")),
    number: String(face.get("number")),
    code: String(face.get("code")),
    issued_at: moment(String(face.get("issued_at"))),
    seller: line(seller.get("name")),
    tax_id: line(seller.get("tax_id")),
    check: hash.slice(-5),
    hash,
  };
  for (const name of ["till", "business_day", "reverses", "remark"]) {
    if (face.has(name)) said[name] = line(face.get(name));
  }
  if (face.has("part")) {
    said.part = `${face.get("part")} / ${face.get("parts")} · ${yuan(face.get("order_total"))}`;
  }
  return said;
}

/** As a page shows it: blanks in a row are one. */
const line = (text) => String(text).replace(/\s+/g, " ").trim();

/** A time as clocks in Shenzhen show it; anything else as it is. */
export const moment = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\+08:00$/, "$1 $2");
