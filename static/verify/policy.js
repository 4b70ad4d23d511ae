/** What is demanded beside the log's own signature: C2SP tlog-policy, as chain/signing/policy.py. */
import { Problem } from "./errors.js";
import { same, utf8 } from "./hashing.js";
import { COSIGNATURE_V1, ED25519, isKnown, isNamedAs, ML_DSA_44, parseAnyKey } from "./note.js";

const MAX_POLICY = 1 << 20; // bytes
const MAX_GROUPS = 256;
const NONE = "none"; // the quorum that asks for nobody
const LOG_KINDS = [ED25519, ML_DSA_44];
const WITNESS_KINDS = [COSIGNATURE_V1, ML_DSA_44];
const REFUSED = /[\x00-\x08\x0b-\x1f\x7f]/;

/** The log's signature is enough. */
export const NO_WITNESSES = { witnesses: [], logs: [], quorum: { threshold: 0, members: [] } };

/**
 * Read a policy file, bytes or text: {witnesses, logs, quorum}, keys as `parseAnyKey` reads them.
 * A member of a group is a witness's key or another group {threshold, members}; a key of a type
 * that is not known here has never cosigned. `policy` for whatever cannot be read,
 * `policy_key_type` where the quorum needs such keys.
 */
export async function parsePolicy(data) {
  const reader = { witnesses: [], logs: [], named: new Map(), placed: new Set(), groups: 0, quorum: null };
  const lines = linesOf(typeof data === "string" ? utf8(data) : data);
  for (const [place, line] of lines.entries()) {
    const items = line.split(/[ \t]+/).filter((item) => item !== "");
    if (items.length === 0 || items[0].startsWith("#")) continue;
    try {
      await readLine(reader, items);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      throw refused(`line ${place + 1}: ${problem.detail}`);
    }
  }
  if (reader.quorum === null) throw refused("there is no quorum line");
  const { witnesses, logs, quorum } = reader;
  checkApart([...witnesses, ...logs]);
  if (!isMet(quorum, witnesses.filter(isKnown))) {
    const names = witnesses.filter((key) => !isKnown(key)).map(({ name }) => name);
    const why = `its quorum needs witnesses whose type of key is not known here: ${names}`;
    throw new Problem("policy_key_type", why);
  }
  return { witnesses, logs, quorum };
}

/** Check that a policy that names logs names this one; `policy_log` if not. */
export function checkLog({ logs }, keys) {
  const named = logs.some((log) => keys.some((key) => log.name === key.name && sameKey(log, key)));
  if (logs.length && !named) {
    throw new Problem("policy_log", "the policy is for other logs than this one");
  }
}

/** Return the names of the witnesses among `signers`, each once; `quorum` if those are too few. */
export function cosigners({ witnesses, quorum }, signers) {
  const cosigned = witnesses.filter((key) => signers.includes(key));
  if (!isMet(quorum, cosigned)) {
    throw new Problem("quorum", `${cosigned.length} witnesses cosigned, which is short of the quorum`);
  }
  return [...new Set(cosigned.map(({ name }) => name))];
}

function isMet({ threshold, members }, cosigned) {
  const held = members.filter((one) => ("members" in one ? isMet(one, cosigned) : cosigned.includes(one)));
  return held.length >= threshold;
}

/** The lines, a character for a byte: names are opaque, and stay apart. */
function linesOf(data) {
  if (data.length > MAX_POLICY) throw refused(`it is longer than ${MAX_POLICY} bytes`);
  let text = "";
  for (let start = 0; start < data.length; start += 8192) {
    text += String.fromCharCode(...data.subarray(start, start + 8192));
  }
  if (REFUSED.test(text)) {
    throw refused("it has a control character other than tab and line feed");
  }
  if (text !== "" && !text.endsWith("\n")) {
    throw refused("its last line does not end in a line feed: was it cut off?");
  }
  return text.split("\n");
}

/** Take one line; the names in it must have been defined on earlier ones. */
async function readLine(reader, [what, ...rest]) {
  if (what === "log" && (rest.length === 1 || rest.length === 2)) {
    await addKey(reader.logs, rest[0], LOG_KINDS);
  } else if (what === "witness" && (rest.length === 2 || rest.length === 3)) {
    define(reader, rest[0], await addKey(reader.witnesses, rest[1], WITNESS_KINDS));
  } else if (what === "group" && rest.length > 2) {
    define(reader, rest[0], readGroup(reader, rest));
  } else if (what === "quorum" && rest.length === 1) {
    setQuorum(reader, rest[0]);
  } else {
    throw refused("this is not a line for a log, a witness, a group or the quorum");
  }
}

async function addKey(keys, item, kinds) {
  const key = await parseAnyKey(readUtf8(item));
  if (keys.some((one) => same(one.bytes, key.bytes))) {
    throw refused("this key has stood on an earlier line");
  }
  if (isKnown(key) && !kinds.includes(key.kind)) {
    throw refused("this is the wrong type of key: logs have type 1 or 6, witnesses 4 or 6");
  }
  keys.push(key);
  return key;
}

/** A note names keys by name and id: no two keys may share both. */
function checkApart(keys) {
  for (const [place, one] of keys.entries()) {
    if (keys.slice(0, place).some((key) => isNamedAs(one, key) && !sameKey(one, key))) {
      throw refused("two different keys have the same name and id");
    }
  }
}

function define({ named }, name, member) {
  if (name === NONE || named.has(name)) throw refused("the name is taken");
  named.set(name, member);
}

function readGroup(reader, [, threshold, ...names]) {
  reader.groups += 1;
  if (reader.groups > MAX_GROUPS) throw refused(`there are more than ${MAX_GROUPS} groups`);
  const words = { any: "1", all: String(names.length) };
  const count = Object.hasOwn(words, threshold) ? words[threshold] : threshold;
  if (!/^[1-9][0-9]{0,8}$/.test(count) || Number(count) > names.length) {
    throw refused("a group asks for any, all, or from 1 to all of its members");
  }
  const members = names.map((name) => {
    const member = lookUp(reader, name);
    if (reader.placed.has(name)) throw refused("a member is in a group already");
    reader.placed.add(name);
    return member;
  });
  return { threshold: Number(count), members };
}

function setQuorum(reader, name) {
  if (reader.quorum !== null) throw refused("there is a quorum line already");
  const member = name === NONE ? null : lookUp(reader, name);
  if (member === null) reader.quorum = { threshold: 0, members: [] };
  else reader.quorum = "members" in member ? member : { threshold: 1, members: [member] };
}

function lookUp({ named }, name) {
  if (!named.has(name)) throw refused("no earlier line defines this name");
  return named.get(name);
}

function readUtf8(item) {
  const bytes = Uint8Array.from(item, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused("a key is not UTF-8");
  }
}

const sameKey = (one, other) => one.kind === other.kind && same(one.bytes, other.bytes);

const refused = (why) => new Problem("policy", why);
