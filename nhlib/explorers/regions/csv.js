// Points of the plane with their classes as a small table: x,y,class.

/** @typedef {[x: number, y: number, label: number]} Point */

/** @param {string} text */
const quoted = (text) => {
  const plain = text.replace(/\p{C}/gu, "�");
  return `“${plain.length > 20 ? `${plain.slice(0, 20)}…` : plain}”`;
};

/** @type {(entry: string, name: string, line: number) => number} */
const coordinateOf = (entry, name, line) => {
  const value = entry ? Number(entry) : Number.NaN;
  if (Number.isNaN(value))
    throw new Error(`Line ${line}: ${name} is ${quoted(entry)}, which is no number.`);
  if (!(Math.abs(value) <= 1)) {
    throw new Error(`Line ${line}: ${name} is ${entry}, but points lie between −1 and 1.`);
  }
  return value;
};

/**
 * The points of a table. Its first line may hold names; between entries stand commas, semicolons or
 * tabs.
 * @type {(text: string, most: number) => Point[]}
 * @throws {Error} with a sentence that names the line
 */
export const pointsOf = (text, most) => {
  /** @type {Point[]} */
  const points = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const begin = lines.findIndex((line) => line.trim());
  lines.forEach((line, i) => {
    if (!line.trim()) return;
    const entries = line.split(/[,;\t]/).map((entry) => entry.trim().replace(/^"(.*)"$/, "$1"));
    const names = i === begin && entries.every((entry) => /^[a-z]\w*$/i.test(entry));
    if (names) return;
    if (entries.length !== 3) {
      throw new Error(
        `Line ${i + 1}: x, y and a class are needed, such as 0.5,-0.25,1, and not ${quoted(line)}.`,
      );
    }
    const [x, y] = ["x", "y"].map((name, k) => coordinateOf(entries[k], name, i + 1));
    const label = entries[2] ? Number(entries[2]) : Number.NaN;
    if (label !== 0 && label !== 1) {
      throw new Error(`Line ${i + 1}: the class is ${quoted(entries[2])}, but there are 0 and 1.`);
    }
    if (points.push([x, y, label]) > most) {
      throw new Error(`Line ${i + 1}: this is point ${most + 1}, and ${most} is the limit.`);
    }
  });
  if (!points.length) throw new Error("There is no point in this file.");
  return points;
};

/** @type {(points: number[][]) => string} */
export const tableOf = (points) => `x,y,class\n${points.map((row) => `${row.join()}\n`).join("")}`;
