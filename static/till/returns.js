/** Taking back: the reasons there are, and the call, with an id made before the first try. */
import { N_, _ } from "../ground/words.js";
import { PREPAID } from "./payment.js";
import { refund } from "./rows.js";
import { Refused } from "./service.js";

/** What is to be done with the money of a return. */
export const moneyBack = (invoice) => (invoice.prepaid
  ? _("The money has gone back to the guest's prepaid account by itself: pay nothing out.")
  : "");

export const REASONS = [
  ["SALES_RETURN", N_("Goods came back")],
  ["ISSUE_ERROR", N_("The invoice is wrong")],
  ["SERVICE_SUSPENSION", N_("The service was broken off")],
  ["SALES_DISCOUNT", N_("A discount was agreed on later")],
];

/**
 * Takes back: all that is left, or `what` ({lines} or {amount, rate}); the same `id` is one return
 * however often it is sent. What it comes to, the service says: then it is sent with that sum. What a
 * prepaid account has paid goes back to it.
 */
export async function takeBack(service, invoice, { id, reason, what = {}, amount }) {
  const before = (invoice.red ?? []).map(({ payments }) => payments);
  const send = (sum) => service.insist("POST", `/till/invoices/${invoice.hash}/reversal`, {
    id, reason, ...what, refund: invoice.prepaid ? [{ kind: PREPAID, amount: sum }] : refund(invoice.payments, sum, before),
  });
  try {
    return await send(amount);
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "payments_differ" || error.problem.total === undefined) throw error;
    return send(Math.abs(error.problem.total));
  }
}
