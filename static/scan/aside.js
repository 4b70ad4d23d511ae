/**
 * Beside the page, in a worker: what takes time, so that the page answers to touches meanwhile.
 *
 * First comes {loads}: the addresses of all modules, asked for at once, since one finds the next
 * only when it is there. Then calls {id, call, given}; answered by {id, step}, and at last by
 * {id, found}, {id, problem} or {id, error}; {lost} where a browser can load no modules here.
 */
let calls = null;

self.onmessage = async ({ data }) => {
  if (data.loads) begin(data.loads);
  else self.postMessage({ id: data.id, ...(await answer(data)) });
};

function begin(loads) {
  for (const one of loads) fetch(one).catch(() => {}); // import says it, if it is still not there
  calls = import("./proving.js");
  calls.catch((problem) => self.postMessage({ lost: String(problem) }));
}

async function answer({ id, call, given }) {
  const { CALLS } = await calls;
  try {
    return { found: await CALLS[call](given, (step) => self.postMessage({ id, step })) };
  } catch (problem) {
    const { code, detail, step } = problem;
    return typeof code === "string" ? { problem: { code, detail, step } } : { error: String(problem) };
  }
}
