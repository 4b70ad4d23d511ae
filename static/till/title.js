/**
 * The title of a company: as its code has it, or as somebody typed it.
 *
 * The code is the tax administration's for quick invoicing: `$`, the version 01, the fields
 * `name</>tax id</>address and phone</>bank and account</>check sum`, `$`. Writers differ: the fields
 * as they are or in base64, UTF-8 or GBK inside, address and phone apart by `|`, the sum of either
 * spelling, or missing. The service reads the same (domain/titles.py).
 */
const CODE = /^\$01(.+)\$$/s;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const MARK = "</>";
const SUM = /^[0-9A-F]{1,4}$/i;
const LONGEST = 100;
const TAX_ID = /^[0-9A-HJ-NPQRTUWXY]{18}$/;

export const isTitleCode = (text) => text.startsWith("$01");

/** {name, tax_id, address_phone, bank_account, sure} of a code; null for what is none. */
export function readTitle(text) {
  const found = CODE.exec(text.trim());
  for (const said of found ? readings(found[1]) : []) {
    const title = fields(said);
    if (title) return title;
  }
  return null;
}

/** The fields as a writer may have meant them. */
function readings(body) {
  if (!BASE64.test(body)) return [regained(body)];
  const bytes = bytesOf(body);
  return bytes ? ["utf-8", "gbk"].map((charset) => decoded(bytes, charset)) : [];
}

/** Text of GBK that a reader took for Latin letters, one for each byte. */
function regained(body) {
  if (!/^[\0-\xff]*$/.test(body)) return body;
  return decoded(Uint8Array.from(body, (sign) => sign.charCodeAt(0)), "gbk") || body;
}

function bytesOf(text) {
  try {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  } catch {
    return null;
  }
}

function decoded(bytes, charset) {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return "";
  }
}

function fields(text) {
  const parts = text.split(MARK).map((part) => part.trim());
  if (parts.length < 2 || parts.length > 8 || !parts[0] || !/\S/.test(parts[1])) return null;
  const sum = SUM.test(parts.at(-1)) && parts.length > 2 ? parts.pop() : "";
  const [name, taxId, address = "", bank = ""] = parts;
  if (name.length > LONGEST) return null;
  return {
    name,
    tax_id: taxId.toUpperCase().replace(/\s/g, ""),
    address_phone: address.replaceAll("|", " ").slice(0, LONGEST),
    bank_account: bank.replaceAll("|", " ").slice(0, LONGEST),
    sure: sum !== "" && sums(text, sum).includes(Number.parseInt(sum, 16)),
  };
}

/** The check sums that a writer may have meant: over UTF-8 or GBK, with the last mark or without. */
function sums(text, sum) {
  const before = text.slice(0, text.lastIndexOf(sum));
  const spelled = [before, before.slice(0, -MARK.length)];
  return spelled.flatMap((one) => [crc16(new TextEncoder().encode(one)), crc16(gbk(one))]);
}

/** CRC-16 with x^16 + x^15 + x^2 + 1, the highest bit first, from 0. */
export function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x8005) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

let table = null;

/** GBK bytes; browsers only decode it, so the table is what they decode. */
function gbk(text) {
  table ??= gbkTable();
  return Uint8Array.from([...text].flatMap((sign) => (sign < "\x80" ? [sign.charCodeAt(0)] : (table.get(sign) ?? [0x3f]))));
}

function gbkTable() {
  const found = new Map();
  const decoder = new TextDecoder("gbk");
  for (let high = 0x81; high <= 0xfe; high += 1) {
    for (let low = 0x40; low <= 0xfe; low += 1) {
      const sign = decoder.decode(Uint8Array.of(high, low));
      if ([...sign].length === 1 && sign !== "\ufffd" && !found.has(sign)) found.set(sign, [high, low]);
    }
  }
  return found;
}

/** Whether a tax id can be one: so much is seen here, the rest the service says. */
export const looksLikeTaxId = (text) => TAX_ID.test(text.trim().toUpperCase());

/** The buyer of an invoice, of a title: a company with a tax id, else an organisation. */
export function buyerOf(title) {
  const taxId = title.tax_id.trim().toUpperCase();
  const buyer = { kind: taxId ? "company" : "organisation", name: title.name.trim() };
  if (taxId) buyer.tax_id = taxId;
  if (title.address_phone?.trim()) buyer.address_phone = title.address_phone.trim();
  return buyer;
}
