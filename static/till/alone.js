/** One writer: of several tabs of a till only one sells; another begins once the first is closed. */

/** Calls `mine()` once nobody else holds the name, `others()` at once where somebody does. */
export function alone(name, mine, others, locks = globalThis.navigator?.locks) {
  if (!locks) return mine(); // plain http on another machine: browsers have no locks there
  const forever = new Promise(() => {});
  const held = () => {
    mine();
    return forever;
  };
  locks.request(name, { ifAvailable: true }, (lock) => {
    if (lock) return held();
    others();
    locks.request(name, held);
    return undefined;
  });
  return undefined;
}
