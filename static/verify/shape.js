/** What a value read from JSON must look like; every check throws what `refuse` makes. */

/** Return the members of an object that has all of `needed`, and beside them only `allowed`. */
export function members(value, needed, allowed, refuse) {
  if (!(value instanceof Map)) throw refuse("an object was expected");
  for (const name of needed) {
    if (!value.has(name)) throw refuse(`${name} is missing`);
  }
  for (const name of value.keys()) {
    if (!needed.includes(name) && !allowed.includes(name)) throw refuse("a field is not known");
  }
  return Object.fromEntries(value);
}

/** Tell whether a value is a whole number from `least` up. */
export const isCount = (value, least = 0) => typeof value === "number" && value >= least;
