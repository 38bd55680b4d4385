// The phase chart as a picture, in which the reader draws a border or points at cells.
/** @import { Colors } from "../common/frame.js" */
/** @import { Cells } from "./cells.js" */
/** @import { State } from "./state.js" */
import { addDrawing } from "../common/pictures.js";
import { grouped } from "../common/words.js";
import {
  cellLabels,
  cursor,
  grip,
  guess,
  hatches,
  mineMark,
  note,
  placeCells,
  spot,
  stair,
  tile,
} from "./cells.js";
import { UNDETERMINED, UNTRAINED } from "./regimes.js";
import { guessable, NAMES } from "./view.js";

/** @type {{ [key: string]: [rise: number, run: number] }} */
const ARROWS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** @type {(least: number, value: number, most: number) => number} */
const between = (least, value, most) => Math.max(least, Math.min(most, value));

/** @type {(state: State, cells: Cells, row: number, column: number, colors: Colors) => Node[]} */
const paintCell = ({ ui, view, border }, cells, row, column, colors) => {
  const regime = view.chart.regime[view.inChart(row, column)];
  if (regime < 0) return [];
  const box = { id: ui.id, colors, ...spot(cells, row, column) };
  const own = view.table.mine.has(view.inChart(row, column)) ? [mineMark(box)] : [];
  if (!view.drawing || regime === UNTRAINED) return [...tile(regime, box), ...own];
  const guessed = row < border.below[column] ? [guess(ui.id, box)] : [];
  return [...tile(UNDETERMINED, box), ...guessed, ...own];
};

/** @type {(state: State, cells: Cells, labels: string[][], colors: Colors) => (Node | null)[]} */
const paintChart = (state, cells, [upLabels, rightLabels], colors) => {
  const { ui, view, border, drawn, column } = state;
  const { up, right, rows, columns, inChart, drawing, trained, at, hints, ratio } = view;
  const upName = up === "width" ? "width (units)" : NAMES[up];
  const wrong = guessable(view).filter(([row, i, is]) => row < border.below[i] !== is);
  return [
    hatches(ui.id, colors),
    ...cellLabels(cells, upLabels, rightLabels, upName, NAMES[right], colors),
    ...rows.flatMap((row) => columns.flatMap((i) => paintCell(state, cells, row, i, colors))),
    ...hints.flatMap(([row, i]) => {
      const told = ratio[inChart(row, i)].toFixed(3).replace(/^0/, "");
      return note(cells, row, i, told, colors);
    }),
    ...(drawing || drawn ? stair(cells, border.below, trained, colors) : []),
    ...(drawing ? grip(cells, border.below, column, colors) : []),
    ...(drawn && !drawing ? wrong : []).flatMap(([row, i]) => note(cells, row, i, "✗", colors)),
    ...(drawing ? [] : cursor(cells, at[up], at[right], colors)),
  ];
};

/**
 * @param {State} state
 * @param {HTMLElement} into
 * @param {() => void} update what to do once another cell is pointed at, or the border is another
 * @param {(row: number, column: number) => void} pick what to do with a chosen cell
 */
export const addBoard = (state, into, update, pick) => {
  const { ui } = state;
  /** @type {Cells} */
  let cells;
  const chart = addDrawing(ui, {
    label: "Phase chart",
    paint: (width, colors) => {
      const { table, up, right, rows, columns } = state.view;
      const labels = [up, right].map((axis) => table[axis].map(grouped));
      cells = placeCells(width, rows.length, columns.length, labels[0]);
      return { height: cells.height, children: paintChart(state, cells, labels, colors) };
    },
    into,
  });
  const picture = chart.element;
  picture.setAttribute("role", "application");
  picture.setAttribute("tabindex", "0");

  /** @type {(event: PointerEvent) => [x: number, y: number]} */
  const under = (event) => {
    const box = picture.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  /** @type {(event: PointerEvent) => [row: number, column: number] | null} */
  const cellUnder = (event) => {
    const [x, y] = under(event);
    return cells.inside(x, y) ? [cells.row(y), cells.column(x)] : null;
  };
  /** @param {[row: number, column: number] | null} now */
  const point = (now) => {
    if (String(now) === String(state.pointed)) return;
    state.pointed = now;
    update();
  };
  /** @type {[column: number, below: number] | null} */
  let pen = null; // where the stroke has come to
  /** @param {PointerEvent} event */
  const draw = (event) => {
    const [x, y] = under(event);
    const { trained } = state.view;
    state.column = between(trained[0], cells.column(x), trained[trained.length - 1]);
    /** @type {[column: number, below: number]} */
    const next = [state.column, cells.below(y)];
    state.border.stroke(pen ?? next, next);
    pen = next;
    update();
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (state.view.drawing) {
      picture.setPointerCapture(event.pointerId);
      pen = null;
      draw(event);
    } else {
      const cell = cellUnder(event);
      if (cell) pick(...cell);
    }
  });
  picture.addEventListener("pointermove", (event) => {
    if (!state.view.drawing) point(cellUnder(event));
    else if (picture.hasPointerCapture(event.pointerId)) draw(event);
  });
  picture.addEventListener("pointerleave", () => point(null));
  picture.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [rise, run] = arrow;
    const { border, view } = state;
    const { trained, at, up, right, rows, columns } = view;
    if (!view.drawing) {
      pick(
        between(0, at[up] + rise, rows.length - 1),
        between(0, at[right] + run, columns.length - 1),
      );
      return;
    }
    state.column = trained[between(0, trained.indexOf(state.column) + run, trained.length - 1)];
    if (rise) border.set(state.column, border.below[state.column] + rise);
    update();
  });
  return chart;
};
