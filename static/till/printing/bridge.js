/** A printer on the network, behind `fapiao print-bridge` on this machine. */
import { PrinterError } from "./errors.js";

export const BRIDGE = "http://127.0.0.1:9101/print";
const KNOWN = new Set(["printer_away", "printer_busy", "printer_slow", "printer_broke_off", "origin_not_allowed"]);
const MORE_SECONDS = 5; // than the bridge gives the printer: it is to say itself what went wrong

export class BridgePrinter {
  constructor({ address = BRIDGE, seconds = 30 } = {}, fetch = globalThis.fetch) {
    this.kind = "bridge";
    this.address = address;
    this.seconds = seconds + MORE_SECONDS;
    this.fetch = fetch;
  }

  /** Sends a slip; returns once the printer has taken all of it. */
  async send(bytes) {
    const answer = await this.#ask(bytes);
    if (answer.ok) return;
    const said = await answer.json().catch(() => ({}));
    const code = KNOWN.has(said.code) ? said.code : "bridge_refused"; // its own words are English alone
    throw new PrinterError(code, said.detail ?? `the bridge answered ${answer.status}`);
  }

  async #ask(bytes) {
    try {
      return await this.fetch.call(globalThis, this.address, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: bytes,
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(Math.ceil(this.seconds * 1000)),
      });
    } catch (error) {
      if (error?.name === "TimeoutError") throw new PrinterError("printer_slow", "the bridge does not answer");
      throw new PrinterError("printer_away", "no bridge: is `fapiao print-bridge` running, and may this page reach it?");
    }
  }
}
