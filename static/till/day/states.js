/** How an invoice stands, in a word, a colour and a picture. */
import { _, N_ } from "../../ground/words.js";
import { h, icon } from "../dom.js";

const STATES = {
  issued: ["wait", "clock", N_("Pending")],
  anchored: ["good", "circle-check", N_("In the log")],
  part: ["warn", "undo-2", N_("Part taken back")],
  full: ["bad", "undo-2", N_("Taken back")],
  red: ["none", "minus", N_("Red invoice")],
};

export function label(state) {
  const [kind, picture, name] = STATES[state] ?? ["none", "circle-question-mark", state];
  return h("b", { class: `label is-${kind}` }, icon(picture), _(name));
}
