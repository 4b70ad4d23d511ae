/** What can go wrong between a sale and its slip. The sale stands whatever it is. */

/**
 * A slip is not, or not surely, on paper.
 *
 * `code`: printer_unsupported (this browser cannot), printer_not_chosen, printer_busy, printer_away
 * (nothing was printed), printer_slow, printer_broke_off (look at the paper), origin_not_allowed and
 * bridge_refused of the bridge, or the service's own, whose sentence is the message.
 */
export class PrinterError extends Error {
  constructor(code, detail) {
    super(detail);
    this.name = "PrinterError";
    this.code = code;
  }
}

/** What `work(signal)` comes to, or `printer_slow` after so many seconds; `signal` then aborts. */
export async function within(seconds, work) {
  const abort = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new PrinterError("printer_slow", `not taken within ${seconds} seconds`));
      abort.abort();
    }, seconds * 1000);
  });
  try {
    return await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `open`, and says `printer_away` for whatever it throws. */
export async function reached(open) {
  try {
    return await open();
  } catch (error) {
    throw new PrinterError("printer_away", String(error?.message ?? error));
  }
}
