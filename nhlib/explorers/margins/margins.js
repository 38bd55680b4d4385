// MarginExplorer: a digit is moved along a line, and what flips on the way is found exactly.

import { bytesOf, capital, digitsOf, named, SIDE } from "../common/digits.js";
import { Frame, h, plural } from "../common/parts.js";
import { against, along, borderDistances, nearestOther, networkAt, unit } from "./line.js";
import { chartOf, codesView, movesView, PLACES, shortLength, three } from "./view.js";

const PROTOCOLS = ["A", "B"];
const EPOCHS = [0, 30];
const LONGEST = 3;
const SETTINGS = ["protocol", "epoch", "digit", "direction", "draw", "length"];
const WHERE = { attack: "against its class", random: "at random" };

const floatsOf = (view) => new Float64Array(bytesOf(view).slice().buffer);

const directionLines = (ui) => {
  switch (ui.get("direction")) {
    case "attack":
      return [
        "loss = torch.nn.functional.cross_entropy",
        "step = torch.func.grad(lambda inputs: loss(net(inputs), label))(x)",
      ];
    case "random":
      return [
        `step = torch.from_numpy(np.random.default_rng(${ui.get("draw")}).normal(size=x.shape))`,
      ];
    default:
      return [
        "others = test.inputs[test.labels != label].double()",
        "apart = (others - x).square().flatten(1).sum(dim=1)",
        "step = others[[apart.numpy().argmin()]] - x",
      ];
  }
};

const callOf = (ui) => {
  const [norm, recipe] =
    ui.get("protocol") === "A"
      ? ["", "nh.Recipe(epochs=30)"]
      : [", batch_norm=True", "nh.Recipe.code(epochs=30, patience=None)"];
  return [
    "import numpy as np",
    "import torch",
    "import nhlib as nh",
    "",
    'data = nh.load("digits")',
    "test = data.test",
    `net = nh.mlp(64, [50], 10${norm}, seed=0)`,
    ...(ui.get("epoch") ? [`nh.fit(net, data, ${recipe}, seed=0)`] : []),
    "net = net.double().eval()",
    `x, label = test.inputs[[${ui.get("digit")}]].double(), test.labels[[${ui.get("digit")}]]`,
    "",
    ...directionLines(ui),
    "step /= step.norm()",
    `moved = x + ${ui.get("length")} * step`,
    "flipped = nh.encode(net, x).bits() != nh.encode(net, moved).bits()",
    "print(nh.border_distances(net, x).min(), flipped.sum())",
    "print(net(x).argmax().item(), net(moved).argmax().item())",
    "",
    `line = nh.segment(net, x[0], (x + ${LONGEST} * step)[0])`,
    `print(${LONGEST} * line.breakpoints)  # where bits flip`,
    "ends = np.array([0, *line.breakpoints, 1])  # between them outputs are straight lines",
    "outputs = line.outputs(ends)",
    "lead = outputs[:, [outputs[0].argmax()]] - outputs  # of the answer over every class",
    "behind = (lead < 0).any(axis=1)",
    "if behind.any():",
    "    i = behind.argmax()",
    "    a, b = lead[i - 1, lead[i] < 0], lead[i, lead[i] < 0]",
    "    share = (a / (a - b)).min()",
    `    print(${LONGEST} * (ends[i - 1] + share * (ends[i] - ends[i - 1])))  # the answer changes`,
  ].join("\n");
};

export default {
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "margin-explorer",
      title: "Margin explorer",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    const digits = digitsOf(ui);
    const weights = floatsOf(ui.get("_weights"));
    const random = floatsOf(ui.get("_random"));
    const size = SIDE * SIDE;

    // -- what is shown -------------------------------------------------------------------------

    const lineOf = () => {
      const place =
        PROTOCOLS.indexOf(ui.get("protocol")) * EPOCHS.length + EPOCHS.indexOf(ui.get("epoch"));
      const network = networkAt(weights, ui.get("_sizes"), place);
      const [i, where, draw] = [ui.get("digit"), ui.get("direction"), ui.get("draw")];
      const inputOf = (j) =>
        Float64Array.from(digits.pixels.subarray(j * size, (j + 1) * size), (level) => level / 16);
      const x = inputOf(i);
      const other = where === "digit" ? nearestOther(digits.pixels, digits.labels, i, size) : null;
      const way = other === null ? null : inputOf(other).map((value, p) => value - x[p]);
      const direction = way
        ? unit(way)
        : where === "attack"
          ? against(network, x, digits.labels[i])
          : unit(random.subarray(draw * size, (draw + 1) * size));
      const line = along(network, x, direction, LONGEST);
      const places = { margin: Math.min(...borderDistances(network, x)) };
      if (line.flips.length) places.first = line.flips[0].at;
      if (line.answers.length > 1) places.change = line.answers[1].from;
      if (way) places.other = Math.hypot(...way);
      return { digits, i, x, other, direction, ...line, places, longest: LONGEST };
    };
    const moved = (line) => {
      const length = ui.get("length");
      const added = line.direction.map((value) => length * value);
      const sum = line.x.map((value, p) => value + added[p]);
      const [code, movedCode] = [line.bits(0), line.bits(length)];
      return {
        ...line,
        length,
        added,
        moved: sum,
        code,
        movedCode,
        outside: sum.filter((value) => value < 0 || value > 1).length,
        nFlipped: code.filter((bit, b) => bit !== movedCode[b]).length,
        was: line.answers[0].answer,
        answer: line.answers.findLast(({ from }) => from <= length).answer,
      };
    };

    // -- the stage -----------------------------------------------------------------------------

    ui.segments("direction", {
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
    let [line, known, state, area] = [null, null, null, null];
    const chart = ui.drawing({
      label: "Staircase: flipped bits against the length of the step, and the answer above it",
      paint: (width, colors) => {
        const drawn = chartOf(state, width, colors);
        area = drawn.area;
        return drawn;
      },
    });
    const pointed = (event) => {
      if (!area || (event.type === "pointermove" && !event.buttons)) return;
      const along =
        (event.clientX - chart.element.getBoundingClientRect().left - area.left) /
        (area.right - area.left);
      ui.set("length", Math.round(100 * LONGEST * Math.min(1, Math.max(0, along))) / 100);
    };
    chart.element.setAttribute("style", "touch-action: pan-y; cursor: crosshair");
    for (const type of ["pointerdown", "pointermove"])
      chart.element.addEventListener(type, pointed);

    ui.slider("length", { label: "Length", min: 0, max: LONGEST, step: 0.01, show: shortLength });
    ui.slider("digit", { label: "Digit", min: 0, max: digits.n - 1 });
    ui.choice("protocol", {
      label: "Protocol",
      options: [
        ["A", "A: plain"],
        ["B", "B: with batch norm"],
      ],
    });
    ui.choice("epoch", {
      label: "Network",
      options: [
        [0, "before training"],
        [30, "after 30 epochs"],
      ],
    });
    const draws = ui.slider("draw", {
      label: "Random seed",
      min: 0,
      max: random.length / size - 1,
    });
    // As near behind a place as three decimals come.
    const past = (at) => ui.set("length", Math.min(LONGEST, Math.floor(1000 * at + 1) / 1000));
    const [toFlip, toChange] = ui.buttons(
      ["To the first flip", () => past(state.places.first)],
      ["To the change of answer", () => past(state.places.change)],
    );

    const wordsOf = ({
      i,
      length,
      nFlipped,
      code,
      places,
      flips,
      was,
      answer,
      outside,
      x,
      other,
    }) => {
      const label = digits.labels[i];
      const epoch = ui.get("epoch");
      const { margin, first, change } = places;
      const where = other === null ? WHERE[ui.get("direction")] : `towards ${named(digits, other)}`;
      const later =
        change === undefined
          ? `Up to length ${LONGEST} the answer stays ${was}.`
          : `The answer first changes at ${three(change)}, ` +
            (first < change
              ? `after ${plural(flips.filter(({ at }) => at < change).length, "flip")}.`
              : "before any bit has flipped.");
      return (
        `Test ${named(digits, i)}, protocol ${ui.get("protocol")}, ` +
        `${epoch ? `after ${plural(epoch, "epoch")}` : "before training"}; the network takes it for ` +
        `${was}${was === label ? "" : ", which is wrong"}. Its margin is ${three(margin)}: no shorter ` +
        `step flips a bit, wherever it leads. Moved by ${shortLength(length)} ${where}, ` +
        `${nFlipped} of ${code.length} bits flip` +
        `${first === undefined ? "" : `, the first at ${three(first)}`}; the answer is ${answer}. ${later}` +
        (outside ? ` Pixels beyond 0 to 1: ${outside} of ${x.length}; they are not clipped.` : "")
      );
    };
    const legend = () => {
      const colors = ui.colors();
      ui.legend([
        { color: colors.series[1], mark: "■", text: "ink added" },
        { color: colors.series[0], mark: "□", text: "ink taken away" },
        { color: colors.series[0], mark: "■", text: "unit on" },
        { color: colors.series[1], mark: "▬", text: "bit flipped" },
        { color: colors.series[4], mark: "line", text: "flipped bits" },
        { color: colors.ink, mark: "●", text: "the step" },
        ...Object.keys(state.places).map((name) => {
          const { sign, series, text } = PLACES[name];
          return { color: colors.series[series], mark: sign, text };
        }),
      ]);
    };
    const draw = () => {
      const asked = SETTINGS.slice(0, -1)
        .map((name) => ui.get(name))
        .join();
      if (asked !== known) [line, known] = [lineOf(), asked];
      state = moved(line);
      const { places, nFlipped, code, answer, was } = state;
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
      pictures.show(state);
      codes.show(state);
      draws.hidden = ui.get("direction") !== "random";
      toFlip.disabled = places.first === undefined;
      toChange.disabled = places.change === undefined;
      legend();
      chart.repaint();
      ui.say(wordsOf(state));
      ui.call(callOf(ui));
    };
    ui.follow(SETTINGS, draw);
    ui.painters.push(legend);
    return ui.end;
  },
};
