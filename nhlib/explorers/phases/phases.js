// PhaseExplorer: the reader draws where under-expressive networks end, then sees the regimes of
// all cells, why each has its own, and how thresholds move the borders.
import { Frame, grouped, h, plural } from "../common/parts.js";
import { runner } from "../common/running.js";
import { Border } from "./borders.js";
import {
  cellLabels,
  cursor,
  grip,
  guess,
  hatches,
  note,
  placeCells,
  spot,
  stair,
  swatch,
  tile,
} from "./cells.js";
import { curvesOf, RATIO, WORTH } from "./curves.js";
import { cellAt, REGIMES, UNDETERMINED, UNTRAINED } from "./regimes.js";
import {
  AXES,
  borderWords,
  callOf,
  criticalWords,
  guessable,
  heldWords,
  hintWords,
  NAMES,
  scoreWords,
  unpack,
  viewOf,
  where,
  whyWords,
} from "./view.js";

const TAUS = [
  0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15,
  0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1,
];
const DELTAS = [0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1];
const ARROWS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const between = (least, value, most) => Math.max(least, Math.min(most, value));

export default {
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "phase-explorer",
      title: "Phase explorer: draw the border, then see the regimes",
      version: 1,
    });
    if (!ui.usable) return ui.end;

    const words = ui.get("_words");
    const unpacked = new WeakMap();
    const grid = () => {
      const raw = ui.get("_grids")[ui.get("table")];
      if (!unpacked.has(raw)) unpacked.set(raw, unpack(raw));
      return unpacked.get(raw);
    };
    const borders = new Map(); // drawn ones, by what they were drawn on
    let pointed = null; // the cell under the pointer, [row, column]
    let column = -1; // whose border the arrow keys move
    let [view, border, drawnOn] = [];

    // -- the chart -----------------------------------------------------------------------------

    const task = h("p", { class: "nh-task", "aria-live": "polite" });
    const [left, side] = [h("div"), h("div")];
    ui.stage.append(task, h("div", { class: "nh-beside" }, left, side));
    let place;

    const paintCell = (row, i, colors) => {
      const regime = view.chart.regime[view.inChart(row, i)];
      if (regime < 0) return [];
      const box = { id: ui.id, colors, ...spot(place, row, i) };
      if (!view.drawing || regime === UNTRAINED) return tile(regime, box);
      return [...tile(UNDETERMINED, box), row < border.below[i] && guess(ui.id, box)].filter(
        Boolean,
      );
    };

    const paintChart = (width, colors) => {
      const { table, up, right, rows, columns, inChart, drawing, trained, at, hints, ratio } = view;
      const labels = [up, right].map((axis) => table[axis].map(grouped));
      place = placeCells(width, rows.length, columns.length, labels[0]);
      const upName = up === "width" ? "width (units)" : NAMES[up];
      const told = ([row, i]) =>
        note(place, row, i, ratio[inChart(row, i)].toFixed(3).replace(/^0/, ""), colors);
      const wrong = guessable(view).filter(([row, i, is]) => row < border.below[i] !== is);
      return {
        height: place.height,
        children: [
          hatches(ui.id, colors),
          ...cellLabels(place, ...labels, upName, NAMES[right], colors),
          ...rows.flatMap((row) => columns.flatMap((i) => paintCell(row, i, colors))),
          ...hints.flatMap(told),
          ...(drawing || drawn() ? stair(place, border.below, trained, colors) : []),
          ...(drawing ? grip(place, border.below, column, colors) : []),
          ...(drawn() && !drawing ? wrong : []).flatMap(([row, i]) =>
            note(place, row, i, "✗", colors),
          ),
          ...(drawing ? [] : cursor(place, at[up], at[right], colors)),
        ],
      };
    };
    const drawn = () => border.drawn && view.up === "width" && view.trained.length > 0;

    const chart = ui.drawing({ label: "Phase chart", paint: paintChart, into: left });
    const picture = chart.element;
    picture.setAttribute("role", "application");
    picture.setAttribute("tabindex", 0);

    let pen = null; // where the stroke has come to, [column, rows below]
    const under = (event) => {
      const box = picture.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const draw = (event) => {
      const [x, y] = under(event);
      column = between(view.trained[0], place.column(x), view.trained.at(-1));
      const next = [column, place.below(y)];
      border.stroke(pen ?? next, next);
      pen = next;
      update();
    };
    const point = (now) => {
      if (String(now) === String(pointed)) return;
      pointed = now;
      update();
    };
    const pick = ([row, i]) => {
      pointed = null;
      ui.set(view.up, view.table[view.up][row]);
      ui.set(view.right, view.table[view.right][i]);
      if (!view.table.seeds[view.inChart(row, i)]) askFor(row, i);
      update();
    };
    const cellUnder = (event) => {
      const [x, y] = under(event);
      return place.inside(x, y) ? [place.row(y), place.column(x)] : null;
    };
    picture.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      if (view.drawing) {
        picture.setPointerCapture(event.pointerId);
        pen = null;
        draw(event);
      } else if (cellUnder(event)) pick(cellUnder(event));
    });
    picture.addEventListener("pointermove", (event) => {
      if (!view.drawing) point(cellUnder(event));
      else if (picture.hasPointerCapture(event.pointerId)) draw(event);
    });
    picture.addEventListener("pointerleave", () => point(null));
    picture.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const [rise, run] = arrow;
      const { trained, at, up, right, rows, columns } = view;
      if (!view.drawing) {
        pick([
          between(0, at[up] + rise, rows.length - 1),
          between(0, at[right] + run, columns.length - 1),
        ]);
        return;
      }
      column = trained[between(0, trained.indexOf(column) + run, trained.length - 1)];
      if (rise) border.set(column, border.below[column] + rise);
      update();
    });

    const curves = ui.drawing({
      label: "Curves",
      into: side,
      paint: (width, colors) => curvesOf(view, width, colors),
    });

    // -- words -----------------------------------------------------------------------------------

    const accuracyName = () => `${words.accuracy[view.accuracy]} accuracy`;

    const tell = () => {
      const { drawing, tau, up } = view;
      const bold = (text) => h("strong", {}, text);
      if (drawing) {
        task.replaceChildren(
          bold("Predict first. "),
          `Every square is a kind of network on ${heldWords(view)}; some tell their redundancy ` +
            `ratio. Those with more than τ = ${tau} are under-expressive. Where do they end? Drag ` +
            "the line (or focus the chart and use the arrow keys), then reveal.",
        );
        ui.say(`${hintWords(view)} ${borderWords(view, border, column)}`);
        return;
      }
      const help = drawn()
        ? scoreWords(view, border)
        : ui.get("revealed")
          ? "Point at a cell, or focus the chart and use the arrow keys."
          : up === "width"
            ? "Before training there is no border to draw: move the slider to a later epoch."
            : "A border can be drawn where the width is an axis.";
      task.replaceChildren(bold(`Regimes on ${heldWords(view)}. `), help);
      ui.say(`${whyWords(view, accuracyName())} ${criticalWords(view)}`.trim());
    };

    const explain = () => {
      const colors = ui.colors();
      const { rows, columns, chart: of, inChart, drawing } = view;
      const inView = new Set(rows.flatMap((row) => columns.map((i) => of.regime[inChart(row, i)])));
      const named = (regime, text = REGIMES[regime]) => ({
        mark: swatch(regime, ui.id, colors),
        text,
      });
      const line = { color: colors.ink, mark: "line", text: "your border" };
      const ratio = { color: colors.series[RATIO], mark: "●", text: "redundancy ratio" };
      if (drawing) {
        const expected = swatch(UNDETERMINED, ui.id, colors, true);
        ui.legend([
          named(UNDETERMINED, "measured, not told yet"),
          { mark: expected, text: "expected to be under-expressive" },
          ...(inView.has(UNTRAINED) ? [named(UNTRAINED)] : []),
          line,
          ratio,
        ]);
        return;
      }
      ui.legend([
        ...[...REGIMES.keys()]
          .filter((regime) => inView.has(regime))
          .map((regime) => named(regime)),
        ...(drawn() ? [line, { color: colors.ink, mark: "✗", text: "where it is wrong" }] : []),
        ratio,
        { color: colors.series[WORTH], mark: "■", text: accuracyName() },
        { color: colors.ink, mark: "line", text: "gain of the next step" },
      ]);
    };

    // -- controls --------------------------------------------------------------------------------

    const [reveal] = ui.buttons([
      "",
      () => {
        if (ui.get("revealed")) {
          borders.delete(drawnOn);
          column = -1;
        }
        ui.set("revealed", !ui.get("revealed"));
      },
    ]);
    const grids = Object.entries(ui.get("_grids"));
    if (grids.length > 1) {
      const choice = ui.choice("table", {
        label: "Data",
        options: grids.map(([name]) => [name, name]),
      });
      // Another table has other cells: begin at its own.
      choice.addEventListener("change", () => {
        const { start, kinds: has } = grid();
        const place = start[ui.get("redundancy")] ?? start[has.redundancy[0]];
        place.forEach((value, i) => ui.set(AXES[i], value));
      });
    }
    ui.choice("held", {
      label: "Slider moves",
      options: AXES.toReversed().map((axis) => [axis, NAMES[axis]]),
    });
    const sliders = ["Width", "Epoch", "Examples"].map((label, i) =>
      ui.slider(AXES[i], {
        label,
        values: () => grid()[AXES[i]],
        also: ["table", "_grids"],
        show: grouped,
      }),
    );
    ui.slider("tau", { label: "Threshold τ", values: TAUS });
    const delta = ui.slider("delta", { label: "Threshold δ", values: DELTAS });
    const kinds = ["redundancy", "accuracy"].map((kind) => {
      const options = Object.entries(words[kind]).filter(([measure]) =>
        grids.some(([, raw]) => raw.kinds[kind].includes(measure)),
      );
      const label = { redundancy: "Redundancy of", accuracy: "Accuracy by" }[kind];
      const control = ui.choice(kind, { label, options });
      return { kind, control, measures: options.map(([measure]) => measure) };
    });

    const arrange = () => {
      const { drawing, held, table } = view;
      reveal.textContent = !ui.get("revealed")
        ? "Reveal the regimes"
        : border.drawn
          ? "Draw again"
          : "Draw the border first";
      reveal.hidden = view.up !== "width" || !view.trained.length;
      sliders.forEach((slider, i) => (slider.hidden = AXES[i] !== held));
      delta.hidden = drawing;
      for (const { kind, control, measures } of kinds) {
        control.hidden = measures.length < 2 || (kind === "accuracy" && drawing);
        [...control.querySelector("select").options].forEach((option, i) => {
          option.disabled = !table.kinds[kind].includes(measures[i]);
          option.selected = measures[i] === view[kind];
        });
      }
      // A finger that draws does not scroll.
      picture.style.touchAction = drawing ? "none" : "pan-y";
      const shown = `${NAMES[view.up]} against ${NAMES[view.right]}, ${heldWords(view)}`;
      picture.setAttribute(
        "aria-label",
        drawing
          ? `Chart of ${shown}: draw the border. Left and right choose a column, up and down move ` +
              "its border."
          : `Phase chart, ${shown}. Arrow keys move from cell to cell.`,
      );
      curves.element.setAttribute(
        "aria-label",
        drawing
          ? "Redundancy ratios that are told, against the width."
          : `Redundancy ratio and ${accuracyName()} against epoch and width, of ${where(view, view.at)}.`,
      );
    };

    // -- cells that are missing ------------------------------------------------------------------

    const inputs = Object.fromEntries(
      AXES.map((axis) => {
        const min = axis === "epoch" ? 0 : 1;
        const input = h("input", { type: "number", min, step: 1, class: "nh-number" });
        input.addEventListener("input", () => run.refresh());
        return [axis, input];
      }),
    );
    const askFor = (row, i) => {
      const at = { ...view.at, [view.up]: row, [view.right]: i };
      for (const axis of AXES) inputs[axis].value = view.table[axis][at[axis]];
      run?.refresh();
    };
    const request = () => {
      const table = grid();
      const { asked } = table;
      if (!asked) return { text: `nh.load does not have the data set of ${ui.get("table")}.` };
      const values = AXES.map((axis) => inputs[axis].valueAsNumber);
      const bad = AXES.find(
        (axis, i) => !Number.isInteger(values[i]) || values[i] < Number(inputs[axis].min),
      );
      if (bad)
        return { text: `${NAMES[bad]}: a whole number from ${inputs[bad].min} on is needed.` };
      const places = AXES.map((axis, i) => table[axis].indexOf(values[i]));
      const measured = places.includes(-1) ? 0 : table.seeds[cellAt(table, ...places)];
      if (measured >= asked.seeds.length) return { text: "This cell has been measured." };
      const [width, epoch, size] = values;
      return {
        table: ui.get("table"),
        settings: { ...asked, widths: [width], epochs: [epoch], train_sizes: [size] },
        text: `trains ${plural(asked.seeds.length, "network")} like those of the table`,
        then: () => AXES.forEach((axis, i) => ui.set(axis, values[i])),
      };
    };
    const run = runner(ui, {
      request,
      inputs: [
        h("span", {}, "Fill in a missing cell:"),
        ...AXES.map((axis) => h("label", {}, `${NAMES[axis]} `, inputs[axis])),
      ],
    });
    if (run) ui.panel.append(run.element);

    // -- all together ------------------------------------------------------------------------------

    const update = () => {
      view = viewOf(grid(), ui.get("table"), (setting) => ui.get(setting), pointed);
      const { rows, columns, trained } = view;
      drawnOn = [view.name, view.held, rows.length, columns.length].join(" ");
      if (!borders.has(drawnOn)) borders.set(drawnOn, new Border(rows.length, columns.length));
      border = borders.get(drawnOn);
      if (!trained.includes(column)) column = trained[0] ?? -1;
      arrange();
      tell();
      explain();
      ui.call(callOf(view));
      chart.repaint();
      curves.repaint();
    };
    ui.painters.push(explain);
    ui.follow([...ui.get("_settings"), "_grids"], update);
    askFor(view.at[view.up], view.at[view.right]);
    return ui.end;
  },
};
