// What a MarginExplorer shows in words, and the Python that repeats it.
/** @import { Frame } from "../common/frame.js" */
/** @import { Move } from "./move.js" */
import { named } from "../common/digits.js";
import { plural } from "../common/words.js";
import { LONGEST } from "./move.js";

/** @type {{ [direction: string]: string }} */
const WHERE = { attack: "against its class", random: "at random" };

/**
 * Three digits that matter, however small the number.
 * @type {(value: number) => string}
 */
export const three = (value) => String(Number(value.toPrecision(3)));

/**
 * A place on the way: three digits, or as many more as tell on which side of the input it is.
 * @type {(at: number, length: number) => string}
 */
export const placed = (at, length) => {
  const digits = [3, 4, 5, 6].find((d) => Number(at.toPrecision(d)) <= length === at <= length);
  return String(Number(at.toPrecision(digits ?? 6)));
};

/** @type {(value: number) => string} */
export const shortLength = (value) => String(Number(value.toFixed(4)));

/** @type {(ui: Frame, move: Move) => string} */
export const wordsOf = (ui, move) => {
  const { digits, i, length, nFlipped, code, places, flips, was, answer, outside, x, other } = move;
  const { margin, first, change } = places;
  const label = digits.labels[i];
  const epoch = ui.get("epoch");
  const where = other === null ? WHERE[ui.get("direction")] : `towards ${named(digits, other)}`;
  const later =
    change === undefined
      ? `Up to length ${LONGEST} the answer stays ${was}.`
      : `The answer first changes at ${placed(change, length)}, ` +
        (first !== undefined && first < change
          ? `after ${plural(flips.filter(({ at }) => at < change).length, "flip")}.`
          : "before any bit has flipped.");
  return (
    `Test ${named(digits, i)}, protocol ${ui.get("protocol")}, ` +
    `${epoch ? `after ${plural(epoch, "epoch")}` : "before training"}; the network takes it for ` +
    `${was}${was === label ? "" : ", which is wrong"}. Its margin is ${three(margin)}: no shorter ` +
    `step flips a bit, wherever it leads. Moved by ${shortLength(length)} ${where}, ` +
    `${nFlipped} of ${code.length} bits flip` +
    `${first === undefined ? "" : `, the first at ${placed(first, length)}`}; the answer is ${answer}. ${later}` +
    (outside ? ` Pixels beyond 0 to 1: ${outside} of ${x.length}; they are not clipped.` : "")
  );
};

/** @type {(ui: Frame) => string[]} */
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

/** @type {(ui: Frame) => string} */
export const callOf = (ui) => {
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
