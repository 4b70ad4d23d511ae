/** Printers as browsers show them, with the rules of their specifications: they throw when misused. */

class DOMError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/** A serial port (Web Serial). `fault`: away, breaks, hangs. */
export class Port {
  constructor(fault = "") {
    this.fault = fault;
    this.taken = [];
    this.opened = [];
    this.writable = null;
    this.sink = null;
  }

  async open(options) {
    if (this.fault === "away") throw new DOMError("NetworkError", "Failed to open serial port.");
    if (this.writable) throw new DOMError("InvalidStateError", "The port is already open.");
    if (!options?.baudRate) throw new TypeError("baudRate is required");
    this.opened.push(options.baudRate);
    let count = 0;
    this.writable = new WritableStream({
      write: (piece) => {
        count += 1;
        if (this.fault === "breaks" && count > 1) throw new DOMError("NetworkError", "The device has been lost.");
        if (this.fault === "hangs") return new Promise(() => {});
        this.taken.push(...piece);
      },
    });
  }

  async close() {
    if (!this.writable) throw new DOMError("InvalidStateError", "The port is already closed.");
    if (this.writable.locked) throw new TypeError("Cannot close a locked stream");
    this.writable = null;
  }

  get open_() {
    return this.writable !== null;
  }
}

export class Serial {
  constructor(ports, chosen) {
    this.ports = ports;
    this.chosen = chosen;
  }

  async requestPort() {
    if (!this.chosen) throw new DOMError("NotFoundError", "No port selected by the user.");
    return this.chosen;
  }

  async getPorts() {
    return this.ports;
  }
}

const BULK = (number, direction) => ({ endpointNumber: number, direction, type: "bulk" });

/** A USB device (WebUSB): a keyboard on interface 0, a printer on interface 1, unless `kind` is other. */
export class Device {
  constructor(fault = "", interfaceClass = 7) {
    this.fault = fault;
    this.taken = [];
    this.calls = [];
    this.opened = false;
    this.configuration = null;
    this.claimed = new Set();
    const alternates = [
      { alternateSetting: 0, interfaceClass, endpoints: [BULK(1, "in")] },
      { alternateSetting: 2, interfaceClass, endpoints: [BULK(1, "in"), BULK(3, "out")] },
    ];
    const keyboard = { alternateSetting: 0, interfaceClass: 3, endpoints: [BULK(2, "out")] };
    this.configurations = [
      {
        configurationValue: 1,
        interfaces: [
          { interfaceNumber: 0, alternates: [keyboard] },
          { interfaceNumber: 1, alternates },
        ],
      },
    ];
  }

  async open() {
    if (this.fault === "away") throw new DOMError("NetworkError", "Unable to open device.");
    this.opened = true;
  }

  async selectConfiguration(value) {
    this.#must(this.opened, "open first");
    this.calls.push(["configuration", value]);
    this.configuration = this.configurations.find((one) => one.configurationValue === value);
  }

  async claimInterface(number) {
    this.#must(this.configuration, "no configuration is selected");
    if (this.fault === "claimed") throw new DOMError("SecurityError", "The interface is protected.");
    this.claimed.add(number);
  }

  async selectAlternateInterface(number, alternate) {
    this.#must(this.claimed.has(number), "claim first");
    this.calls.push(["alternate", number, alternate]);
  }

  async transferOut(endpoint, data) {
    this.#must(this.claimed.size === 1, "claim first");
    this.#must(endpoint === 3, "no such endpoint");
    if (this.fault === "hangs") return new Promise(() => {});
    if (this.fault === "unplugged") throw new DOMError("NotFoundError", "The device was disconnected.");
    if (this.fault === "stalls") return { status: "stall", bytesWritten: 0 };
    const size = this.fault === "half" ? Math.floor(data.length / 2) : data.length;
    this.taken.push(...data.subarray(0, size));
    return { status: "ok", bytesWritten: size };
  }

  async clearHalt(direction, endpoint) {
    this.calls.push(["clear", direction, endpoint]);
  }

  async releaseInterface(number) {
    this.#must(this.claimed.delete(number), "not claimed");
  }

  async close() {
    this.opened = false;
  }

  #must(holds, why) {
    if (!holds) throw new DOMError("InvalidStateError", why);
  }
}

export class Usb {
  constructor(devices, chosen) {
    this.devices = devices;
    this.chosen = chosen;
    this.asked = [];
  }

  async requestDevice(options) {
    this.asked.push(options);
    if (!this.chosen) throw new DOMError("NotFoundError", "No device selected.");
    return this.chosen;
  }

  async getDevices() {
    return this.devices;
  }
}

/** localStorage. */
export class Storage {
  constructor() {
    this.values = new Map();
  }

  getItem(name) {
    return this.values.get(name) ?? null;
  }

  setItem(name, value) {
    this.values.set(name, String(value));
  }
}

/** The service: gives slips, counts prints; `down` are the calls that fail. */
export class Service {
  constructor() {
    this.asked = [];
    this.prints = {};
    this.down = new Set();
  }

  ask = async (path, init = {}) => {
    this.asked.push(`${init.method ?? "GET"} ${path}`);
    const [, invoice, call] = /^\/v1\/invoices\/(\w+)\/(\w+)/.exec(path);
    if (this.down.has(call)) throw new TypeError("Failed to fetch");
    if (call === "prints") {
      this.prints[invoice] = (this.prints[invoice] ?? 0) + 1;
      return Response.json({ prints: this.prints[invoice] }, { status: 201 });
    }
    if (invoice === "unknown") return Response.json({ code: "invoice_unknown", title: "There is no such invoice", title_zh: "没有这张发票" }, { status: 404 });
    const copy = path.includes("copy=1") || this.prints[invoice];
    return new Response(new TextEncoder().encode(`${copy ? "copy" : "original"} ${invoice}`));
  };
}
