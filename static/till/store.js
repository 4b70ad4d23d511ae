/** The journal's log in the browser's own database, written through to the disk. */
const NAME = "fapiao-till";
const ENTRIES = "entries";
const STRICT = { durability: "strict" }; // a power cut loses nothing that was said to be kept

/** Opened for one merchant: another's people see nothing of it. */
export function openLog(merchant, database = globalThis.indexedDB) {
  const opening = database.open(`${NAME}-${merchant}`, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(ENTRIES, { keyPath: "number", autoIncrement: true });
  };
  return settled(opening).then((opened) => new DatabaseLog(opened));
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds the database"));
  });

class DatabaseLog {
  #database;

  constructor(database) {
    this.#database = database;
  }

  append(entry) {
    return this.#write((entries) => entries.add(entry));
  }

  drop(numbers) {
    return this.#write((entries) => numbers.forEach((number) => entries.delete(number)));
  }

  all() {
    return settled(this.#database.transaction(ENTRIES).objectStore(ENTRIES).getAll());
  }

  #write(work) {
    const transaction = this.#database.transaction(ENTRIES, "readwrite", STRICT);
    const request = work(transaction.objectStore(ENTRIES));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}
