// Tables of measured networks as CSV files, as pandas writes and reads those of nhlib.sweep.
/** @import { Row } from "./experiment.js" */
/** @import { Facts } from "./grid.js" */

/** @type {(value: any) => string} */
const written = (value) => {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * Rows as a CSV file, in the columns of nhlib that any of them has.
 * @type {(rows: Row[], facts: Facts) => string}
 */
export const toCsv = (rows, { columns, keys }) => {
  const names = Object.keys(columns).filter(
    (name) => keys.includes(name) || rows.some((row) => row[name] !== undefined),
  );
  const lines = rows.map((row) => names.map((name) => written(row[name])).join(","));
  return [names.join(","), ...lines, ""].join("\n");
};

/**
 * The cells of a CSV file, line by line; empty lines are left out.
 * @type {(text: string) => string[][]}
 */
const cellsOf = (text) => {
  /** @type {string[][]} */
  const lines = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    const line = lines[lines.length - 1];
    if (!found) throw new Error(`line ${lines.length}: a quotation mark is not closed.`);
    line.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] && found[3] !== ",") lines.push([]);
  }
  return lines.filter((line) => line.length > 1 || line[0]);
};

/**
 * The value of a cell, which has a type of SQL; undefined for an empty one.
 * @type {(text: string, kind: string, where: string) => any}
 */
const cellValue = (text, kind, where) => {
  if (text === "" || text === "nan" || text === "NaN") return undefined;
  if (kind === "TEXT") return text;
  if (text === "True" || text === "False") return text === "True";
  const number = Number(text);
  if (!Number.isFinite(number) || (kind === "INTEGER" && !Number.isInteger(number))) {
    const needed = kind === "INTEGER" ? "a whole number" : "a number";
    throw new Error(`${where}: ${needed} is needed, not ${text.slice(0, 40)}.`);
  }
  return number;
};

/**
 * The rows of a CSV file that nhlib.sweep's table was written to. All of it is right, or it is
 * refused.
 * @param {string} text
 * @param {Facts} facts
 * @returns {Row[]}
 * @throws {Error} which says what is wrong with the file
 */
export const fromCsv = (text, { columns, keys, before }) => {
  const [head, ...lines] = cellsOf(text.replace(/^\uFEFF/, ""));
  const missing = keys.filter((key) => !(head?.includes(key) || key in before));
  if (!head || missing.length) {
    throw new Error(
      `this is no table of nh.sweep: it lacks ${missing.length > 3 ? "most columns" : missing.join(", ")}.`,
    );
  }
  return lines.map((line, i) => {
    const where = `line ${i + 2}`;
    if (line.length !== head.length) {
      throw new Error(`${where}: ${head.length} values are needed, not ${line.length}.`);
    }
    /** @type {Row} */
    const row = { ...before }; // what older tables do not say
    for (const [j, name] of head.entries()) {
      if (!(name in columns)) continue;
      const value = cellValue(line[j], columns[name], `${where}, ${name}`);
      if (value !== undefined) row[name] = value;
    }
    for (const key of keys) {
      if (row[key] === undefined) throw new Error(`${where}: ${key} is empty.`);
    }
    row.batch_norm = Boolean(row.batch_norm);
    if (!/^[1-9]\d*(-[1-9]\d*)*$/.test(row.widths)) {
      throw new Error(`${where}, widths: units joined by dashes are needed, not ${row.widths}.`);
    }
    return row;
  });
};
