/** What `test_printing.py` asks for by name. */
import { BridgePrinter } from "../../../static/till/printing/bridge.js";
import { BrowserPrinter } from "../../../static/till/printing/browser.js";
import { PrinterError } from "../../../static/till/printing/errors.js";
import { Slips } from "../../../static/till/printing/print.js";
import { SerialPrinter } from "../../../static/till/printing/serial.js";
import { UsbPrinter } from "../../../static/till/printing/usb.js";
import { Device, Port, Serial, Service, Storage, Usb } from "./fakes.mjs";

const SLIP = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);
const SOON = 0.05; // seconds of a limit that nothing but its own code depends on

const same = (taken) => taken.length === SLIP.length && taken.every((byte, at) => byte === SLIP[at]);

async function outcome(work) {
  try {
    return (await work()) ?? "done";
  } catch (error) {
    if (!(error instanceof PrinterError)) throw error;
    return error.code;
  }
}

/** A slip over a serial line, twice; with a fault, how it ends. The port is free again each time. */
export async function serial(fault) {
  const port = new Port(fault);
  const printer = new SerialPrinter(port, { baudRate: 38400, seconds: SOON });
  const first = await outcome(() => printer.send(SLIP));
  const found = { first, whole: same(port.taken), open: port.open_, rates: port.opened };
  if (!fault) {
    port.taken = [];
    found.second = await outcome(() => printer.send(SLIP));
    found.again = same(port.taken);
  }
  return found;
}

export async function serialChosen() {
  const port = new Port();
  const known = await SerialPrinter.known({}, new Serial([port], null));
  return {
    none: await outcome(() => SerialPrinter.choose({}, new Serial([], null))),
    without: await outcome(() => SerialPrinter.choose({}, undefined)),
    chosen: (await SerialPrinter.choose({}, new Serial([], port))).port === port,
    known: known.map((one) => one.port === port),
    nowhere: await SerialPrinter.known({}, undefined),
  };
}

export async function usb(fault) {
  const device = new Device(fault);
  const printer = new UsbPrinter(device, { seconds: SOON });
  const first = await outcome(() => printer.send(SLIP));
  const found = { first, whole: same(device.taken), open: device.opened, claimed: device.claimed.size, calls: device.calls };
  if (!fault) {
    device.taken = [];
    found.second = await outcome(() => printer.send(SLIP));
    found.again = same(device.taken);
  }
  return found;
}

export async function usbChosen() {
  const device = new Device();
  const usb = new Usb([device, new Device("", 3)], device);
  await UsbPrinter.choose({}, usb);
  const camera = new UsbPrinter(new Device("", 14), { seconds: SOON });
  return {
    asked: usb.asked,
    none: await outcome(() => UsbPrinter.choose({}, new Usb([], null))),
    without: await outcome(() => UsbPrinter.choose({}, undefined)),
    known: (await UsbPrinter.known({}, usb)).length,
    other: await outcome(() => camera.send(SLIP)),
  };
}

/** A slip through the bridge at an address. Node sends no Origin by itself, as a browser would. */
export async function bridge(address, origin, seconds) {
  const from = (url, init) => fetch(url, { ...init, headers: { ...init.headers, Origin: origin } });
  const printer = new BridgePrinter({ address, seconds: Number(seconds) - 5 }, from);
  return { first: await outcome(() => printer.send(SLIP)) };
}

export async function browser() {
  const opened = [];
  new BrowserPrinter({ width: 80 }, (...call) => opened.push(call)).show("/v1/invoices/01ab", { copy: true });
  const blocked = await outcome(async () => new BrowserPrinter({}, () => null).show("/v1/invoices/01ab"));
  return { opened, blocked };
}

const good = (papers) => ({ send: async (bytes) => papers.push(new TextDecoder().decode(bytes)) });
const bad = (code, papers = []) => ({
  send: async (bytes) => {
    papers.push(new TextDecoder().decode(bytes).slice(0, 4));
    throw new PrinterError(code, "");
  },
});

export async function counted() {
  const service = new Service();
  const slips = new Slips(service.ask, new Storage());
  const papers = [];
  const counts = [];
  for (const invoice of ["a", "b", "a"]) counts.push(await slips.print(`/v1/invoices/${invoice}`, good(papers), { width: 80 }));
  return { papers, counts, asked: service.asked };
}

/** After each fault the next slip: an original where surely nothing was printed, else a copy. */
export async function afterFaults() {
  const found = {};
  for (const code of ["printer_away", "printer_busy", "printer_slow", "printer_broke_off"]) {
    const slips = new Slips(new Service().ask, new Storage());
    const papers = [];
    const first = await outcome(() => slips.print("/v1/invoices/a", bad(code)));
    await slips.print("/v1/invoices/a", good(papers));
    found[code] = [first, ...papers];
  }
  return found;
}

/** The count cannot be told, then the page is closed and opened again. */
export async function lostCount() {
  const service = new Service();
  const kept = new Storage();
  const papers = [];
  service.down.add("prints");
  const first = await new Slips(service.ask, kept).print("/v1/invoices/a", good(papers));
  service.down.clear();
  const second = await new Slips(service.ask, kept).print("/v1/invoices/a", good(papers));
  return { counts: [first, second], papers, kept: kept.getItem("fapiao.slips") };
}

/** A copy that could not be printed stays a copy. */
export async function copyAway() {
  const kept = new Storage();
  const service = new Service();
  const papers = [];
  await outcome(() => new Slips(service.ask, kept).print("/v1/invoices/a", bad("printer_slow")));
  await outcome(() => new Slips(service.ask, kept).print("/v1/invoices/a", bad("printer_away")));
  await new Slips(service.ask, kept).print("/v1/invoices/a", good(papers));
  return papers;
}

export async function inTurn() {
  const slips = new Slips(new Service().ask, new Storage());
  const events = [];
  const slow = {
    send: async (bytes) => {
      events.push(`begin ${new TextDecoder().decode(bytes)}`);
      await new Promise((next) => setTimeout(next, 5));
      events.push("end");
    },
  };
  await Promise.all(["a", "b", "c"].map((invoice) => slips.print(`/v1/invoices/${invoice}`, slow)));
  return events;
}

/** Unknown to the service, in each language; and the service is not there. */
export async function refused() {
  const papers = [];
  const found = [];
  for (const language of ["en", "zh-Hans"]) {
    const slips = new Slips(new Service().ask, new Storage(), language);
    const error = await slips.print("/v1/invoices/unknown", good(papers)).catch((problem) => problem);
    found.push([error.code, error.message]);
  }
  const away = new Service();
  away.down.add("slip");
  const code = await outcome(() => new Slips(away.ask, new Storage()).print("/v1/invoices/a", good(papers)));
  return { found, away: code, papers };
}
