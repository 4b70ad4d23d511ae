/** Calls of proving.js, made beside the page; in it where its browser, or the page, has no worker. */
import { Problem } from "../verify/errors.js";

const waiting = new Map(); // by number: {call, given, onStep, done, fail}
let number = 0;
let worker = begun();

/** What a call of proving.js returns, or the Problem that it throws. */
export const beside = (call, given, onStep = () => {}) =>
  new Promise((done, fail) => {
    number += 1;
    const one = { call, given, onStep, done, fail };
    if (worker === null) return inPage(one);
    waiting.set(number, one);
    worker.postMessage({ id: number, call, given });
  });

/** The worker that the page has begun, while this was on its way. */
function begun() {
  const found = globalThis.fapiaoAside;
  if (!globalThis.Worker || !(found instanceof Worker)) return null;
  found.onmessage = ({ data }) => (data.lost ? lost() : heard(data));
  found.onerror = lost;
  return found;
}

function heard({ id, step, found, problem, error }) {
  const one = waiting.get(id);
  if (step !== undefined) return one?.onStep(step);
  waiting.delete(id);
  if (problem) one?.fail(Object.assign(new Problem(problem.code, problem.detail), { step: problem.step }));
  else if (error) one?.fail(new Error(error));
  else one?.done(found);
}

/** The worker could not begin, or is gone: what it was to do is done here. */
function lost() {
  worker?.terminate();
  worker = null;
  const left = [...waiting.values()];
  waiting.clear();
  left.forEach(inPage);
}

async function inPage({ call, given, onStep, done, fail }) {
  try {
    const { CALLS } = await import("./proving.js");
    done(await CALLS[call](given, onStep));
  } catch (problem) {
    fail(problem);
  }
}
