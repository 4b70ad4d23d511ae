/** What the page says of a result: Chinese first, English beside. */

/** Each verdict: its colour, its picture, its name and a sentence. */
export const VERDICTS = {
  proved: {
    style: "authentic",
    picture: "proved",
    name: ["证明成立", "Proved"],
    text: [
      "此票在该账本中，截至下列区块未见红冲、报销或质押。",
      "It is in the log of that key; as of the block below it is neither reversed, reimbursed nor pledged.",
    ],
  },
  marked: {
    style: "partly_reversed",
    picture: "reversed",
    name: ["证明成立 · 有状态", "Proved, with a state"],
    text: [
      "此票在该账本中，但截至下列区块已有部分红冲、报销锁定或质押，详见状态。",
      "It is in the log of that key, but as of the block below something stands against it: see its state.",
    ],
  },
  reversed: {
    style: "reversed",
    picture: "reversed",
    name: ["已红冲 · 作废", "Reversed: no longer valid"],
    text: [
      "此票在该账本中，但已被红字发票全额冲销。",
      "It is in the log of that key, and was taken back in full by a red invoice.",
    ],
  },
  red: {
    style: "red",
    picture: "reversed",
    name: ["红字发票", "Red invoice"],
    text: [
      "这是一张真实的红字发票，用于冲销先前的发票，不能用于报销。",
      "A genuine red invoice: it takes back an earlier one. It cannot be reimbursed.",
    ],
  },
  promised: {
    style: "pending",
    picture: "promised",
    name: ["承诺成立", "Promise holds"],
    text: [
      "账本签名承诺：此票最迟于下列时间入账。请保存此文件；若届时账本中没有此票，它就是证据。",
      "The log has signed that the invoice will be in it by the time below. Keep this file: if it is not there then, this is the evidence.",
    ],
  },
  refused: {
    style: "mismatch",
    picture: "refused",
    name: ["证明不成立", "Not proved"],
    text: ["此文件不能证明任何事。请勿据此接受。", "This file proves nothing. Do not rely on it."],
  },
  fork: {
    style: "mismatch",
    picture: "refused",
    name: ["账本分叉", "The log has forked"],
    text: [
      "文件本身成立，但账本曾向本浏览器展示另一份历史。两者不能同真：请保存证据并告知他人。",
      "The file holds by itself, but this browser was shown another history of the log before. Both cannot be true: save the evidence, and tell others.",
    ],
  },
  unreadable: {
    style: "malformed",
    picture: "unreadable",
    name: ["无法验证", "Cannot be checked"],
    text: [
      "文件或公钥无法读取，没有得出结论，不代表发票真假。",
      "The file or the key cannot be read, so there is no verdict. It says nothing about the invoice.",
    ],
  },
};

/** Which verdict an evidence comes to. */
export function verdictOf({ state, reversal, shown }) {
  if (state?.reversal === "full") return "reversed";
  if (reversal !== null || shown.face?.get("type") === "red") return "red";
  return state === null ? "proved" : "marked";
}

/** What the state map's words mean. */
export const STATE_WORDS = {
  reversal: { part: ["部分红冲", "partly reversed"], full: ["全额红冲", "reversed in full"] },
  reimbursement: {
    locked: ["报销锁定", "locked for reimbursement"],
    closed: ["已报销", "reimbursed"],
  },
  pledge: { pledged: ["已质押", "pledged"] },
};

/** Fields of the face that the page shows, in order, and whether they are money. */
export const FACE_FIELDS = [
  ["number", "发票号码", "Number"],
  ["code", "发票代码", "Code"],
  ["issued_at", "开票日期", "Issued"],
  ["total", "价税合计", "Total", true],
  ["amount", "金额", "Without tax", true],
  ["tax", "税额", "Tax", true],
];

/** Whose key was used. */
export const WHOSE = {
  ours: [
    "这是本页提供的公钥，只和本页一样可信。",
    "This is the key that this page came with: it is only as good as this page.",
  ],
  yours: ["验证使用的是您提供的公钥。", "Your own key is used."],
};

export const WHOSE_SHORT = { ours: "本页提供 · this page's", yours: "您提供 · yours" };

/** Money as a slip prints it: 11300 fen is "¥113.00". */
export function yuan(fen) {
  if (typeof fen !== "number") return String(fen);
  const [whole, cents] = [Math.trunc(Math.abs(fen) / 100), Math.abs(fen) % 100];
  return `${fen < 0 ? "-" : ""}¥${whole.toLocaleString("en")}.${String(cents).padStart(2, "0")}`;
}

export const NOBODY = "本页所知的见证人均未见证 · none of the witnesses that this page knows";
