// The regions as a picture, with the points, a cursor and a pinned point.
/** @import { Scene } from "./drawing.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Place } from "./partition.js" */
/** @import { Seen } from "./seen.js" */
/** @import { State } from "./state.js" */
import { h } from "../common/elements.js";
import { addCanvas } from "../common/pictures.js";
import { paintCursor, paintPin, paintScene } from "./drawing.js";
import { see } from "./seen.js";

// Milliseconds from one picture of moving regions to the next: the rest is for training. For those
// who asked for less motion there are two pictures a second.
const BREATH = 40;
const CALM = 500;
// How far from the cursor a point may be that is meant: by the keyboard, as a share of the square,
// and in pixels for a mouse and for a finger.
const REACH = 0.1;
const NEAR = 12;
const FINGER = 24;

/** @type {{ [key: string]: Place }} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @type {(value: number) => number} */
const clamp = (value) => Math.min(1, Math.max(-1, value));

/** The points, one of them where it is carried. @param {State} state */
const shownOf = ({ inputs, carried }) => {
  if (!carried) return inputs;
  const moved = inputs.slice();
  moved.set(carried.place, 2 * carried.i);
  return moved;
};

/** All that is drawn apart from cursor and pin. @type {(state: State, seen: Seen) => Scene} */
export const sceneOf = (state, seen) => ({
  seen,
  hidden: state.hidden,
  view: state.ui.get("view"),
  inputs: shownOf(state),
  labels: state.labels,
});

/**
 * Add the picture. Returns what draws it anew, `atOnce` even if it was drawn a moment ago.
 * @param {State} state
 * @param {() => Editor} editor
 * @param {(seen: Seen) => void} drawn what to do once it is
 */
export const addMap = (state, editor, drawn) => {
  const { ui } = state;
  /** @type {Seen | null} */
  let seen = null;
  let version = -1; // of the weights that were seen
  let last = 0; // when the picture was drawn
  /** @param {Place} place */
  const point = (place) => {
    state.cursor = place;
    if (state.carried) state.carried.place = state.cursor;
    map.repaint();
  };
  const place = h("div", { class: "nh-plane" });
  ui.stage.append(place);
  const map = addCanvas(ui, {
    into: place,
    label:
      "Regions of the network in the square. Arrow keys move a cursor, with shift in larger " +
      "steps; Enter pins the point to compare with, or does what is chosen below: add, move or " +
      "delete a point. Control and Z undo the last change of points.",
    paint: (context, width) => {
      const passed = performance.now() - last;
      if (state.going && passed < (ui.calm ? CALM : BREATH)) {
        setTimeout(map.repaint, 8);
        return;
      }
      last = performance.now();
      if (!seen || version !== state.version) seen = see(state);
      version = state.version;
      paintScene(context, width, sceneOf(state, seen));
      paintPin(context, width, state.pinned);
      paintCursor(context, width, state.cursor);
      drawn(seen);
    },
    keys: (event) => {
      const size = event.shiftKey ? 0.1 : 0.02;
      if (event.key in ARROWS) {
        const [dx, dy] = ARROWS[event.key];
        const [x, y] = state.cursor;
        point([clamp(x + size * dx), clamp(y + size * dy)]);
      } else if (event.key === "Enter" || event.key === " ") {
        editor().act(state.cursor, REACH);
      } else if (event.key === "Escape" && state.carried) {
        editor().putBack();
      } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
        editor().undo();
      } else {
        return;
      }
      event.preventDefault();
      map.repaint();
    },
  });
  const canvas = map.element;
  /** @type {(at: { clientX: number, clientY: number }) => Place} */
  const under = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [
      clamp((2 * (clientX - box.left)) / box.width - 1),
      clamp(1 - (2 * (clientY - box.top)) / box.height),
    ];
  };
  /** @param {boolean} finger */
  const reach = (finger) => (2 * (finger ? FINGER : NEAR)) / canvas.clientWidth;
  const moves = () => ui.get("tool") === "move";
  canvas.addEventListener("pointermove", (event) => point(under(event)));
  canvas.addEventListener("pointerdown", (event) => {
    if (!moves() || !editor().take(under(event), reach(event.pointerType === "touch"))) return;
    canvas.setPointerCapture(event.pointerId);
    point(under(event));
  });
  // A finger scrolls the page, unless it has a point to move.
  canvas.addEventListener(
    "touchstart",
    (event) => {
      const [finger] = event.touches;
      if (moves() && state.nearest(under(finger), reach(true)) >= 0) event.preventDefault();
    },
    { passive: false },
  );
  canvas.addEventListener("pointerup", (event) => {
    if (!moves() || !state.carried) return;
    point(under(event));
    editor().putDown();
  });
  canvas.addEventListener("pointercancel", () => {
    editor().putBack();
    map.repaint();
  });
  canvas.addEventListener("click", (event) => {
    point(under(event));
    const finger = event instanceof PointerEvent && event.pointerType === "touch";
    if (!moves()) editor().act(state.cursor, reach(finger));
    map.repaint();
  });
  return {
    place,
    repaint: map.repaint,
    atOnce() {
      last = 0;
      map.repaint();
    },
    /** What is seen in the picture that was drawn last. */
    seen: () => seen,
  };
};
