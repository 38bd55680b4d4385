// CodeExplorer: three views of the digits' codes, and what is measured on them.
/** @import { Colors, Entry, Model } from "../common/frame.js" */
/** @import { Measured, Neighbours } from "./measured.js" */
import {
  addButtons,
  addChoice,
  addSegments,
  addSlider,
  addValueSlider,
} from "../common/controls.js";
import { digitsOf, MOST, SIDE } from "../common/digits.js";
import { h } from "../common/elements.js";
import { Frame } from "../common/frame.js";
import { redundancyRatio, squaredDistances } from "../common/neighbours.js";
import { capital, grouped, percent, plural } from "../common/words.js";
import { matrixView } from "./bitmatrix.js";
import { collisionsView } from "./collisions.js";
import { LAYERS, measure, neighboursOf, vote } from "./measured.js";
import { neighboursView } from "./nearest.js";

const EPOCHS = [0, 1, 10, 30];

/**
 * What a view adds to the stage, to the legend, to the summary and to the call.
 * @typedef {{
 *   place: HTMLElement,
 *   show(measured: Measured): void,
 *   legend(colors: Colors): Entry[],
 *   words(): string,
 *   call(): string[],
 * }} View
 */

/** @type {(ui: Frame, view: View) => string} */
const callOf = (ui, view) => {
  const [widths, protocol, epoch, layer] = ["network", "protocol", "epoch", "layer"].map((name) =>
    ui.get(name),
  );
  const [norm, recipe] =
    protocol === "A"
      ? ["", `nh.Recipe(epochs=${epoch})`]
      : [", batch_norm=True", `nh.Recipe.code(epochs=${epoch}, patience=None)`];
  return [
    "import numpy as np",
    "import nhlib as nh",
    "",
    'data = nh.load("digits")',
    "labels = data.train.labels.numpy()",
    `net = nh.mlp(64, [${widths.replaceAll("-", ", ")}], 10${norm}, seed=0)`,
    ...(epoch ? [`nh.fit(net, data, ${recipe}, seed=0)`] : []),
    `codes = nh.encode(net, data.train${layer === "all" ? "" : `, layers="${layer}"`})`,
    "print(codes.n_distinct, nh.redundancy_ratio(codes))",
    "",
    "def accuracy(near):  # of the votes of neighbours; of equally many the smallest class wins",
    "    votes = [(labels[near] == c).sum(axis=1) for c in range(10)]",
    "    return (np.argmax(votes, axis=0) == labels).mean()",
    "",
    `k = ${ui.get("k")}`,
    "_, near = nh.nearest_codes(codes, codes, k + 1)",
    "itself = near == np.arange(len(codes))[:, None]  # is left out",
    "itself[~itself.any(axis=1), -1] = True  # more than k before it share its code",
    "near = near[~itself].reshape(-1, k)",
    "print(accuracy(near))",
    "",
    ...view.call(),
  ].join("\n");
};

/** @type {(ui: Frame, units: string, measured: Measured, view: View) => string} */
const wordsOf = (ui, units, { codes, nDistinct, k, accuracy }, view) => {
  const [protocol, epoch, layer] = ["protocol", "epoch", "layer"].map((name) => ui.get(name));
  return (
    `${capital(units)}${layer === "all" ? "" : `, of them ${layer}`}, protocol ${protocol}, ` +
    `${epoch ? `after ${plural(epoch, "epoch")}` : "before training"}: ` +
    `${grouped(codes.n)} digits have ${plural(nDistinct, "distinct code")}, redundancy ratio ` +
    `${redundancyRatio(codes.n, nDistinct).toFixed(3)}. The vote of the ` +
    `${k === 1 ? "nearest code" : `${k} nearest codes`} of other digits is right for ` +
    `${percent(accuracy)}. ${view.words()}`
  );
};

export default {
  /** @param {{ model: Model, el: HTMLElement }} given */
  render({ model, el }) {
    const ui = new Frame(model, el, { name: "code-explorer", title: "Code explorer", version: 1 });
    if (!ui.usable) return ui.end;
    const digits = digitsOf(ui);

    addSegments(ui, "view", {
      label: "View",
      options: [
        ["matrix", "Bit matrix"],
        ["collisions", "Shared codes"],
        ["neighbours", "Neighbours"],
      ],
      into: ui.stage,
    });
    const tiles = h("dl", { class: "nh-tiles" });
    ui.stage.append(tiles);

    // By pixels nothing depends on the network; it takes a moment, so not before it is needed.
    /** @type {Neighbours | undefined} */
    let byPixels;
    const pixelsOf = () => {
      byPixels ??= neighboursOf(squaredDistances(digits.pixels, SIDE * SIDE), digits.n);
      vote(byPixels, ui.get("k"), digits.labels);
      return byPixels;
    };
    const early = setTimeout(pixelsOf, 500);
    ui.ended.signal.addEventListener("abort", () => clearTimeout(early));

    /** @type {{ [name: string]: View }} */
    const views = {
      matrix: matrixView(ui, digits),
      collisions: collisionsView(ui, digits),
      neighbours: neighboursView(ui, digits, pixelsOf),
    };
    ui.stage.append(...Object.values(views).map(({ place }) => place));

    const networks = ui.get("_networks");
    /** @param {string} name */
    const units = (name) =>
      networks[name].layers.length === 1
        ? plural(networks[name].layers[0], "unit")
        : `${networks[name].layers.join(" + ")} units`;
    addChoice(ui, "network", {
      label: "Hidden units",
      options: Object.keys(networks).map((name) => [name, units(name)]),
    });
    addChoice(ui, "protocol", {
      label: "Protocol",
      options: [
        ["A", "A: plain"],
        ["B", "B: with batch norm"],
      ],
    });
    addValueSlider(ui, "epoch", { label: "Epoch", values: EPOCHS });
    const layers = addChoice(ui, "layer", {
      label: "Code of",
      options: LAYERS.map((name) => [name, name === "all" ? "all layers" : `layer ${name}`]),
    });
    const controls = [
      addSlider(ui, "digit", { label: "Digit", min: 0, max: digits.n - 1 }),
      addSlider(ui, "k", { label: "Neighbours k", min: 1, max: MOST }),
    ];
    const { row, buttons } = addButtons(ui, [
      "Next digit that codes get wrong",
      () => {
        /** @param {number} i */
        const wrong = (i) => measured.votes[i] !== digits.labels[i];
        const after = [...digits.labels.keys()].map((i) => (i + ui.get("digit") + 1) % digits.n);
        ui.set("digit", after.find(wrong) ?? ui.get("digit"));
      },
    ]);
    const ofDigit = [...controls, row];

    /** @type {Measured} */
    let measured;
    let known = "";
    const draw = () => {
      const network = ui.get("network");
      const single = networks[network].layers.length === 1;
      if (single && ui.get("layer") !== "all") {
        ui.set("layer", "all"); // which draws again
        return;
      }
      const asked = ["network", "protocol", "epoch", "layer"].map((name) => ui.get(name)).join();
      if (asked !== known) [measured, known] = [measure(ui, digits), asked];
      const k = ui.get("k");
      vote(measured, k, digits.labels);
      const shown = ui.get("view");
      const neighbours = shown === "neighbours";
      for (const [name, { place }] of Object.entries(views)) place.hidden = name !== shown;
      layers.element.hidden = single;
      for (const control of ofDigit) control.hidden = !neighbours;
      buttons[0].disabled = measured.accuracy === 1;
      views[shown].show(measured);

      const numbers = [
        ["Redundancy ratio", redundancyRatio(digits.n, measured.nDistinct).toFixed(3)],
        ["Distinct codes", `${grouped(measured.nDistinct)} of ${grouped(digits.n)}`],
        [`${k}-NN on codes`, percent(measured.accuracy)],
        ...(neighbours ? [[`${k}-NN on pixels`, percent(pixelsOf().accuracy)]] : []),
      ];
      tiles.replaceChildren(
        ...numbers.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      );
      ui.say(wordsOf(ui, units(network), measured, views[shown]));
      ui.call(callOf(ui, views[shown]));
      ui.legend(views[shown].legend(ui.colors()));
    };
    ui.follow(["view", "network", "protocol", "epoch", "layer", "digit", "k"], draw);
    ui.painters.push(() => ui.legend(views[ui.get("view")].legend(ui.colors())));
    return ui.end;
  },
};
