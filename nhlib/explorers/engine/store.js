// Rows that were measured in this browser, kept from one visit to the next where it allows that.
/** @import { Row } from "./experiment.js" */

// Raise it when the same settings give other rows: those of before are then not shown any more.
const ENGINE = 1;
const NAME = "nhlib-measured";
const ROWS = "rows";

/**
 * What is kept under a name: a row, or what the reader has asked for and not yet got.
 * @typedef {{ name: string, row?: Row, asked?: { [argument: string]: any[] } }} Kept
 *
 * Where it is kept. Once the browser refuses, which is told, nothing more is.
 * @typedef {{
 *   all(): Promise<Kept[]>,
 *   keep(kept: Kept): Promise<void>,
 *   drop(name: string): Promise<void>,
 *   clear(): Promise<void>,
 * }} Store
 */

/**
 * @template One
 * @param {IDBRequest<One>} request
 * @returns {Promise<One>}
 */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * That all of a transaction is written: a full disk refuses it at its end.
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
const written = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/**
 * @param {(why: string) => void} refused called when the browser keeps nothing, or nothing more
 * @returns {Promise<Store>}
 */
export const openStore = async (refused) => {
  /** @type {IDBDatabase | null} */
  let database = null;
  /** @param {unknown} error */
  const giveUp = (error) => {
    database?.close();
    database = null;
    refused(error instanceof DOMException ? error.name : String(error));
  };
  try {
    const request = indexedDB.open(NAME, ENGINE);
    request.onupgradeneeded = () => {
      const { result } = request;
      if (result.objectStoreNames.contains(ROWS)) result.deleteObjectStore(ROWS);
      result.createObjectStore(ROWS, { keyPath: "name" });
    };
    database = await answer(request);
    // Another tab has a newer engine.
    database.onversionchange = () => giveUp("another tab has a newer page");
  } catch (error) {
    giveUp(error);
  }
  /** @param {(kept: IDBObjectStore) => void} change */
  const write = async (change) => {
    if (!database) return;
    try {
      const transaction = database.transaction(ROWS, "readwrite");
      change(transaction.objectStore(ROWS));
      await written(transaction);
    } catch (error) {
      if (database) giveUp(error);
    }
  };
  return {
    async all() {
      if (!database) return [];
      try {
        return await answer(database.transaction(ROWS).objectStore(ROWS).getAll());
      } catch (error) {
        giveUp(error);
        return [];
      }
    },
    keep: (kept) => write((rows) => rows.put(kept)),
    drop: (name) => write((rows) => rows.delete(name)),
    clear: () => write((rows) => rows.clear()),
  };
};
