// The call of nhlib.sweep that measures the same rows.
/** @import { Row } from "./experiment.js" */
/** @import { Facts } from "./grid.js" */
import { python } from "../common/words.js";

/** @type {(widths: string) => string} */
const layers = (widths) => (widths.includes("-") ? `(${widths.replaceAll("-", ", ")})` : widths);

/**
 * As lines of Python. Where rows are no product of their settings, the call trains some more.
 * @type {(rows: Row[], facts: Facts) => string}
 */
export const callOfRows = (rows, { factors, measures, shown_by }) => {
  const written = factors.flatMap(({ argument, column, usual }) => {
    if (column === "data") return [];
    const values = [...new Set(rows.map((row) => row[column]))];
    if (column === "widths") {
      values.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      return [`    widths=[${values.map(layers).join(", ")}],`];
    }
    values.sort((a, b) => (a < b ? -1 : Number(a > b)));
    const own = rows.every((row) => {
      const known = usual !== null && typeof usual === "object" ? usual[row.protocol] : usual;
      return row[column] === known;
    });
    return own ? [] : [`    ${argument}=${python(values.length === 1 ? values[0] : values)},`];
  });
  const taken = measures.filter((name) =>
    rows.some((row) => shown_by[name].every((column) => row[column] !== undefined)),
  );
  return [
    "nh.sweep(",
    '    "digits",',
    ...written,
    `    measures=${python(taken.length === 1 ? taken[0] : taken)},`,
    ")",
  ].join("\n");
};
