/** Keys that sign for wallets: only that they are such keys, as chain/signing/es256.py has it. */
import { fromBase64 } from "./base64.js";
import { Problem } from "./errors.js";
import { fromHex, same, sha256, toHex } from "./hashing.js";
import { isKeyName } from "./note.js";

const NAME = "/wallet";
// What a DER of a P-256 key begins with: the type of key, the curve, an uncompressed point.
const DER = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const SIZE = 32; // bytes of a coordinate
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Check a key's text, and that it has the log's name for them. */
export async function checkWalletKey(origin, text) {
  const [name, keyId, ...rest] = text.split("+");
  const raw = rest.length ? fromBase64(rest.join("+")) : null;
  if (!raw || raw[0] !== 2 || raw.length !== 1 + DER.length + 2 * SIZE || !isKeyName(name)) {
    throw badText();
  }
  const der = raw.subarray(1);
  const point = der.subarray(DER.length);
  const [x, y] = [point.subarray(0, SIZE), point.subarray(SIZE)].map(
    (bytes) => BigInt(`0x${toHex(bytes)}`),
  );
  const onCurve = x < P && y < P && (y * y - x * x * x + 3n * x - B) % P === 0n;
  const id = toHex((await sha256(der)).subarray(0, 4));
  if (!same(der.subarray(0, DER.length), DER) || !onCurve || id !== keyId) throw badText();
  if (name !== origin + NAME) {
    throw new Problem(
      "key_statement",
      "this is not a statement of a log's keys: a wallet's key has another name",
    );
  }
}

const badText = () =>
  new Problem("key_text", "a wallet's key is written name+id+base64 of its type and DER");
