import assert from "node:assert/strict";
import test from "node:test";
import { nextEnd } from "../../../static/till/day/ends.js";

const order = (state, expires_at, ...shares) => ({ state, expires_at, shares: shares.map((one) => ({ state: one })) });
const SOON = "2026-11-21T04:30:00Z", LATER = "2026-11-21T05:30:00Z";

test("the next of those of which something is left to claim", () => {
  const orders = [order("open", LATER, "free"), order("paid", SOON, "claimed", "free"), order("expired", "2026-11-20T00:00:00Z", "free")];
  assert.equal(nextEnd(orders), Date.parse(SOON));
});

test("what was asked for in time has no end, so nobody asks for it every second", () => {
  assert.equal(nextEnd([order("open", SOON, "begun"), order("open", SOON, "begun", "claimed")]), undefined);
  assert.equal(nextEnd([]), undefined);
});
