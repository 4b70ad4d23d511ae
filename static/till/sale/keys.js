/** Keys of the whole page, and the scanner among them. */
import { _ } from "../../ground/words.js";
import { h } from "../dom.js";
import { say, sound } from "../say.js";
import { Scanner } from "../scanner.js";
import { sentence } from "../sentences.js";
import * as windows from "../window.js";

const KEYS = [
  ["F1", () => _("To the field for codes and names")],
  ["F2", () => _("Title of a company")],
  ["F8", () => _("The guest claims: a slip with a code")],
  ["F9", () => _("Pay")],
  ["F10", () => _("Cash, exact: sell and print")],
  ["Esc", () => _("Back")],
  ["?", () => _("These keys")],
];

/** `acts` has what F1, F2, F8, F9, F10, Escape and a scan do. */
export function listen(acts, page = document) {
  const scanner = new Scanner();
  let before = null; // the field as it was before a scanner typed into it
  page.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const { kind, text } = scanner.key(event.key, event.timeStamp);
    if (kind === "sign" && text.length === 1) before = fieldNow();
    if (kind === "scan" || kind === "short") {
      event.preventDefault();
      event.stopImmediatePropagation();
      putBack(before);
      if (kind === "scan") acts.scan(text);
      else tooShort();
    } else act(event, acts);
  }, true);
}

function fieldNow() {
  const field = document.activeElement;
  return field instanceof HTMLInputElement ? { field, value: field.value } : null;
}

function putBack(before) {
  const code = document.getElementById("dish-code");
  if (before) before.field.value = before.value;
  else code.value = "";
  (before?.field ?? code).dispatchEvent(new Event("input", { bubbles: true }));
}

function tooShort() {
  sound("bad");
  say(sentence("scan_short"), "warn");
}

function act(event, acts) {
  const { key } = event;
  const typing = event.target instanceof HTMLInputElement && event.target.type !== "radio";
  if (acts[key]) {
    event.preventDefault();
    acts[key]();
  } else if (key === "?" && (!typing || (event.target.id === "dish-code" && !event.target.value))) {
    event.preventDefault();
    showKeys();
  } else if ([...key].length === 1 && key !== " " && !typing && acts.typed()) {
    const field = document.getElementById("dish-code");
    field.focus(); // the sign goes there; Chromium wants its place said after a window was closed
    field.setSelectionRange(field.value.length, field.value.length);
  }
}

export function showKeys() {
  windows.show(_("Keys"), () => [
    h("dl", { class: "keys" }, KEYS.map(([key, words]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, words())])),
    h("p", { class: "hint" }, _("Digits and letters go to the field wherever you are; 3*01 is three of 01. While paying: Enter cash, W WeChat, A Alipay, K card, O other, P prepaid account.")),
  ]);
}
