/** When the next of these orders ends by time: milliseconds since 1970; undefined where none does.
 *
 * What a guest has asked for in time has no end: it is issued however late.
 */
export function nextEnd(orders) {
  const ends = orders
    .filter(({ state, shares }) => state !== "expired" && shares.some((share) => share.state === "free"))
    .map((order) => Date.parse(order.expires_at));
  return ends.length ? Math.min(...ends) : undefined;
}
