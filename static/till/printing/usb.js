/** A printer on USB (WebUSB). Windows keeps printers to its own driver: there the bridge is for. */
import { PrinterError, reached, within } from "./errors.js";

const PRINTERS = 7; // the USB class
const PIECE = 4096;

export class UsbPrinter {
  constructor(device, { seconds = 30 } = {}) {
    this.kind = "usb";
    this.device = device;
    this.seconds = seconds;
  }

  /** Lets the person choose among what says that it is a printer; only at a touch or a key. */
  static async choose(options = {}, usb = globalThis.navigator?.usb) {
    if (!usb) throw new PrinterError("printer_unsupported", "this browser has no WebUSB");
    try {
      const device = await usb.requestDevice({ filters: [{ classCode: PRINTERS }] });
      return new UsbPrinter(device, options);
    } catch (error) {
      if (error?.name === "NotFoundError") throw new PrinterError("printer_not_chosen", "no printer was chosen");
      throw error;
    }
  }

  /** The printers that were chosen here before, and are there. */
  static async known(options = {}, usb = globalThis.navigator?.usb) {
    const devices = usb ? await usb.getDevices() : [];
    return devices.filter(isPrinter).map((device) => new UsbPrinter(device, options));
  }

  /** Sends a slip; returns once the printer has taken all of it. */
  async send(bytes) {
    const way = await reached(() => this.#open());
    try {
      await within(this.seconds, (signal) => this.#write(bytes, way, signal));
    } finally {
      await this.device.releaseInterface(way.number).catch(() => {});
      await this.device.close().catch(() => {});
    }
  }

  async #open() {
    const { device } = this;
    await device.open();
    try {
      const way = wayIn(device);
      if (device.configuration?.configurationValue !== way.configuration) {
        await device.selectConfiguration(way.configuration);
      }
      await device.claimInterface(way.number);
      if (way.alternate) await device.selectAlternateInterface(way.number, way.alternate);
      return way;
    } catch (error) {
      await device.close().catch(() => {});
      throw error;
    }
  }

  async #write(bytes, way, signal) {
    for (let at = 0; at < bytes.length && !signal.aborted; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      let result;
      try {
        result = await this.device.transferOut(way.endpoint, piece);
      } catch (error) {
        throw new PrinterError("printer_broke_off", String(error?.message ?? error));
      }
      if (result.status !== "ok" || result.bytesWritten !== piece.length) {
        if (result.status === "stall") await this.device.clearHalt("out", way.endpoint).catch(() => {});
        throw new PrinterError("printer_broke_off", `the printer took ${result.bytesWritten} of ${piece.length} bytes (${result.status})`);
      }
    }
  }
}

function* ways(device) {
  for (const configuration of device.configurations) {
    for (const { interfaceNumber, alternates } of configuration.interfaces) {
      for (const alternate of alternates.filter((one) => one.interfaceClass === PRINTERS)) {
        const out = alternate.endpoints.find((one) => one.direction === "out" && one.type === "bulk");
        if (out) {
          yield {
            configuration: configuration.configurationValue,
            number: interfaceNumber,
            alternate: alternate.alternateSetting,
            endpoint: out.endpointNumber,
          };
        }
      }
    }
  }
}

function isPrinter(device) {
  return !ways(device).next().done;
}

function wayIn(device) {
  const { value, done } = ways(device).next();
  if (done) throw new Error("this device takes nothing to print");
  return value;
}
