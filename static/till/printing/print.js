/**
 * From an invoice to its slip: fetched from the service, sent to a printer, counted.
 *
 * A slip that may be on paper is never followed by another original: the service counts what it is
 * told, and this page remembers what it could not tell.
 */
import { titleOf } from "../../ground/words.js";
import { PrinterError } from "./errors.js";

const REMEMBERED = "fapiao.slips"; // of this browser: invoices whose slip may be on paper
const MOST = 500;
const SURE = new Set(["printer_away", "printer_busy", "printer_unsupported", "printer_not_chosen", "origin_not_allowed"]);

export class Slips {
  /** `ask(path, init)` calls the service, signed in; `kept` is like localStorage; `language` is the reader's. */
  constructor(ask = (...call) => fetch(...call), kept = globalThis.localStorage, language = undefined) {
    this.language = language;
    this.ask = ask;
    this.kept = kept;
    this.turn = Promise.resolve();
  }

  /**
   * Prints the slip of the invoice at an address ("/v1/invoices/01…"), one after the other.
   *
   * Returns how many of its slips are on paper, null where that could not be told. Throws PrinterError; the sale stands.
   */
  print(invoice, printer, asked = {}) {
    const mine = this.turn.then(() => this.#print(invoice, printer, asked));
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** Prints what is at a path as often as it is wanted: it is no invoice, and has no copies. */
  plain(path, printer) {
    const mine = this.turn.then(async () => {
      const slip = await this.#call(path, {});
      await printer.send(new Uint8Array(await slip.arrayBuffer()));
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  async #print(invoice, printer, { width = 58, form = "full", drawer = false, copy = false }) {
    const again = copy || this.#remembered().includes(invoice);
    const query = new URLSearchParams({ width, form, copy: again ? 1 : 0, drawer: drawer ? 1 : 0 });
    const slip = await this.#call(`${invoice}/slip?${query}`, {});
    const bytes = new Uint8Array(await slip.arrayBuffer());
    this.#remember(invoice); // before the first byte: the page may be closed at any moment
    try {
      await printer.send(bytes);
    } catch (error) {
      if (SURE.has(error?.code) && !again) this.#forget(invoice); // nothing is on paper
      throw error;
    }
    return this.#count(invoice);
  }

  async #count(invoice) {
    try {
      const counted = await this.#call(`${invoice}/prints`, { method: "POST" });
      const { prints } = await counted.json();
      this.#forget(invoice);
      return prints;
    } catch {
      return null; // the slip is on paper all the same, and remembered here
    }
  }

  async #call(path, init) {
    const answer = await this.ask(path, init).catch(away);
    if (answer.ok) return answer;
    const said = await answer.json().catch(away);
    throw new PrinterError(said.code ?? "service_away", titleOf(said, this.language) || `${answer.status}`);
  }

  #remembered() {
    try {
      return JSON.parse(this.kept.getItem(REMEMBERED) ?? "[]");
    } catch {
      return [];
    }
  }

  #remember(invoice) {
    const others = this.#remembered().filter((one) => one !== invoice);
    this.#keep([...others, invoice].slice(-MOST));
  }

  #forget(invoice) {
    this.#keep(this.#remembered().filter((one) => one !== invoice));
  }

  #keep(invoices) {
    this.kept.setItem(REMEMBERED, JSON.stringify(invoices));
  }
}

function away(error) {
  throw new PrinterError("service_away", String(error?.message ?? error));
}
