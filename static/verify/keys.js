/** The keys of one log over time, and which of them count for a checkpoint; as chain/signing/keys.py. */
import { Problem } from "./errors.js";
import { same } from "./hashing.js";
import { ED25519, keyText } from "./note.js";

/**
 * All keys of a log: `keys` of {key, last, revoked}. One signs now, or was retired after `last`
 * ({size, root}), or is revoked. `wallets` are the texts of keys that sign for wallets, and of
 * those of them that were `stolen`.
 */
export function logKeys(origin, keys, promise = [], wallets = { wallet: [], stolen: [] }) {
  const all = keys.map(({ key }) => key);
  if ([...all, ...promise].some(({ kind }) => kind !== ED25519)) {
    throw new Problem("key_type", "this is not the key of a log");
  }
  if (new Set(all.map(nameOf)).size !== all.length) {
    throw new Problem("key_ambiguous", "a key of the log stands twice");
  }
  if (all.some(({ name }) => name !== origin)) {
    throw new Problem("origin_mismatch", "these are keys of several logs");
  }
  return { origin, keys, promise, wallets };
}

/** The keys of a log of which nothing else is known: all of them sign. */
export function pinnedKeys(keys) {
  const each = new Map(keys.map((key) => [keyText(key), { key, last: null, revoked: false }]));
  return logKeys(keys[0].name, [...each.values()]);
}

/** Whether the log signs with it now. */
export const signs = ({ last, revoked }) => last === null && !revoked;

/** Check that one of the keys that signed counts for a checkpoint of this size and root. */
export function checkCounts({ keys }, { size, root }, signers) {
  const signed = keys.filter(({ key }) => signers.includes(key));
  if (signed.some((one) => counts(one, size, root))) return;
  if (signed.every(({ revoked }) => revoked)) {
    throw new Problem(
      "key_revoked",
      "only a key that was stolen or lost signed this checkpoint: ask for a newer one",
    );
  }
  throw new Problem(
    "key_retired",
    "a key signed this checkpoint that was no longer the log's by then",
  );
}

/** What tells keys of one name from one another in a note. */
export const nameOf = ({ name, id }) => `${name} ${id.join(" ")}`;

function counts({ last, revoked }, size, root) {
  if (revoked || last === null) return !revoked;
  return size < last.size || (size === last.size && same(root, last.root));
}
