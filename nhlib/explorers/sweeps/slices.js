// What a sweep has measured along one or two of its factors, with all others held: slices.py, on
// the numbers that are embedded, and without a page.

// The order in which factors are settled, if not everything was measured with everything.
export const FACTORS = [
  "protocol",
  "depth",
  "width",
  "train_size",
  "epoch",
  "label_noise",
  "dropout",
  "batch_norm",
  "l2",
];
// More curves than there are colours can't be told apart.
const CURVES = 6;
const MISSING = 65535;
const STEPS = 10000; // measures are stored in ten thousandths

const numbers = (view, bytes) => {
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return bytes === 1 ? new Uint8Array(buffer) : new Uint16Array(buffer);
};

// The value next to the wanted one, the smaller of two; of names, itself or the first.
const nextTo = (values, wanted) => {
  if (typeof values[0] === "string") return values.includes(wanted) ? wanted : values[0];
  let best = values[0];
  for (const value of values) {
    if (Math.abs(value - wanted) < Math.abs(best - wanted)) best = value;
  }
  return best;
};

const increasing = (values) => [...values].sort((a, b) => (a < b ? -1 : Number(a > b)));

// The curves to draw: the ends, what is farthest from those, and the one in focus.
export const pick = (values, focus) => {
  let places = values.map((_, i) => i);
  if (values.length > CURVES) {
    places = [0, values.length - 1];
    while (places.length < CURVES) {
      const gaps = values.map((_, i) => Math.min(...places.map((place) => Math.abs(i - place))));
      places.push(gaps.indexOf(Math.max(...gaps)));
    }
  }
  let drawn = increasing(places.map((place) => values[place]));
  if (!drawn.includes(focus)) {
    if (drawn.length === CURVES) {
      const away = nextTo(drawn.slice(1, -1), focus); // the ends stay
      drawn = drawn.filter((value) => value !== away);
    }
    drawn = increasing([...drawn, focus]);
  }
  return drawn;
};

export class Measured {
  // `stored` is one of the embedded tables, `protocols` what each brings along.
  constructor({ rows, keys, measures }, protocols) {
    this.protocols = protocols;
    this.measures = Object.keys(measures);
    this.values = {};
    const columns = {};
    for (const [key, { values, codes }] of Object.entries(keys)) {
      this.values[key] = values;
      columns[key] = codes ? numbers(codes, codes.byteLength / rows) : new Uint8Array(rows);
    }
    this.found = Object.fromEntries(
      Object.entries(measures).map(([name, view]) => [name, numbers(view, 2)]),
    );
    // Rows that differ in nothing but their seed are one cell.
    const cells = new Map();
    for (let row = 0; row < rows; row++) {
      let key = 0;
      for (const factor of FACTORS) key = key * this.values[factor].length + columns[factor][row];
      if (!cells.has(key)) {
        const value = (name) => this.values[name][columns[name][row]];
        const cell = { rows: [], n: value("n") };
        for (const factor of FACTORS) cell[factor] = value(factor);
        cells.set(key, cell);
      }
      cells.get(key).rows.push(row);
    }
    this.seed = (row) => this.values.seed[columns.seed[row]];
    this.cells = [...cells.values()];
    this.offers = new Map();
  }

  // Mean, least and greatest of a measure over the seeds of a cell, or null.
  stats(cell, measure) {
    const all = this.found[measure];
    const rows = all ? cell.rows.filter((row) => all[row] !== MISSING) : [];
    if (!rows.length) return null;
    const values = rows.map((row) => all[row] / STEPS);
    return {
      y: values.reduce((sum, value) => sum + value) / values.length,
      low: Math.min(...values),
      high: Math.max(...values),
      seeds: rows.map(this.seed),
    };
  }

  // Cells in which all of the measures are known, of one network at least; if there are none, some.
  having(measures) {
    const known = (row) => (name) => (this.found[name]?.[row] ?? MISSING) !== MISSING;
    const all = this.cells.filter(({ rows }) => rows.some((row) => measures.every(known(row))));
    if (all.length) return all;
    return this.cells.filter(({ rows }) => rows.some((row) => measures.some(known(row))));
  }

  // The cells that make a chart: two points along the axis, on two curves if asked for.
  contexts(cells, along, lines) {
    if (along === lines) return [];
    let others = FACTORS.filter((factor) => factor !== along && factor !== lines);
    if (along === "protocol" || lines === "protocol") {
      const usual = others.filter((factor) => factor === "l2" || factor === "batch_norm");
      cells = cells.filter((cell) =>
        usual.every((factor) => cell[factor] === this.protocols[cell.protocol][factor]),
      );
      others = others.filter((factor) => !usual.includes(factor));
    }
    others = others.filter((factor) => this.values[factor].length > 1);
    const several = (by, factor) => {
      const groups = new Map();
      const key = (cell) => by.map((name) => cell[name]).join();
      for (const cell of cells) {
        if (!groups.has(key(cell))) groups.set(key(cell), new Set());
        groups.get(key(cell)).add(cell[factor]);
      }
      cells = cells.filter((cell) => groups.get(key(cell)).size >= 2);
    };
    several(lines === "none" ? others : [...others, lines], along);
    if (lines !== "none") several(others, lines);
    return cells;
  }

  // The pairs of factors that there is a chart for.
  pairs(measures) {
    const name = measures.join();
    if (!this.offers.has(name)) {
      const cells = this.having(measures);
      const varied = FACTORS.filter((factor) => this.values[factor].length > 1);
      this.offers.set(
        name,
        varied.flatMap((along) =>
          ["none", ...varied]
            .filter((lines) => this.contexts(cells, along, lines).length)
            .map((lines) => [along, lines]),
        ),
      );
    }
    return this.offers.get(name);
  }

  // The points that a choice shows, or those next to it that were measured; null if there are
  // none. `choices` are the values that a factor could be given, of which there are several.
  slice(measures, along, lines, wanted) {
    const cells = this.having(measures);
    const pairs = [[along, lines], [along, "none"], ...FACTORS.map((factor) => [factor, "none"])];
    let found = [];
    for ([along, lines] of pairs) {
      found = this.contexts(cells, along, lines);
      if (found.length) break;
    }
    if (!found.length) return null;
    const all = found;
    const own = along === "protocol" || lines === "protocol" ? ["l2", "batch_norm"] : [];
    const [held, choices] = [{}, {}];
    const settle = (factor, among) => {
      choices[factor] = increasing(new Set(among.map((cell) => cell[factor])));
      held[factor] = nextTo(choices[factor], wanted[factor]);
    };
    for (const factor of FACTORS) {
      if (factor === along || factor === lines || own.includes(factor)) continue;
      settle(factor, found);
      found = found.filter((cell) => cell[factor] === held[factor]);
    }
    let drawn = [];
    let here = found;
    if (lines !== "none") {
      settle(lines, found);
      const length = (value) =>
        new Set(found.filter((cell) => cell[lines] === value).map((cell) => cell[along])).size;
      const lengths = choices[lines].map(length);
      // Of long curves, as far as nobody asks for another; one alone compares nothing.
      const long = choices[lines].filter((_, i) => 2 * lengths[i] >= Math.max(...lengths));
      drawn = pick(long.length > 1 ? long : choices[lines], held[lines]);
      here = found.filter((cell) => cell[lines] === held[lines]);
      found = found.filter((cell) => drawn.includes(cell[lines]));
    }
    settle(along, here);
    const points = found;
    return { along, lines, held, choices, drawn, points, all };
  }
}
