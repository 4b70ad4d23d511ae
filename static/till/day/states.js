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

export const label = (state) => shown(STATES, state);

function shown(states, state) {
  const [kind, picture, name] = states[state] ?? ["none", "circle-question-mark", state];
  return h("b", { class: `label is-${kind}` }, icon(picture), _(name));
}

const ORDERS = {
  open: ["wait", "clock", N_("Waits for the guest")],
  paid: ["good", "banknote", N_("Paid, not claimed")],
  claimed: ["good", "circle-check", N_("Claimed")],
  expired: ["warn", "clock", N_("Time is over")],
  cancelled: ["none", "circle-x", N_("Cancelled")],
};

/** How far an order has come that its guests claim. */
export const orderLabel = (state) => shown(ORDERS, state);
