/** The printer of this browser: which it is, and a slip on its way to it. */
import { BridgePrinter } from "./printing/bridge.js";
import { BrowserPrinter } from "./printing/browser.js";
import { PrinterError } from "./printing/errors.js";
import { Slips } from "./printing/print.js";
import { SerialPrinter } from "./printing/serial.js";
import { UsbPrinter } from "./printing/usb.js";

const KEPT = "fapiao.printer";
export const WAYS = ["serial", "usb", "bridge", "browser"];
const STANDARD = { way: "browser", width: 58, form: "full", drawer: false, atOnce: true, baudRate: 9600 };

/** How this browser prints. */
export function settings(kept = globalThis.localStorage) {
  try {
    return { ...STANDARD, ...JSON.parse(kept.getItem(KEPT) ?? "{}") };
  } catch {
    return { ...STANDARD };
  }
}

export const keep = (values, kept = globalThis.localStorage) =>
  kept.setItem(KEPT, JSON.stringify({ ...settings(kept), ...values }));

/** Lets the person choose a device; at a touch or a key only. */
export function choose(way, asked = settings()) {
  if (way === "serial") return SerialPrinter.choose({ baudRate: asked.baudRate });
  if (way === "usb") return UsbPrinter.choose();
  return Promise.resolve(null);
}

/** Whether it prints without asking anybody: then a slip goes out as soon as a sale is paid. */
export const printsByItself = ({ way, atOnce }) => atOnce && way !== "browser";

async function device({ way, baudRate }) {
  if (way === "bridge") return new BridgePrinter();
  const found = way === "usb" ? await UsbPrinter.known() : await SerialPrinter.known({ baudRate });
  if (!found.length) throw new PrinterError("printer_not_chosen", "no printer is chosen on this device");
  return found[0];
}

export class Printing {
  /** `service` is asked for slips, with the session's cookie. */
  constructor(service) {
    this.root = service.root;
    this.slips = new Slips((path, init) => service.raw(path, init), undefined, service.language);
  }

  /** A slip of the invoice with this hash. Throws PrinterError; the sale stands. */
  async print(hash, { copy = false, drawer = false } = {}) {
    const asked = settings();
    const place = `/till/invoices/${hash}`;
    const { width, form } = asked;
    if (asked.way === "browser") {
      new BrowserPrinter({ width }).show(this.root + place, { form, copy });
      return null;
    }
    return this.slips.print(place, await device(asked), { width, form, copy, drawer: drawer && asked.drawer });
  }

  /** A slip by which guests claim the invoices of an order. Throws PrinterError. */
  async printClaim(order, { drawer = false } = {}) {
    const asked = settings();
    const [place, { width }] = [`/till/orders/${order}`, asked];
    if (asked.way === "browser") return new BrowserPrinter({ width }).show(this.root + place);
    const opens = drawer && asked.drawer ? 1 : 0;
    return this.slips.plain(`${place}/slip?${new URLSearchParams({ width, drawer: opens })}`, await device(asked));
  }
}
