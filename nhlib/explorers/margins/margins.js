// MarginExplorer: a digit is moved along a line, and what flips on the way is found exactly.
/** @import { Area } from "../common/charts.js" */
/** @import { Model } from "../common/frame.js" */
/** @import { Move, Way } from "./move.js" */
import { addButtons, addChoice, addSegments, addSlider } from "../common/controls.js";
import { digitsOf } from "../common/digits.js";
import { h } from "../common/elements.js";
import { Frame } from "../common/frame.js";
import { addDrawing } from "../common/pictures.js";
import { drawsOf, LONGEST, moveAlong, wayOf } from "./move.js";
import { chartOf, codesView, movesView, PLACES } from "./view.js";
import { callOf, shortLength, three, wordsOf } from "./words.js";

// Settings that say where a digit is moved; "length" says how far.
const WAY = ["protocol", "epoch", "digit", "direction", "draw"];

export default {
  /** @param {{ model: Model, el: HTMLElement }} given */
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "margin-explorer",
      title: "Margin explorer",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    const digits = digitsOf(ui);

    addSegments(ui, "direction", {
      label: "Direction",
      options: [
        ["attack", "Against its class"],
        ["random", "Random"],
        ["digit", "Another digit"],
      ],
      into: ui.stage,
    });
    const tiles = h("dl", { class: "nh-tiles" });
    const [pictures, codes] = [movesView(), codesView()];
    ui.stage.append(tiles, pictures.place, codes.place);
    /** @type {Way} */
    let way;
    /** @type {Move} */
    let move;
    let known = ""; // settings that the way is of
    /** @type {Area | null} */
    let area = null; // of the chart
    const chart = addDrawing(ui, {
      label: "Staircase: flipped bits against the length of the step, and the answer above it",
      paint: (width, colors) => {
        const drawn = chartOf(move, width, colors);
        area = drawn.area;
        return drawn;
      },
    });
    /** @param {PointerEvent} event */
    const pointed = (event) => {
      if (!area || (event.type === "pointermove" && !event.buttons)) return;
      const x = event.clientX - chart.element.getBoundingClientRect().left;
      const share = Math.min(1, Math.max(0, (x - area.left) / (area.right - area.left)));
      ui.set("length", Math.round(100 * LONGEST * share) / 100);
    };
    chart.element.setAttribute("style", "touch-action: pan-y; cursor: crosshair");
    chart.element.addEventListener("pointerdown", pointed);
    chart.element.addEventListener("pointermove", pointed);

    addSlider(ui, "length", {
      label: "Length",
      min: 0,
      max: LONGEST,
      step: 0.01,
      show: shortLength,
    });
    addSlider(ui, "digit", { label: "Digit", min: 0, max: digits.n - 1 });
    addChoice(ui, "protocol", {
      label: "Protocol",
      options: [
        ["A", "A: plain"],
        ["B", "B: with batch norm"],
      ],
    });
    addChoice(ui, "epoch", {
      label: "Network",
      options: [
        [0, "before training"],
        [30, "after 30 epochs"],
      ],
    });
    const draws = addSlider(ui, "draw", {
      label: "Random seed",
      min: 0,
      max: drawsOf(ui) - 1,
    });
    /**
     * As near behind a place as three decimals come.
     * @param {number} at
     */
    const past = (at) => ui.set("length", Math.min(LONGEST, Math.floor(1000 * at + 1) / 1000));
    const { buttons } = addButtons(
      ui,
      ["To the first flip", () => past(move.places.first ?? 0)],
      ["To the change of answer", () => past(move.places.change ?? 0)],
    );
    const [toFlip, toChange] = buttons;

    const legend = () => {
      const colors = ui.colors();
      ui.legend([
        { color: colors.series[1], mark: "■", text: "ink added" },
        { color: colors.series[0], mark: "□", text: "ink taken away" },
        { color: colors.series[0], mark: "■", text: "unit on" },
        { color: colors.series[1], mark: "▬", text: "bit flipped" },
        { color: colors.series[4], mark: "line", text: "flipped bits" },
        { color: colors.ink, mark: "●", text: "the step" },
        ...Object.keys(move.places).map((name) => {
          const { sign, series, text } = PLACES[name];
          return { color: colors.series[series], mark: sign, text };
        }),
      ]);
    };
    const draw = () => {
      const asked = WAY.map((name) => ui.get(name)).join();
      if (asked !== known) [way, known] = [wayOf(ui, digits), asked];
      move = moveAlong(way, ui.get("length"));
      const { places, nFlipped, code, answer, was } = move;
      const numbers = [
        ["Margin", three(places.margin)],
        ["Flipped bits", `${nFlipped} of ${code.length}`],
        ["Answer", answer === was ? `${answer} (as before)` : `${answer} (was ${was})`],
        [
          "Answer changes at",
          places.change === undefined ? `not up to ${LONGEST}` : three(places.change),
        ],
      ];
      tiles.replaceChildren(
        ...numbers.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      );
      pictures.show(move);
      codes.show(move);
      draws.hidden = ui.get("direction") !== "random";
      toFlip.disabled = places.first === undefined;
      toChange.disabled = places.change === undefined;
      legend();
      chart.repaint();
      ui.say(wordsOf(ui, move));
      ui.call(callOf(ui));
    };
    ui.follow([...WAY, "length"], draw);
    ui.painters.push(legend);
    return ui.end;
  },
};
