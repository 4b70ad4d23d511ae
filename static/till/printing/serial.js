/** A printer on a serial line (Web Serial), or on what the system shows as one: Bluetooth, USB. */
import { PrinterError, reached, within } from "./errors.js";

const PIECE = 1024;

export class SerialPrinter {
  constructor(port, { baudRate = 9600, seconds = 30 } = {}) {
    this.kind = "serial";
    this.port = port;
    this.options = { baudRate };
    this.seconds = seconds;
  }

  /** Lets the person choose a port; only at a touch or a key, as browsers demand. */
  static async choose(options = {}, serial = globalThis.navigator?.serial) {
    if (!serial) throw new PrinterError("printer_unsupported", "this browser has no Web Serial");
    try {
      return new SerialPrinter(await serial.requestPort(), options);
    } catch (error) {
      if (error?.name === "NotFoundError") throw new PrinterError("printer_not_chosen", "no port was chosen");
      throw error;
    }
  }

  /** The ports that were chosen here before. */
  static async known(options = {}, serial = globalThis.navigator?.serial) {
    const ports = serial ? await serial.getPorts() : [];
    return ports.map((port) => new SerialPrinter(port, options));
  }

  /** Sends a slip; returns once the line has taken all of it. Open only while it prints. */
  async send(bytes) {
    await reached(() => this.port.open(this.options));
    try {
      await within(this.seconds, (signal) => this.#write(bytes, signal));
    } finally {
      await this.port.close().catch(() => {});
    }
  }

  async #write(bytes, signal) {
    const writer = this.port.writable.getWriter();
    signal.addEventListener("abort", () => writer.abort().catch(() => {}));
    try {
      for (let at = 0; at < bytes.length && !signal.aborted; at += PIECE) {
        await writer.write(bytes.subarray(at, at + PIECE));
      }
      if (!signal.aborted) await writer.close(); // once the line has sent it
    } catch (error) {
      throw new PrinterError("printer_broke_off", String(error?.message ?? error));
    } finally {
      writer.releaseLock();
    }
  }
}
