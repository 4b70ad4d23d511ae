/** The browser's own print, for whoever has a printer that the system knows. */
import { PrinterError } from "./errors.js";

export class BrowserPrinter {
  constructor({ width = 58 } = {}, open = globalThis.open) {
    this.kind = "browser";
    this.width = width;
    this.open = open;
  }

  /** Opens the receipt, which prints itself; what came of it, nobody is told. */
  show(invoice, { form = "full", copy = false } = {}) {
    const asked = new URLSearchParams({ width: this.width, form, copy: copy ? 1 : 0, print: 1 });
    const page = this.open.call(globalThis, `${invoice}/receipt?${asked}`, "_blank", "popup,width=420,height=720");
    if (!page) throw new PrinterError("printer_unsupported", "the browser did not let the receipt open");
  }
}
