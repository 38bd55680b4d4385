// SweepExplorer: measured sweeps along any two factors, with all others held, and new points on
// request where there is a Python.

import {
  axes,
  curve,
  DASHES,
  linear,
  logarithmic,
  ordinal,
  SIGNS,
  short,
  signAt,
} from "../common/charts.js";
import { Frame, grouped, h, plural, python, s } from "../common/parts.js";
import { runner } from "../common/running.js";
import { FACTORS, Measured } from "./slices.js";

// What a factor is called in a control; beside an axis the words of Python stand.
const BRIEF = {
  protocol: "Protocol",
  depth: "Layers",
  width: "Width",
  train_size: "Training examples",
  epoch: "Epoch",
  label_noise: "Label noise",
  dropout: "Dropout",
  batch_norm: "Batch norm",
  l2: "Weight decay",
};
// What a reader may add: whole numbers or not, from and to.
const ADDED = {
  width: [1, 10000, true],
  epoch: [0, 10000, true],
  train_size: [1, 10 ** 6, true],
  depth: [1, 20, true],
  label_noise: [0, 1, false],
  dropout: [0, 0.99, false],
  l2: [0, 1, false],
};

const phraseOf = (factor, value) => {
  switch (factor) {
    case "protocol":
      return `protocol ${value}`;
    case "depth":
      return value === 1 ? "one hidden layer" : `${value} hidden layers`;
    case "width":
      return plural(value, "unit");
    case "train_size":
      return plural(value, "training example");
    case "epoch":
      return value ? `epoch ${grouped(value)}` : "untrained";
    case "label_noise":
      return value ? `${short(value)} of the labels shuffled` : "true labels";
    case "dropout":
      return value ? `dropout ${short(value)}` : "no dropout";
    case "batch_norm":
      return value ? "with batch norm" : "no batch norm";
    default:
      return value ? `weight decay ${short(value)}` : "no weight decay";
  }
};
const bare = (factor, value) =>
  typeof value === "number"
    ? short(value)
    : factor === "batch_norm"
      ? value
        ? "with"
        : "without"
      : value;
const inOrder = (values) => [...new Set(values)].sort((a, b) => (a < b ? -1 : Number(a > b)));
const three = (value) => value.toFixed(3);

// Python's range where the numbers are one, else the list.
const asRange = (values) =>
  values.length > 1 && values.every((value, i) => value === i)
    ? `range(${values.length})`
    : python(values.length === 1 ? values[0] : values);

export default {
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "sweep-explorer",
      title: "Sweep explorer: what shapes the code",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    const { measures: words, together, factors: labels } = ui.get("_words");
    const protocols = ui.get("_protocols");
    const stored = () => ui.get("_stored");

    // -- what is shown -------------------------------------------------------------------------

    let tables = new Map();
    const measured = () => {
      const name = ui.get("table");
      if (!tables.has(name)) tables.set(name, new Measured(stored()[name], protocols));
      return tables.get(name);
    };
    // The columns that a measure stands for, of those that the table has.
    const columnsOf = (name) => {
      const known = measured().measures;
      const columns = (together[name] ?? [name]).filter((column) => known.includes(column));
      return columns.length ? columns : known.slice(0, 1);
    };

    let view = null; // what the settings show
    let pointed = null; // the place under the mouse, {at, line}
    const look = () => {
      const measure = ui.get("measure");
      const columns = columnsOf(measure);
      const several = columns.length > 1;
      const wanted = Object.fromEntries(FACTORS.map((factor) => [factor, ui.get(factor)]));
      const slice = measured().slice(
        columns,
        ui.get("along"),
        several ? "none" : ui.get("lines"),
        wanted,
      );
      if (!slice) return null;
      const { along, lines, drawn, points } = slice;
      const one = (column, cells, name, line) => ({
        name,
        line,
        column,
        points: cells
          .map((cell) => ({
            x: cell[along],
            cell,
            ...(measured().stats(cell, column) ?? { y: null }),
          }))
          .filter((point) => point.y !== null)
          .sort((a, b) => (a.x < b.x ? -1 : 1)),
      });
      const all =
        lines === "none"
          ? columns.map((column) => one(column, points, words[column][0], column))
          : drawn.map((value) =>
              one(
                columns[0],
                points.filter((cell) => cell[lines] === value),
                phraseOf(lines, value),
                value,
              ),
            );
      // Of several measures not all need have been measured here.
      const curves = all.filter((curve) => curve.points.length);
      return {
        ...slice,
        columns,
        curves,
        several,
        label: several
          ? columns[0].startsWith("redundancy")
            ? "redundancy ratio"
            : "accuracy"
          : words[columns[0]][0],
        span: spanOf(slice, columns),
        xs: inOrder(points.map((cell) => cell[along])),
      };
    };

    // From the least to the greatest of all that can be held, so that the axis stays while a
    // reader moves what is held.
    const spans = new Map();
    const spanOf = ({ along, lines, all }, columns) => {
      const name = [ui.get("table"), columns, along, lines].join();
      if (!spans.has(name)) {
        const found = columns.flatMap((column) =>
          all.map((cell) => measured().stats(cell, column)).filter(Boolean),
        );
        const low = Math.min(...found.map((one) => one.low));
        const high = Math.max(...found.map((one) => one.high));
        spans.set(name, columns[0].startsWith("redundancy") ? [0, high] : [low, high]);
      }
      return spans.get(name);
    };

    // The point that is read out: under the mouse, or that of the settings.
    const place = () => {
      const { along, lines, held, curves } = view;
      const wanted = pointed ?? { at: held[along], line: held[lines] };
      const own = curves.find((one) => one.line === wanted.line) ?? curves[0];
      const point = own.points.find((one) => one.x === wanted.at) ?? own.points[0];
      return { own, point };
    };

    // -- the chart -----------------------------------------------------------------------------

    let scales = null;
    const styleOf = (i, colors) => ({ color: colors.series[i], sign: SIGNS[i], dashes: DASHES[i] });
    const paint = (width, colors) => {
      const height = Math.round(Math.min(400, Math.max(270, width * 0.56)));
      if (!view) return { children: [], height };
      const { along, xs, curves, label, span } = view;
      const area = { left: 44, right: width - 16, top: 32, bottom: height - 46 };
      const across = [area.left, area.right];
      const named = ["protocol", "batch_norm", "depth"].includes(along);
      const positive = xs.filter((value) => value > 0);
      const x = named
        ? ordinal(xs, across, (value) => bare(along, value))
        : ["epoch", "train_size", "l2"].includes(along)
          ? logarithmic([xs[0], xs.at(-1)], across, positive[0])
          : linear([xs[0], xs.at(-1)], across);
      const y = linear(span, [area.bottom, area.top], 40);
      scales = { x, y };
      const { own, point } = place();
      const here = x(point.x);
      const shown = view.several ? curves : [own];
      const logs = along === "epoch" || along === "l2" ? ", logarithmic" : "";
      const children = [
        ...axes({ area, x, y, xLabel: labels[along] + logs, yLabel: label, colors }),
        s("path", {
          d: `M${here},${area.top}V${area.bottom}`,
          stroke: colors.muted,
          "stroke-dasharray": "3 3",
        }),
        ...curves.map((one, i) =>
          curve({
            points: one.points,
            x,
            y,
            ...styleOf(i, colors),
            spread: named ? "whiskers" : "band",
            width: shown.includes(one) ? 3 : 1.75,
            size: shown.includes(one) ? 4.5 : 3.5,
          }),
        ),
        ...curves.flatMap((one, i) => {
          const found = shown.includes(one) && one.points.find((p) => p.x === point.x);
          if (!found) return [];
          const { color, sign } = styleOf(i, colors);
          return [
            signAt("●", here, y(found.y), { color: colors.ink, size: 9, hollow: colors.paper }),
            signAt(sign, here, y(found.y), { color, size: 4.5 }),
          ];
        }),
      ];
      if (!view.several) {
        // On the side where there is room.
        const right = here < (area.left + area.right) / 2;
        children.push(
          s(
            "text",
            {
              x: here + (right ? 14 : -14),
              y: Math.max(area.top + 12, y(point.y) - 10),
              "text-anchor": right ? "start" : "end",
              style: `font-weight: 600; paint-order: stroke; stroke: ${colors.paper}; stroke-width: 4px`,
            },
            three(point.y),
          ),
        );
      }
      return { children, height };
    };
    ui.legend([]);
    const chart = ui.drawing({ label: "Chart of the sweep", paint });
    const svg = chart.element;
    for (const [name, value] of Object.entries({
      role: "application",
      tabindex: 0,
      style: "touch-action: pan-y; cursor: crosshair",
      "aria-label":
        "Chart of the sweep. Left and right move along the curve, up and down to others.",
    })) {
      svg.setAttribute(name, value);
    }

    const pin = ({ at, line }) => {
      pointed = null;
      ui.set(view.along, at);
      if (view.lines !== "none") ui.set(view.lines, line);
      show(); // also if the settings were these
    };
    const under = (event) => {
      const box = svg.getBoundingClientRect();
      const [left, top] = [event.clientX - box.left, event.clientY - box.top];
      let [best, least] = [null, Infinity];
      for (const { points, line } of view.curves) {
        for (const { x, y } of points) {
          // The column first, then the curve.
          const far = 3 * Math.abs(scales.x(x) - left) + Math.abs(scales.y(y) - top);
          if (far < least) [best, least] = [{ at: x, line }, far];
        }
      }
      return best;
    };
    svg.addEventListener("pointermove", (event) => {
      if (!view || !scales) return;
      const now = under(event);
      if (JSON.stringify(now) === JSON.stringify(pointed)) return;
      pointed = now;
      tell();
    });
    svg.addEventListener("pointerleave", () => {
      pointed = null;
      if (view) tell();
    });
    svg.addEventListener("click", (event) => view && scales && pin(under(event)));
    svg.addEventListener("keydown", (event) => {
      if (!view) return;
      const { own, point } = place();
      const i = own.points.indexOf(point);
      const along = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: own.points.length - 1 };
      if (event.key in along) {
        event.preventDefault();
        const next = own.points[along[event.key]];
        if (next) pin({ at: next.x, line: own.line });
      } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        const sign = event.key === "ArrowUp" ? 1 : -1;
        const others = view.curves
          .map((one) => ({
            line: one.line,
            at: point.x,
            y: one.points.find((p) => p.x === point.x)?.y,
          }))
          .filter(({ y }) => sign * (y - point.y) > 0)
          .sort((a, b) => sign * (a.y - b.y));
        if (others.length && !view.several) pin(others[0]);
      }
    });

    // -- words ---------------------------------------------------------------------------------

    const summary = () => {
      const { along, lines, held, several, curves } = view;
      const { own, point } = place();
      const others = FACTORS.filter(
        (factor) =>
          factor in held && factor !== along && factor !== lines && view.choices[factor].length > 1,
      );
      const fixed = others.map((factor) => phraseOf(factor, held[factor])).join(", ");
      const where = [phraseOf(along, point.x), lines === "none" ? "" : phraseOf(lines, own.line)]
        .filter(Boolean)
        .join(", ");
      const from = `${ui.get("table")}${fixed ? `, ${fixed}` : ""}. `;
      if (several) {
        const all = curves
          .map((one) => [one, one.points.find((p) => p.x === point.x)])
          .filter(([, found]) => found)
          .map(
            ([one, { y, low, high, seeds }]) =>
              `${one.name} ${three(y)}${seeds.length > 1 ? ` (${three(low)} to ${three(high)})` : ""}`,
          );
        return `${from}At ${where}: ${all.join("; ")}. ${seedWords(point)}`;
      }
      const counted =
        own.column === "redundancy_train"
          ? `, counted on ${grouped(point.cell.train_size)}`
          : own.column.endsWith("_n")
            ? `, at n = ${grouped(point.cell.n)}`
            : "";
      const [first, last] = [own.points[0], own.points.at(-1)];
      const spread =
        point.seeds.length > 1
          ? `the mean of ${point.seeds.length} seeds, which span ${three(point.low)} to ${three(point.high)}`
          : "of one seed";
      return (
        `${from}At ${where} the ${words[own.column][0]}${counted} is ` +
        `${three(point.y)}, ${spread}. Along this curve it goes from ${three(first.y)} ` +
        `(${phraseOf(along, first.x)}) to ${three(last.y)} (${phraseOf(along, last.x)}).`
      );
    };
    const seedWords = ({ seeds }) =>
      seeds.length > 1 ? `Means of ${seeds.length} seeds, with what they span.` : "One seed.";

    // Arguments of nh.sweep for what is shown, with some values in the place of others.
    const asked = (instead = {}) => {
      const { along, lines, held, drawn, xs, columns } = view;
      const values = (factor) =>
        instead[factor] ?? (factor === along ? xs : factor === lines ? drawn : [held[factor]]);
      const settings = {
        widths: values("depth").flatMap((depth) =>
          values("width").map((width) => (depth === 1 ? width : Array(depth).fill(width))),
        ),
        epochs: values("epoch"),
        train_sizes: values("train_size"),
        protocols: values("protocol"),
        measures: [...new Set(columns.map((column) => words[column][1]))],
      };
      for (const factor of ["batch_norm", "l2"]) {
        // As its protocol has it, wherever nothing else is held.
        if (factor in held || factor in instead) settings[factor] = values(factor);
      }
      for (const factor of ["dropout", "label_noise"]) settings[factor] = values(factor);
      return settings;
    };

    const code = () => {
      const { along, lines, held, columns } = view;
      const { own, point } = place();
      const settings = asked();
      for (const factor of ["batch_norm", "l2"]) {
        const usual = protocols[held.protocol]?.[factor];
        if (settings[factor]?.length === 1 && settings[factor][0] === usual)
          delete settings[factor];
      }
      for (const factor of ["dropout", "label_noise"]) {
        if (settings[factor].length === 1 && !settings[factor][0]) delete settings[factor];
      }
      const { measures, ...others } = settings;
      const written = Object.entries(others).map(([name, values]) => {
        // One width of several layers would be taken for several widths.
        const single = values.length === 1 && !Array.isArray(values[0]);
        return `    ${name}=${python(single ? values[0] : values)},`;
      });
      const term = (factor, value) =>
        factor === "width" || factor === "depth"
          ? `widths == '${widthsOf(own, point)}'`
          : `${factor} == ${typeof value === "string" ? `'${value}'` : python(value)}`;
      const terms = [term(along, point.x), ...(lines === "none" ? [] : [term(lines, own.line)])];
      const shown = columns.length > 1 ? python(columns) : python(columns[0]);
      const { data, trainable } = stored()[ui.get("table")];
      return [
        "import nhlib as nh",
        "",
        ...(trainable
          ? []
          : ["# nh.load does not have these images: put in a data set of your own."]),
        "table = nh.sweep(",
        `    ${python(data)},`,
        ...written,
        `    seeds=${asRange(point.seeds)},`,
        `    measures=${python(measures.length === 1 ? measures[0] : measures)},`,
        ")",
        `point = table.query(${python([...new Set(terms)].join(" and "))})`,
        `print(point[${shown}].agg(["mean", "min", "max"]))`,
      ].join("\n");
    };
    const widthsOf = (own, point) => Array(point.cell.depth).fill(point.cell.width).join("-");

    // -- controls ------------------------------------------------------------------------------

    const list = (setting, label) => {
      const id = `${ui.id}-${setting}`;
      let options = [];
      const select = h("select", { id });
      select.addEventListener("change", () => ui.set(setting, options[select.value][0]));
      const element = h("div", { class: "nh-control" }, h("label", { for: id }, label), select);
      const refresh = (offered, value) => {
        if (JSON.stringify(offered) !== JSON.stringify(options)) {
          options = offered;
          select.replaceChildren(...options.map(([, text], i) => h("option", { value: i }, text)));
        }
        select.value = options.findIndex(([one]) => one === value);
        element.hidden = options.length < 2;
      };
      return { element, refresh };
    };
    // A factor: a range over the values that were measured, or a list if these are names.
    const knob = (factor) => {
      if (factor === "protocol" || factor === "batch_norm") {
        const { element, refresh } = list(factor, BRIEF[factor]);
        const named = (values) => values.map((value) => [value, phraseOf(factor, value)]);
        return { element, refresh: (values, value) => refresh(named(values), value) };
      }
      const id = `${ui.id}-${factor}`;
      let values = [];
      const input = h("input", { type: "range", id, min: 0, step: 1 });
      const output = h("output", { for: id });
      input.addEventListener("input", () => ui.set(factor, values[Number(input.value)]));
      const element = h(
        "div",
        { class: "nh-control" },
        h("label", { for: id }, BRIEF[factor]),
        input,
        output,
      );
      const refresh = (known, value) => {
        values = known;
        input.max = values.length - 1;
        input.value = values.indexOf(value);
        output.value = short(value);
        input.setAttribute("aria-valuetext", phraseOf(factor, value));
        element.hidden = values.length < 2;
      };
      return { element, refresh };
    };

    const lists = {
      table: list("table", "Data"),
      measure: list("measure", "Measure"),
      along: list("along", "Along"),
      lines: list("lines", "A curve for each"),
    };
    const knobs = Object.fromEntries(FACTORS.map((factor) => [factor, knob(factor)]));
    const fields = (name) => h("fieldset", { class: "nh-fields" }, h("legend", {}, name));
    const [read, holding] = [fields("Read out at"), fields("Held at")];
    const constant = h("p", { class: "nh-constant" });
    ui.panel.append(...Object.values(lists).map((one) => one.element), read, holding);

    const refreshControls = () => {
      const { measures, pairs } = {
        measures: measured().measures,
        pairs: measured().pairs(view.columns),
      };
      lists.table.refresh(
        Object.keys(stored()).map((name) => [name, name]),
        ui.get("table"),
      );
      const sets = Object.keys(together).filter(
        (name) => together[name].filter((column) => measures.includes(column)).length > 1,
      );
      const all = { categorization: "all accuracies", redundancies: "all redundancy ratios" };
      const current = view.several ? ui.get("measure") : view.columns[0];
      lists.measure.refresh(
        [
          ...measures.map((name) => [name, words[name][0]]),
          ...sets.map((name) => [name, all[name]]),
        ],
        current,
      );
      const axis = [...new Set(pairs.map(([along]) => along))];
      lists.along.refresh(
        axis.map((factor) => [factor, labels[factor]]),
        view.along,
      );
      const others = pairs.filter(([along]) => along === view.along).map(([, lines]) => lines);
      lists.lines.refresh(
        view.several
          ? []
          : others.map((factor) => [factor, labels[factor] ?? "nothing: one curve"]),
        view.lines,
      );
      const fixed = [];
      const order = [
        view.along,
        view.lines,
        ...FACTORS.filter((f) => f !== view.along && f !== view.lines),
      ];
      for (const factor of order.filter((name) => name in knobs)) {
        const { element, refresh } = knobs[factor];
        const values = view.choices[factor] ?? [];
        if (values.length) refresh(values, view.held[factor]);
        element.hidden = values.length < 2;
        const into = factor === view.along || factor === view.lines ? read : holding;
        if (element.parentNode !== into) into.append(element);
        if (values.length === 1) fixed.push(phraseOf(factor, values[0]));
      }
      const own = view.along === "protocol" || view.lines === "protocol";
      const rest = own ? " Batch norm and weight decay are those of each protocol." : "";
      constant.textContent = fixed.length ? `Always here: ${fixed.join(", ")}.${rest}` : rest;
      holding.append(constant);
    };

    // -- new points ----------------------------------------------------------------------------

    const what = h("select", { "aria-label": "Factor to add a value of" });
    const value = h("input", { type: "number", step: "any", "aria-label": "Value to add" });
    const seeds = h("input", {
      type: "number",
      min: 1,
      max: 100,
      value: 3,
      "aria-label": "How many seeds",
    });
    const request = () => {
      if (!view) return { text: "Nothing is shown that could be added to." };
      const factor = what.value;
      let one = Number(value.value);
      if (factor in ADDED) {
        const [least, most, whole] = ADDED[factor];
        const kind = `${whole ? "a whole number" : "a number"} from ${short(least)} to ${short(most)}`;
        if (value.value === "") return { text: `Write ${kind}.` };
        if (!(one >= least && one <= most) || (whole && !Number.isInteger(one))) {
          return { text: `${BRIEF[factor]}: ${kind} is needed, not ${value.value}.` };
        }
      } else {
        one =
          factor === "protocol" ? (view.held.protocol === "A" ? "B" : "A") : !view.held.batch_norm;
      }
      const many = Number(seeds.value);
      if (!(Number.isInteger(many) && many >= 1 && many <= 100)) {
        return {
          text: `Seeds: a whole number from 1 to 100 is needed, not ${seeds.value || "nothing"}.`,
        };
      }
      const settings = {
        ...asked({ [factor]: [one] }),
        seeds: Array.from({ length: many }, (_, i) => i),
      };
      // Another protocol comes with its own of these.
      if (factor === "protocol") for (const name of ["batch_norm", "l2"]) delete settings[name];
      const networks = [
        "widths",
        "train_sizes",
        "protocols",
        "batch_norm",
        "l2",
        "dropout",
        "label_noise",
        "seeds",
      ].reduce((product, name) => product * (settings[name]?.length ?? 1), 1);
      return {
        table: ui.get("table"),
        settings,
        text: `${plural(networks, "network")}, up to epoch ${grouped(Math.max(...settings.epochs))}.`,
        then: () => ui.set(factor, one),
      };
    };
    const labelled = (text, input) => h("label", { class: "nh-pair" }, text, input);
    const run = runner(ui, {
      request,
      inputs: [labelled("Add", what), value, labelled("for seeds", seeds)],
    });
    if (run) {
      ui.panel.append(run.element);
      for (const input of [what, value, seeds])
        input.addEventListener("input", () => {
          refreshRun();
        });
    }
    const refreshRun = () => {
      if (!run || !view) return;
      const { along, lines, held } = view;
      const can = FACTORS.filter(
        (factor) => factor in ADDED || (factor in held && factor !== along && factor !== lines),
      );
      const names = [...new Set([along, lines, ...can])].filter((factor) => can.includes(factor));
      const before = names.includes(what.value) ? what.value : names[0];
      what.replaceChildren(
        ...names.map((factor) =>
          h(
            "option",
            { value: factor },
            factor in ADDED
              ? BRIEF[factor].toLowerCase()
              : factor === "protocol"
                ? `protocol ${held.protocol === "A" ? "B" : "A"}`
                : held.batch_norm
                  ? "no batch norm"
                  : "batch norm",
          ),
        ),
      );
      what.value = before;
      value.hidden = !(before in ADDED);
      run.element.hidden = !stored()[ui.get("table")].trainable;
      run.refresh();
    };

    // -- together ------------------------------------------------------------------------------

    const tell = () => {
      chart.repaint();
      ui.say(summary());
      ui.call(code());
    };
    const show = () => {
      view = look();
      if (!view) {
        ui.stop("Nothing in this table was measured at two values of a factor.");
        return;
      }
      ui.goOn();
      refreshControls();
      const colors = ui.colors();
      const entries =
        view.curves.length > 1 || view.several
          ? view.curves.map(({ name }, i) => ({
              color: colors.series[i],
              mark: SIGNS[i],
              text: name,
            }))
          : [];
      const left = view.lines === "none" ? 0 : view.choices[view.lines].length - view.drawn.length;
      ui.legend(entries);
      if (left > 0) {
        ui.key.append(h("li", {}, `${left} more with the control ${BRIEF[view.lines]}`));
      }
      refreshRun();
      tell();
    };
    const anew = () => {
      tables = new Map();
      spans.clear();
      pointed = null;
      show();
    };
    let begun = false;
    ui.follow(["_stored"], () => begun && anew());
    begun = true;
    ui.follow(ui.get("_settings"), () => {
      pointed = null;
      show();
    });
    return ui.end;
  },
};
