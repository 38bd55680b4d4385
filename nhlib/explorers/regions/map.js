// The regions as a picture, with the points, a cursor and a pinned point.
/** @import { Seen } from "./grid.js" */
/** @import { Place, State } from "./state.js" */
import { addCanvas } from "../common/pictures.js";
import { Grid } from "./grid.js";

// Nodes of the grid on which regions are seen: while they move, and at rest.
const COARSE = 128;
const FINE = 256;
// Milliseconds from one picture of moving regions to the next: the rest is for training. For those
// who asked for less motion there are two pictures a second.
const BREATH = 45;
const CALM = 500;
// Borders on coloured ground keep their colour on a dark page, as the ground does.
const BORDER = "#303a48";
const INK = "#1f2733";
const PAPER = "#fefefe";
export const CLASSES = ["#0072b2", "#d55e00"];

/** @type {{ [key: string]: Place }} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @type {(value: number) => number} */
const clamp = (value) => Math.min(1, Math.max(-1, value));

/** @type {(context: CanvasRenderingContext2D, width: number, seen: Seen) => void} */
const paintRegions = (context, width, { side, sheet, paths, boundary }) => {
  context.save();
  context.beginPath();
  context.roundRect(0, 0, width, width, 5);
  context.clip();
  const step = width / (side - 1); // nodes of the grid are the middles of its pixels
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet, -step / 2, -step / 2, width + step, width + step);
  context.scale(width, width);
  context.strokeStyle = BORDER;
  paths.forEach((path, l) => {
    context.lineWidth = (1.7 * 0.62 ** l) / width;
    context.stroke(path);
  });
  context.lineCap = "round";
  context.strokeStyle = PAPER;
  context.lineWidth = 6 / width;
  context.stroke(boundary);
  context.strokeStyle = INK;
  context.lineWidth = 3 / width;
  context.stroke(boundary);
  context.restore();
};

/** @type {(place: Place, width: number) => Place} */
const pixelOf = ([x, y], width) => [((x + 1) / 2) * width, ((1 - y) / 2) * width];

/** @type {(context: CanvasRenderingContext2D, width: number, state: State) => void} */
const paintPoints = (context, width, { inputs, labels, n }) => {
  const size = n > 200 ? 2.6 : 3.6;
  for (let i = 0; i < n; i++) {
    const [x, y] = pixelOf([inputs[2 * i], inputs[2 * i + 1]], width);
    context.beginPath();
    if (labels[i]) context.rect(x - size, y - size, 2 * size, 2 * size);
    else context.arc(x, y, 1.1 * size, 0, 7);
    context.fillStyle = CLASSES[labels[i]];
    context.strokeStyle = PAPER;
    context.lineWidth = 1;
    context.fill();
    context.stroke();
  }
};

/**
 * Stroke a path in ink on paper.
 * @type {(context: CanvasRenderingContext2D, draw: () => void) => void}
 */
const stroke = (context, draw) => {
  context.beginPath();
  draw();
  context.strokeStyle = PAPER;
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.stroke();
};

/** @type {(context: CanvasRenderingContext2D, place: Place) => void} */
const paintPin = (context, [x, y]) =>
  stroke(context, () => {
    context.moveTo(x, y - 9);
    context.lineTo(x + 9, y);
    context.lineTo(x, y + 9);
    context.lineTo(x - 9, y);
    context.closePath();
  });

/** @type {(context: CanvasRenderingContext2D, place: Place) => void} */
const paintCursor = (context, [x, y]) =>
  stroke(context, () => {
    for (const [dx, dy] of Object.values(ARROWS)) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 13 * dx, y + 13 * dy);
    }
  });

/**
 * Add the picture. Returns what draws it anew, `atOnce` even if it was drawn a moment ago.
 * @param {State} state
 * @param {(seen: Seen) => void} drawn what to do once it is
 */
export const addMap = (state, drawn) => {
  const { ui } = state;
  const [coarse, fine] = [new Grid(COARSE), new Grid(FINE)];
  /** @type {Seen | null} */
  let seen = null;
  let version = -1; // of the weights that were seen
  let last = 0; // when the picture was drawn
  const map = addCanvas(ui, {
    label:
      "Regions of the network in the square. Arrow keys move a cursor, with shift in larger " +
      "steps; Enter pins the point to compare with.",
    paint: (context, width) => {
      const passed = performance.now() - last;
      if (state.going && passed < (ui.calm ? CALM : BREATH)) {
        setTimeout(map.repaint, 8);
        return;
      }
      last = performance.now();
      const grid = state.going ? coarse : fine;
      if (!seen || version !== state.version || seen.side !== grid.side) seen = grid.see(state);
      version = state.version;
      paintRegions(context, width, seen);
      paintPoints(context, width, state);
      paintPin(context, pixelOf(state.pinned, width));
      paintCursor(context, pixelOf(state.cursor, width));
      drawn(seen);
    },
    keys: (event) => {
      const size = event.shiftKey ? 0.1 : 0.02;
      if (event.key in ARROWS) {
        const [dx, dy] = ARROWS[event.key];
        const [x, y] = state.cursor;
        state.cursor = [clamp(x + size * dx), clamp(y + size * dy)];
      } else if (event.key === "Enter" || event.key === " ") {
        state.pinned = state.cursor;
      } else {
        return;
      }
      event.preventDefault();
      map.repaint();
    },
  });
  /** @type {(event: MouseEvent) => Place} */
  const under = (event) => {
    const box = map.element.getBoundingClientRect();
    return [
      clamp((2 * (event.clientX - box.left)) / box.width - 1),
      clamp(1 - (2 * (event.clientY - box.top)) / box.height),
    ];
  };
  map.element.addEventListener("pointermove", (event) => {
    state.cursor = under(event);
    map.repaint();
  });
  map.element.addEventListener("click", (event) => {
    state.cursor = under(event);
    state.pinned = state.cursor;
    map.repaint();
  });
  return {
    repaint: map.repaint,
    atOnce() {
      last = 0;
      map.repaint();
    },
  };
};
