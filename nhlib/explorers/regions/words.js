// What a RegionExplorer shows in words, and the Python that repeats it.
/** @import { Seen } from "./grid.js" */
/** @import { State } from "./state.js" */
import { grouped, percent, plural, python } from "../common/words.js";

/** @type {(state: State, seen: Seen, here: boolean[], there: boolean[]) => string} */
export const wordsOf = ({ cursor, hidden, steps, n }, seen, here, there) => {
  const [x, y] = cursor.map((value) => value.toFixed(2).replace("-", "−"));
  const code = here.map(Number).join("");
  const layers = hidden.map((width, l) => code.slice(l * width, (l + 1) * width));
  const distance = here.filter((bit, i) => bit !== there[i]).length;
  return (
    `After ${plural(steps, "epoch")}: at least ${plural(seen.regions, "region")} in the ` +
    `square, seen on a grid of ${seen.side} × ${seen.side}. The ${grouped(n)} points have ` +
    `${plural(seen.codes, "distinct code")}: a redundancy ratio of ` +
    `${percent((n - seen.codes) / n)}. Loss ${seen.loss.toPrecision(3)}, training accuracy ` +
    `${percent(seen.accuracy)}. At (${x}, ${y}) the code is ${layers.join(" ")}, ` +
    `${plural(distance, "bit")} from the pinned point's.`
  );
};

/** @type {(state: State) => string} */
export const callOf = ({ ui, hidden, steps, n }) => {
  const data = `nh.load(${python(ui.get("data"))}, train_size=${n})`;
  const noise = ui.get("label_noise");
  const rate = ui.get("learning_rate");
  return [
    "import nhlib as nh",
    "",
    `data = ${noise ? `nh.with_label_noise(${data}, ${noise})` : data}`,
    `network = nh.mlp(2, ${python(hidden)}, 2, seed=${ui.get("seed")})`,
    `recipe = nh.Recipe(epochs=${steps}, batch_size=${n}, learning_rate=${rate})`,
    "nh.fit(network, data, recipe, progress=False)",
    "codes = nh.encode(network, data.train.inputs)",
    "print(nh.partition(network).n_regions, nh.redundancy_ratio(codes))",
  ].join("\n");
};
