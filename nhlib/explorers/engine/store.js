// Rows that were measured in this browser, kept from one visit to the next where it allows that.
/** @import { Row } from "./experiment.js" */

// Raise it when the same settings give other rows: those of before are then not shown any more.
const ENGINE = 1;
const NAME = "nhlib-measured";
const ROWS = "rows";

/**
 * Where rows are kept, by texts that name them. Whatever the browser refuses is told once.
 * @typedef {{
 *   rows(): Promise<Row[]>,
 *   keep(name: string, row: Row): Promise<void>,
 *   forget(): Promise<void>,
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
 * @param {(why: string) => void} refused called when the browser keeps nothing, or nothing more
 * @returns {Promise<Store>}
 */
export const openStore = async (refused) => {
  /** @type {IDBDatabase | null} */
  let database = null;
  /** @param {unknown} error */
  const giveUp = (error) => {
    if (database) database.close();
    database = null;
    refused(error instanceof Error || error instanceof DOMException ? error.name : String(error));
  };
  /**
   * @template One
   * @param {IDBTransactionMode} mode
   * @param {(rows: IDBObjectStore) => IDBRequest<One>} ask
   * @param {One} otherwise
   */
  const use = async (mode, ask, otherwise) => {
    if (!database) return otherwise;
    try {
      return await answer(ask(database.transaction(ROWS, mode).objectStore(ROWS)));
    } catch (error) {
      giveUp(error);
      return otherwise;
    }
  };
  try {
    const request = indexedDB.open(NAME, ENGINE);
    request.onupgradeneeded = () => {
      const { result } = request;
      if (result.objectStoreNames.contains(ROWS)) result.deleteObjectStore(ROWS);
      result.createObjectStore(ROWS);
    };
    database = await answer(request);
    // Another tab has a newer engine.
    database.onversionchange = () => giveUp("VersionError");
  } catch (error) {
    giveUp(error);
  }
  return {
    rows: () => use("readonly", (rows) => rows.getAll(), []),
    keep: async (name, row) => {
      await use("readwrite", (rows) => rows.put(row, name), name);
    },
    forget: async () => {
      await use("readwrite", (rows) => rows.clear(), undefined);
    },
  };
};
