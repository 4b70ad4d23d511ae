/** Taking back: the reasons there are, and the call, with an id made before the first try. */
import { N_ } from "../ground/words.js";
import { refund } from "./rows.js";
import { Refused } from "./service.js";

export const REASONS = [
  ["SALES_RETURN", N_("Goods came back")],
  ["ISSUE_ERROR", N_("The invoice is wrong")],
  ["SERVICE_SUSPENSION", N_("The service was broken off")],
  ["SALES_DISCOUNT", N_("A discount was agreed on later")],
];

/**
 * Takes back: all that is left, or `what` ({lines} or {amount, rate}); the same `id` is one return
 * however often it is sent. What it comes to, the service says: then it is sent with that sum.
 */
export async function takeBack(service, invoice, { id, reason, what = {}, amount }) {
  const before = (invoice.red ?? []).map(({ payments }) => payments);
  const send = (sum) => service.insist("POST", `/till/invoices/${invoice.hash}/reversal`, {
    id, reason, ...what, refund: refund(invoice.payments, sum, before),
  });
  try {
    return await send(amount);
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "payments_differ" || error.problem.total === undefined) throw error;
    return send(Math.abs(error.problem.total));
  }
}
