// RegionExplorer: a network is trained in a worker, and its regions are drawn as they move.
/** @import { Entry, Model } from "../common/frame.js" */
import { addButtons, addChoice, addSlider, addValueSlider } from "../common/controls.js";
import { h } from "../common/elements.js";
import { Frame } from "../common/frame.js";
import { grouped, percent } from "../common/words.js";
import { Bits } from "./bits.js";
import { CLASSES, paintScene } from "./drawing.js";
import { Editor } from "./editor.js";
import { addMap, sceneOf } from "./map.js";
import { State } from "./state.js";
import { SvgPen } from "./svg.js";
import { Trainer } from "./trainer.js";
import { callOf, factsOf, wordsOf } from "./words.js";

/** @type {{ [pace: string]: number }} */
const PACES = { slow: 60, fast: 500, fastest: Infinity }; // epochs a second
const NETWORK = [
  "data",
  "points",
  "width",
  "depth",
  "learning_rate",
  "label_noise",
  "sample_size",
  "seed",
];
// Width of a picture that is saved.
const SAVED = 600;

/** @type {{ [view: string]: Entry[] }} */
const LEGENDS = {
  regions: [
    { color: CLASSES[0], mark: "●", text: "class 0" },
    { color: CLASSES[1], mark: "■", text: "class 1" },
    { color: "var(--nh-ink)", mark: "line", text: "decision boundary" },
    { color: "var(--nh-muted)", mark: "hair", text: "a unit turns on or off" },
  ],
  graph: [
    { color: "var(--nh-ink)", mark: "●", text: "a region" },
    { color: "var(--nh-ink)", mark: "hair", text: "two regions that share a side" },
    { color: "var(--nh-ink)", mark: "line", text: "decision boundary" },
  ],
};
/** @type {Entry[]} */
const PLACES = [
  { color: "var(--nh-ink)", mark: "✛", text: "cursor" },
  { color: "var(--nh-ink)", mark: "◇", text: "pinned point" },
];

export default {
  /** @param {{ model: Model, el: HTMLElement }} given */
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "region-explorer",
      title: "Region explorer: train a network in the plane",
      version: 2,
    });
    if (!ui.usable) return ui.end;
    ui.root.classList.add("nh-regions");
    const state = new State(ui);
    const most = ui.get("_allowed").epochs.max;

    // -- pictures --------------------------------------------------------------------------------

    const map = addMap(
      state,
      () => editor,
      (seen) => {
        const { regions } = seen;
        const [here, there] = [state.cursor, state.pinned].map((place) => regions.locate(place));
        bits.show(regions.codes[here], regions.codes[there], factsOf(seen, here));
        ui.say(wordsOf(state, seen, here, there));
        ui.call(callOf(state));
        if (state.playing) ui.set("epochs", state.steps);
        trainer.drawn();
      },
    );
    const bits = new Bits();
    const head = h("p", { class: "nh-head" }, "At the cursor");
    const side = h("div", { class: "nh-side" }, head, bits.element);
    ui.stage.append(side);
    ui.follow(["view"], () => ui.legend([...LEGENDS[ui.get("view")], ...PLACES], side));
    ui.follow(["view", "cursor", "pinned"], map.repaint);
    const picture = () => {
      const [pen, seen] = [new SvgPen(SAVED), map.seen()];
      if (seen) paintScene(pen, SAVED, sceneOf(state, seen));
      return pen.text(ui.words.textContent ?? "");
    };

    // -- training --------------------------------------------------------------------------------

    const trainer = new Trainer(
      (trained) => {
        // Of a network that was lost, the last weights that are numbers are shown.
        if (trained.weights.every(Number.isFinite)) state.take(trained);
        state.going = Boolean(trained.going);
        if (trained.lost) {
          state.playing = false;
          ui.stop(
            `Training has left all bounds in epoch ${grouped(trained.steps)}: the loss is no ` +
              "longer finite, or beyond a million. The learning rate of " +
              `${ui.get("learning_rate")} is too large for this network.`,
            ["Start again at 0.01", () => ui.set("learning_rate", 0.01)],
          );
        }
        if (state.steps === most) state.playing = false;
        // A network that was lost has not been trained for as long as the setting says.
        if (!state.going && !trained.lost) settle();
        describePlay();
        map.repaint();
      },
      () => {
        state.playing = false;
        state.going = false;
        ui.stop(
          "The browser does not let this page compute in the background, so that the network is " +
            "not trained here. It is shown as it starts.",
        );
        describePlay();
        map.atOnce();
      },
    );
    ui.ended.signal.addEventListener("abort", () => trainer.end());

    const pace = () => PACES[ui.get("pace")];
    const settle = () => ui.set("epochs", state.steps);
    /** @param {number} until */
    const startAnew = (until) => {
      state.restart();
      state.going = state.playing || until > 0;
      ui.goOn();
      const { sizes, inputs, labels, n, playing } = state;
      const [seed, rate] = [ui.get("seed"), ui.get("learning_rate")];
      trainer.start({
        ...{ sizes, seed, inputs, labels, n, rate, until, most },
        ...{ playing: playing && !document.hidden, pace: pace() },
      });
      bits.layOut(state.hidden);
      map.atOnce();
    };
    // What is not the same network any more starts anew, and is trained for as long as before.
    const startAgain = () => startAnew(state.playing ? 0 : ui.get("epochs"));
    // Nobody sees a page in the background, and its pictures are not drawn.
    const sleepAndWake = () => {
      if (!state.playing) return;
      if (document.hidden) trainer.pause();
      else goOn();
    };
    document.addEventListener("visibilitychange", sleepAndWake, { signal: ui.ended.signal });

    // -- controls --------------------------------------------------------------------------------

    const goOn = () => {
      state.going = true;
      trainer.change({ playing: true, pace: pace() });
    };
    const play = () => {
      state.playing = !state.playing && state.steps < most;
      if (state.playing) goOn();
      else trainer.pause();
      describePlay();
    };
    const step = () => {
      state.playing = false;
      trainer.change({ playing: false, until: state.steps + 1 });
      describePlay();
    };
    const reset = () => {
      state.playing = false;
      startAnew(0);
      settle();
      describePlay();
    };
    const { buttons } = addButtons(ui, ["Play", play], ["Step", step], ["Reset", reset]);
    const [playButton] = buttons;
    const describePlay = () => {
      const text = state.playing ? "Pause" : "Play";
      if (playButton.textContent !== text) playButton.textContent = text;
    };
    addSlider(ui, "width", { label: "Units a layer", min: 1, max: 24 });
    addSlider(ui, "depth", { label: "Layers", min: 1, max: 3 });
    addChoice(ui, "data", {
      label: "Points",
      options: [
        ["moons", "two moons"],
        ["spirals", "two spirals"],
        ["own", "your own"],
      ],
    });
    const drawn = [
      addValueSlider(ui, "sample_size", { label: "How many", values: [20, 50, 100, 200, 500] }),
      addValueSlider(ui, "label_noise", {
        label: "Label noise",
        values: [0, 0.05, 0.1, 0.2, 0.4],
        show: (value) => percent(value, 0),
      }),
    ];
    ui.follow(["data"], () => {
      for (const control of drawn) control.hidden = ui.get("data") === "own";
    });
    addValueSlider(ui, "learning_rate", {
      label: "Learning rate",
      values: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10, 100],
    });
    addSlider(ui, "seed", { label: "Seed", min: 0, max: 99 });
    addChoice(ui, "pace", {
      label: "Epochs",
      options: [
        ["slow", "60 a second"],
        ["fast", "500 a second"],
        ["fastest", "as fast as it can"],
      ],
    });
    addChoice(ui, "view", {
      label: "Picture",
      options: [
        ["regions", "regions"],
        ["graph", "neighbours"],
      ],
    });
    const editor = new Editor(state, map.place, picture);

    ui.follow(NETWORK, startAgain);
    ui.follow(["epochs"], () => {
      if (!state.going && state.steps !== ui.get("epochs")) startAgain();
    });
    ui.follow(["pace"], () => {
      if (state.playing) trainer.change({ playing: true, pace: pace() });
    });
    return ui.end;
  },
};
