// What a RegionExplorer shows in words, and the Python that repeats it.
/** @import { Seen } from "./seen.js" */
/** @import { State } from "./state.js" */
import { grouped, percent, plural, python } from "../common/words.js";

/** @type {(value: number) => string} */
const signed = (value) => {
  const text = value.toFixed(2).replace("-", "−");
  return /[1-9]/.test(text) ? text : text.replace("−", "");
};

/** An affine function of the place. @type {(row: [number, number, number]) => string} */
const affine = ([x, y, offset]) =>
  `${signed(x)} x + ${signed(y)} y + ${signed(offset)}`.replaceAll("+ −", "− ");

/**
 * How much of the square, whose area is 4, a region covers.
 * @type {(seen: Seen, region: number) => string}
 */
const shareOf = ({ regions }, region) => {
  const share = regions.area(region) / 4;
  return share < 1e-5 ? "less than 0.001 %" : percent(share, share < 0.01 ? 3 : 2);
};

/** @type {(seen: Seen, region: number) => string[]} */
const scoresOf = ({ regions }, region) => regions.affineMap(region).map(affine);

/**
 * Of a region: its size, and the two scores.
 * @type {(seen: Seen, region: number) => string[]}
 */
export const factsOf = (seen, region) => [
  `${shareOf(seen, region)} of the square`,
  ...scoresOf(seen, region).map((score, label) => `score of class ${label}: ${score}`),
];

/** @type {(seen: Seen) => string} */
const countOf = ({ regions, linear }) => {
  const n = regions.nRegions;
  if (n === 1) return "1 region, the whole square";
  if (n === linear) return `${grouped(n)} regions in the square, each a linear region of its own`;
  return (
    `${grouped(n)} regions in the square, which make ${plural(linear, "linear region")} where ` +
    "neighbours with one affine map count as one"
  );
};

/** @type {(state: State, seen: Seen, here: number, there: number) => string} */
export const wordsOf = ({ cursor, hidden, steps, n }, seen, here, there) => {
  const { codes } = seen.regions;
  const [x, y] = cursor.map(signed);
  const code = codes[here].join("");
  const layers = hidden.map((width, l) => code.slice(l * width, (l + 1) * width));
  const distance = codes[here].filter((bit, i) => bit !== codes[there][i]).length;
  const [one, other] = scoresOf(seen, here);
  return (
    `After ${plural(steps, "epoch")}: ${countOf(seen)}. The ${plural(n, "point")} ` +
    `${n === 1 ? "has" : "have"} ${plural(seen.codes, "distinct code")}: a redundancy ratio of ` +
    `${percent((n - seen.codes) / n)}. Loss ${seen.loss.toPrecision(3)}, training accuracy ` +
    `${percent(seen.accuracy)}. At (${x}, ${y}) the code is ${layers.join(" ")}, ` +
    `${plural(distance, "bit")} from the pinned point's; its region covers ${shareOf(seen, here)} of the square. ` +
    `There the score of class 0 is ${one}, and that of class 1 is ${other}.`
  );
};

/** The reader's own points as Python has them. @param {number[][]} points */
const ownOf = (points) => {
  const rows = points.map((row) => `(${row.join(", ")})`);
  const lines = [];
  for (let i = 0; i < rows.length; i += 4) lines.push(`    ${rows.slice(i, i + 4).join(", ")},`);
  return [
    `points = torch.tensor([\n${lines.join("\n")}\n], dtype=torch.float32)`,
    "split = nh.Split(points[:, :2], points[:, 2].long())",
    'data = nh.Dataset("own points", split, split, n_classes=2, box=(-1.0, 1.0))',
  ];
};

/** @type {(state: State) => string[]} */
const dataOf = ({ ui, n }) => {
  if (ui.get("data") === "own") return ownOf(ui.get("points"));
  const data = `nh.load(${python(ui.get("data"))}, train_size=${n})`;
  const noise = ui.get("label_noise");
  return [`data = ${noise ? `nh.with_label_noise(${data}, ${noise})` : data}`];
};

/**
 * Lines that train the network again, and then take the page's own weights: rounding grows in
 * training, and then a bit here or there would be another.
 * @type {(state: State) => string}
 */
export const callOf = (state) => {
  const { ui, network, hidden, steps, n, cursor } = state;
  const bytes = new Uint8Array(network.flat().buffer);
  const weights = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return [
    "from base64 import b64decode",
    "",
    "import torch",
    "",
    "import nhlib as nh",
    "",
    ...dataOf(state),
    `network = nh.mlp(2, ${python(hidden)}, 2, seed=${ui.get("seed")})`,
    `recipe = nh.Recipe(epochs=${steps}, batch_size=${n}, learning_rate=${ui.get("learning_rate")})`,
    "nh.fit(network, data, recipe, progress=False)",
    "",
    "# Rounding differs between machines, and grows in training. The weights of this page:",
    `weights = b64decode("${weights}")`,
    "weights = torch.frombuffer(bytearray(weights), dtype=torch.float32)",
    "torch.nn.utils.vector_to_parameters(weights, network.parameters())",
    "",
    "p = nh.partition(network)",
    "codes = nh.encode(network, data.train.inputs)",
    "print(p.n_regions, p.n_linear_regions, codes.n_distinct, nh.redundancy_ratio(codes))",
    `region = p.locate([[${cursor.join(", ")}]])[0]`,
    "print(p.codes[region].bits(), p.areas[region], p.affine_map(region))",
  ].join("\n");
};
