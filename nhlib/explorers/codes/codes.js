// CodeExplorer: three views of the digits' codes, and what is measured on them.

import { bytesOf, CLASSES, capital, digitsOf, MOST, SIDE } from "../common/digits.js";
import {
  accuracyOf,
  codesFrom,
  groupsOf,
  hammingDistances,
  nearestOthers,
  redundancyRatio,
  sharedCodes,
  squaredDistances,
  votesOf,
} from "../common/neighbours.js";
import { Frame, grouped, h, percent, plural } from "../common/parts.js";
import { matrixView } from "./bitmatrix.js";
import { collisionsView } from "./collisions.js";
import { neighboursView } from "./nearest.js";

const LAYERS = ["all", "relu1", "relu2", "relu3"];
const EPOCHS = [0, 1, 10, 30];

const measured = (ui, digits) => {
  const { layers, columns } = ui.get("_networks")[ui.get("network")];
  const which = LAYERS.indexOf(ui.get("layer"));
  const sizes = which > 0 ? [layers[which - 1]] : layers;
  const before = which > 0 ? layers.slice(0, which - 1).reduce((sum, size) => sum + size, 0) : 0;
  const table = bytesOf(ui.get("_bits"));
  const codes = codesFrom(
    table,
    table.length / digits.n,
    columns[ui.get("protocol")][ui.get("epoch")] + before,
    sizes.reduce((sum, size) => sum + size),
  );
  const apart = hammingDistances(codes);
  const groups = groupsOf(codes);
  return {
    codes,
    names: which > 0 ? [LAYERS[which]] : layers.map((_, l) => LAYERS[l + 1]),
    sizes,
    apart,
    nearest: nearestOthers(apart, digits.n, MOST),
    nDistinct: Math.max(...groups) + 1,
    shared: sharedCodes(groups),
  };
};

const callOf = (ui, { call }) => {
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
    ...call(),
  ].join("\n");
};

export default {
  render({ model, el }) {
    const ui = new Frame(model, el, { name: "code-explorer", title: "Code explorer", version: 1 });
    if (!ui.usable) return ui.end;
    const digits = digitsOf(ui);

    ui.segments("view", {
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
    let byPixels = null;
    const pixelsOf = () => {
      if (!byPixels) {
        const apart = squaredDistances(digits.pixels, SIDE * SIDE);
        byPixels = { apart, nearest: nearestOthers(apart, digits.n, MOST) };
      }
      if (byPixels.k !== ui.get("k")) {
        byPixels.k = ui.get("k");
        byPixels.votes = votesOf(byPixels.nearest, MOST, byPixels.k, digits.labels, CLASSES);
        byPixels.accuracy = accuracyOf(byPixels.votes, digits.labels);
      }
      return byPixels;
    };
    const early = setTimeout(pixelsOf, 500);
    ui.ended.signal.addEventListener("abort", () => clearTimeout(early));

    const views = {
      matrix: matrixView(ui, digits),
      collisions: collisionsView(ui, digits),
      neighbours: neighboursView(ui, digits, pixelsOf),
    };
    ui.stage.append(...Object.values(views).map(({ place }) => place));

    const networks = ui.get("_networks");
    const units = (name) =>
      networks[name].layers.length === 1
        ? plural(networks[name].layers[0], "unit")
        : `${networks[name].layers.join(" + ")} units`;
    ui.choice("network", {
      label: "Hidden units",
      options: Object.keys(networks).map((name) => [name, units(name)]),
    });
    ui.choice("protocol", {
      label: "Protocol",
      options: [
        ["A", "A: plain"],
        ["B", "B: with batch norm"],
      ],
    });
    ui.slider("epoch", { label: "Epoch", values: EPOCHS });
    const layers = ui.choice("layer", {
      label: "Code of",
      options: LAYERS.map((name) => [name, name === "all" ? "all layers" : `layer ${name}`]),
    });
    const ofDigit = [
      ui.slider("digit", { label: "Digit", min: 0, max: digits.n - 1 }),
      ui.slider("k", { label: "Neighbours k", min: 1, max: MOST }),
    ];
    const [nextWrong] = ui.buttons([
      "Next digit that codes get wrong",
      () => {
        const wrong = (i) => state.votes[i] !== digits.labels[i];
        const after = [...digits.labels.keys()].map((i) => (i + ui.get("digit") + 1) % digits.n);
        ui.set("digit", after.find(wrong) ?? ui.get("digit"));
      },
    ]);

    let [state, known] = [null, null];
    const draw = () => {
      if (ui.get("layer") !== "all" && networks[ui.get("network")].layers.length === 1) {
        ui.set("layer", "all"); // which draws again
        return;
      }
      const asked = ["network", "protocol", "epoch", "layer"].map((name) => ui.get(name)).join();
      if (asked !== known) [state, known] = [measured(ui, digits), asked];
      const k = ui.get("k");
      if (state.k !== k) {
        state.k = k;
        state.votes = votesOf(state.nearest, MOST, k, digits.labels, CLASSES);
        state.accuracy = accuracyOf(state.votes, digits.labels);
      }
      const shown = ui.get("view");
      const neighbours = shown === "neighbours";
      for (const [name, { place }] of Object.entries(views)) place.hidden = name !== shown;
      layers.hidden = networks[ui.get("network")].layers.length === 1;
      for (const control of [...ofDigit, nextWrong.parentNode]) control.hidden = !neighbours;
      nextWrong.disabled = state.accuracy === 1;
      views[shown].show(state);

      const ratio = redundancyRatio(digits.n, state.nDistinct).toFixed(3);
      const numbers = [
        ["Redundancy ratio", ratio],
        ["Distinct codes", `${grouped(state.nDistinct)} of ${grouped(digits.n)}`],
        [`${k}-NN on codes`, percent(state.accuracy)],
        ...(neighbours ? [[`${k}-NN on pixels`, percent(pixelsOf().accuracy)]] : []),
      ];
      tiles.replaceChildren(
        ...numbers.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      );
      const epoch = ui.get("epoch");
      const layer = ui.get("layer");
      ui.say(
        `${capital(units(ui.get("network")))}${layer === "all" ? "" : `, of them ${layer}`}, ` +
          `protocol ${ui.get("protocol")}, ` +
          `${epoch ? `after ${plural(epoch, "epoch")}` : "before training"}: ` +
          `${grouped(digits.n)} digits have ${plural(state.nDistinct, "distinct code")}, ` +
          `redundancy ratio ${ratio}. The vote of the ${k === 1 ? "nearest code" : `${k} nearest codes`} ` +
          `of other digits is right for ${percent(state.accuracy)}. ${views[shown].words()}`,
      );
      ui.call(callOf(ui, views[shown]));
      ui.legend(views[shown].legend(ui.colors()));
    };
    ui.follow(["view", "network", "protocol", "epoch", "layer", "digit", "k"], draw);
    ui.painters.push(() => ui.legend(views[ui.get("view")].legend(ui.colors())));
    return ui.end;
  },
};
