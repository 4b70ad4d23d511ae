/**
 * What was typed here and is not the service's yet: entries that are only added, state is what they
 * add up to. A reload, a cut line or a crash loses nothing of it; what the service has is never here.
 *
 * A log has `append(entry)`, which returns its number once it is on the disk; `all()`; `drop(numbers)`.
 */
export class Journal {
  #log;
  #last = new Map(); // bill's id: the number of its newest draft
  #turn = Promise.resolve();

  constructor(log) {
    this.#log = log;
  }

  /** {drafts: [bill], settling: [{id, body}]}: what is open. */
  async read() {
    const entries = await this.#log.all();
    const found = folded(entries);
    for (const { number, draft } of found.drafts.values()) this.#last.set(draft.id, number);
    return {
      drafts: [...found.drafts.values()].map(({ draft }) => draft),
      settling: [...found.settling].map(([id, body]) => ({ id, body })),
    };
  }

  /** The bill as it was typed. */
  draft(bill) {
    return this.#next(async () => {
      const before = this.#last.get(bill.id);
      this.#last.set(bill.id, await this.#log.append({ kind: "draft", id: bill.id, draft: bill }));
      if (before !== undefined) await this.#log.drop([before]);
    });
  }

  /** This sale is about to be sent; on the disk once it returns, before the first try. */
  settling(id, body) {
    return this.#next(() => this.#log.append({ kind: "settling", id, body }));
  }

  /** The service has refused it: the bill is open as before. */
  refused(id) {
    return this.#next(() => this.#log.append({ kind: "refused", id }));
  }

  /** The service has it, or nobody wants it: what was typed is no longer needed. */
  done(id) {
    return this.#next(async () => {
      this.#last.delete(id);
      await this.#log.append({ kind: "done", id });
      const entries = await this.#log.all();
      await this.#log.drop(entries.filter((one) => one.id === id).map(({ number }) => number));
    });
  }

  #next(work) {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }
}

/** What entries add up to, in the order of their numbers. */
export function folded(entries) {
  const [drafts, settling] = [new Map(), new Map()];
  for (const { kind, number, id, draft, body } of [...entries].sort((a, b) => a.number - b.number)) {
    if (kind === "draft") drafts.set(id, { number, draft });
    else if (kind === "settling") settling.set(id, body);
    else settling.delete(id);
    if (kind === "done") drafts.delete(id);
  }
  return { drafts, settling };
}

/** The same for as long as the page lives: where a browser keeps nothing. */
export class MemoryLog {
  #entries = [];
  #number = 0;

  async append(entry) {
    this.#number += 1;
    this.#entries.push({ ...entry, number: this.#number });
    return this.#number;
  }

  async all() {
    return [...this.#entries];
  }

  async drop(numbers) {
    this.#entries = this.#entries.filter(({ number }) => !numbers.includes(number));
  }
}
