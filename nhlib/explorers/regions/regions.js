// RegionExplorer: a network is trained in a worker, and its regions are drawn as they move.

import { Frame, grouped, h, percent, plural, python } from "../common/parts.js";
import { borders, contour } from "./contours.js";
import { makeEngine } from "./engine.js";
import { numbered } from "./numbering.js";
import { Trainer } from "./training.js";

const { Network } = makeEngine();

// Nodes of the grid on which regions are seen: while they move, and at rest.
const COARSE = 128;
const FINE = 256;
// Milliseconds from one picture of moving regions to the next: the rest is for training. For those
// who asked for less motion there are two pictures a second.
const BREATH = 45;
const PACES = { slow: 60, fast: 500, fastest: Infinity };
const MARKS = ["●", "■", "▲"];
// Borders on coloured ground keep their colour on a dark page, as the ground does.
const BORDER = "#303a48";
const INK = "#1f2733";
const PAPER = "#fefefe";
const CLASSES = ["#0072b2", "#d55e00"];

export default {
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "region-explorer",
      title: "Region explorer: train a network in the plane",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    ui.root.classList.add("nh-regions");

    const floats = (view) =>
      new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    const points = Object.fromEntries(
      Object.entries(ui.get("_points")).map(([name, view]) => [name, floats(view)]),
    );
    const onGrid = { [COARSE]: new Network([2, 1, 2]), [FINE]: new Network([2, 1, 2]) };

    let network; // of the weights last heard
    let single; // the same, asked about single points
    let inputs, labels, n;
    let playing = false;
    let going = false;
    let seen = null; // what was counted and drawn of these weights, on the grid and on the data
    let cursor = [0.35, 0.1];
    let pinned = [-0.35, -0.1];

    // -- training ------------------------------------------------------------------------------

    const trainer = new Trainer((message) => {
      network.load(message.weights);
      single.load(message.weights);
      network.steps = message.steps;
      seen = null;
      going = Boolean(message.going);
      if (message.lost) {
        playing = false;
        ui.stop(
          `Training has left all bounds in epoch ${grouped(message.steps)}: the loss is no longer ` +
            `finite, or beyond a million. The learning rate of ${ui.get("learning_rate")} is too ` +
            "large for this network.",
          ["Start again at 0.01", () => ui.set("learning_rate", 0.01)],
        );
      }
      // A network that was lost has not been trained for as long as the setting says.
      if (!going && !message.lost) settle();
      describeButtons();
      map.repaint();
    });
    ui.ended.signal.addEventListener("abort", () => trainer.end());

    const sizes = () => [2, ...Array(ui.get("depth")).fill(ui.get("width")), 2];

    const anew = (until) => {
      const name = ui.get("data");
      n = ui.get("sample_size");
      inputs = points[name].slice(0, 2 * n);
      const view = ui.get("_labels")[name][`${n} ${ui.get("label_noise")}`];
      labels = new Uint8Array(view.buffer, view.byteOffset, n);
      network = Network.glorot(sizes(), ui.get("seed"));
      single = new Network(sizes()).load(network.flat());
      for (const side of [COARSE, FINE]) onGrid[side] = new Network(sizes());
      going = playing || until > 0;
      ui.goOn();
      seen = null;
      lastPaint = 0; // at once
      trainer.start({
        sizes: sizes(),
        seed: ui.get("seed"),
        inputs,
        labels,
        n,
        rate: ui.get("learning_rate"),
        until,
        playing,
        pace: PACES[ui.get("pace")],
      });
      makeBits();
      map.repaint();
    };

    const settle = () => ui.set("epochs", network.steps);

    const play = () => {
      if (playing) {
        playing = false;
        trainer.pause();
      } else {
        playing = going = true;
        trainer.change({ playing: true, pace: PACES[ui.get("pace")] });
      }
      describeButtons();
    };
    const step = () => {
      playing = false;
      trainer.change({ playing: false, until: network.steps + 1 });
      describeButtons();
    };
    const reset = () => {
      playing = false;
      anew(0);
      settle();
      describeButtons();
    };

    // -- what is seen on the grid and on the data ------------------------------------------------

    const measure = (side) => {
      const there = onGrid[side].load(network.flat());
      const onNodes = there.forwardOnGrid(side);
      const words = Math.ceil(there.nUnits / 32);
      const { numbers, distinct } = numbered(onNodes, words);
      network.forward(inputs, n);
      const decided = network.decisions();
      let right = 0;
      for (let i = 0; i < n; i++) right += decided[i] === labels[i];
      const codes = numbered(network.codes(), words).distinct;
      const paths = there.sizes.slice(1, -1).map(() => new Path2D());
      borders(paths, there, onNodes, side);
      const scores = there.values[there.depth];
      const lead = new Float32Array(side * side);
      for (let i = 0; i < lead.length; i++) lead[i] = scores[2 * i + 1] - scores[2 * i];
      const boundary = new Path2D();
      contour(boundary, lead, side);
      seen = { side, regions: distinct, codes, accuracy: right / n, loss: loss(), paths, boundary };
      sheets[side].getContext("2d").putImageData(groundOf(there, numbers, distinct, side), 0, 0);
    };

    const loss = () => {
      const outputs = network.values[network.depth];
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const [a, b] = [outputs[2 * i], outputs[2 * i + 1]];
        const most = Math.max(a, b);
        sum +=
          most + Math.log(Math.exp(a - most) + Math.exp(b - most)) - outputs[2 * i + labels[i]];
      }
      return sum / n;
    };

    // A colour for each code: every unit pulls its hue some way, so that codes which differ in few
    // bits look alike; parity makes it light or dark, so that neighbours never look the same.
    const groundOf = (there, numbers, regions, side) => {
      const ground = new Uint32Array(regions);
      const done = new Uint8Array(regions);
      for (let i = 0; i < numbers.length; i++) {
        const code = numbers[i];
        if (done[code]) continue;
        done[code] = 1;
        let [a, b, on, unit] = [0, 0, 0, 0];
        for (let l = 1; l < there.depth; l++) {
          const width = there.sizes[l];
          for (let u = 0; u < width; u++, unit++) {
            const sign = there.values[l][i * width + u] > 0 ? 1 : -1;
            if (sign > 0) on++;
            const angle = unit * 2.399963; // the golden angle
            const pull = sign / (l * Math.sqrt(width));
            a += pull * Math.cos(angle);
            b += pull * Math.sin(angle);
          }
        }
        const size = Math.max(1, Math.hypot(a, b));
        ground[code] = oklab(0.88 - 0.075 * (on % 2), (0.085 * a) / size, (0.085 * b) / size);
      }
      const image = new ImageData(side, side);
      const pixels = new Uint32Array(image.data.buffer);
      for (let i = 0; i < pixels.length; i++) pixels[i] = ground[numbers[i]];
      return image;
    };

    // -- the picture -----------------------------------------------------------------------------

    const sheets = { [COARSE]: sheet(COARSE), [FINE]: sheet(FINE) };
    let lastPaint = 0;

    const paint = (context, width) => {
      const moving = going;
      const passed = performance.now() - lastPaint;
      if (moving && passed < (ui.calm ? 500 : BREATH)) {
        setTimeout(map.repaint, 8);
        return;
      }
      lastPaint = performance.now();
      const side = moving ? COARSE : FINE;
      if (seen?.side !== side) measure(side);
      context.save();
      context.beginPath();
      context.roundRect(0, 0, width, width, 5);
      context.clip();
      const step = width / (side - 1); // nodes of the grid are the middles of its pixels
      context.imageSmoothingEnabled = false;
      context.drawImage(sheets[side], -step / 2, -step / 2, width + step, width + step);
      context.scale(width, width);
      context.strokeStyle = BORDER;
      seen.paths.forEach((path, l) => {
        context.lineWidth = (1.7 * 0.62 ** l) / width;
        context.stroke(path);
      });
      context.lineCap = "round";
      for (const [color, size] of [
        [PAPER, 6],
        [INK, 3],
      ]) {
        context.strokeStyle = color;
        context.lineWidth = size / width;
        context.stroke(seen.boundary);
      }
      context.restore();
      const place = ([x, y]) => [((x + 1) / 2) * width, ((1 - y) / 2) * width];
      const size = n > 200 ? 2.6 : 3.6;
      for (let i = 0; i < n; i++) {
        const [x, y] = place([inputs[2 * i], inputs[2 * i + 1]]);
        context.beginPath();
        if (labels[i]) context.rect(x - size, y - size, 2 * size, 2 * size);
        else context.arc(x, y, 1.1 * size, 0, 7);
        context.fillStyle = CLASSES[labels[i]];
        context.strokeStyle = PAPER;
        context.lineWidth = 1;
        context.fill();
        context.stroke();
      }
      mark(context, place(pinned), "pin");
      mark(context, place(cursor), "cursor");
      read();
      describe();
      trainer.drawn();
    };

    const mark = (context, [x, y], kind) => {
      for (const [color, size] of [
        [PAPER, 5],
        [INK, 2],
      ]) {
        context.strokeStyle = color;
        context.lineWidth = size;
        context.beginPath();
        if (kind === "pin") {
          context.moveTo(x, y - 9);
          context.lineTo(x + 9, y);
          context.lineTo(x, y + 9);
          context.lineTo(x - 9, y);
          context.closePath();
        } else {
          for (const [dx, dy] of [
            [1, 0],
            [-1, 0],
            [0, 1],
            [0, -1],
          ]) {
            context.moveTo(x + 4 * dx, y + 4 * dy);
            context.lineTo(x + 13 * dx, y + 13 * dy);
          }
        }
        context.stroke();
      }
    };

    const map = ui.canvas({
      label:
        "Regions of the network in the square. Arrow keys move a cursor, with shift in larger " +
        "steps; Enter pins the point to compare with.",
      ratio: 1,
      paint,
      keys: (event) => {
        const size = event.shiftKey ? 0.1 : 0.02;
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
        if (event.key in way) {
          const [dx, dy] = way[event.key];
          cursor = [cursor[0] + size * dx, cursor[1] + size * dy].map((v) => clamp(v));
        } else if (event.key === "Enter" || event.key === " ") {
          pinned = cursor;
        } else {
          return;
        }
        event.preventDefault();
        map.repaint();
      },
    });
    const at = (event) => {
      const box = map.element.getBoundingClientRect();
      return [
        clamp((2 * (event.clientX - box.left)) / box.width - 1),
        clamp(1 - (2 * (event.clientY - box.top)) / box.height),
      ];
    };
    map.element.addEventListener("pointermove", (event) => {
      cursor = at(event);
      map.repaint();
    });
    map.element.addEventListener("click", (event) => {
      cursor = pinned = at(event);
      map.repaint();
    });

    // -- the code under the cursor ---------------------------------------------------------------

    const bits = h("div", { class: "nh-code", "aria-hidden": "true" });
    const side = h(
      "div",
      { class: "nh-side" },
      h("p", { class: "nh-head" }, "Code under the cursor"),
      bits,
    );
    ui.stage.append(side);
    let cells = [];
    let distance = 0;
    let word = "";

    const makeBits = () => {
      cells = [];
      bits.replaceChildren(
        ...sizes()
          .slice(1, -1)
          .map((width, l) => {
            const row = Array.from({ length: width }, () => h("span", { class: "nh-bit" }));
            cells.push(...row);
            return h("div", {}, h("span", { class: "nh-layer" }, `layer ${l + 1}`), ...row);
          }),
      );
    };

    const codeAt = (point) => {
      single.forward(Float32Array.from(point), 1);
      return single.sizes
        .slice(1, -1)
        .flatMap((_, l) => Array.from(single.values[l + 1], (value) => value > 0));
    };

    const read = () => {
      const [here, there] = [codeAt(cursor), codeAt(pinned)];
      distance = here.filter((bit, i) => bit !== there[i]).length;
      word = here.map(Number).join("");
      here.forEach((bit, i) => {
        const digit = bit ? "1" : "0";
        if (cells[i].textContent !== digit) cells[i].textContent = digit;
        cells[i].classList.toggle("nh-on", bit);
        cells[i].classList.toggle("nh-differs", bit !== there[i]);
      });
    };

    // -- words -----------------------------------------------------------------------------------

    const describe = () => {
      const [x, y] = cursor.map((value) => value.toFixed(2).replace("-", "−"));
      const layers = sizes()
        .slice(1, -1)
        .map((width, l) => word.slice(l * width, (l + 1) * width));
      ui.say(
        `After ${plural(network.steps, "epoch")}: at least ${plural(seen.regions, "region")} in the ` +
          `square, seen on a grid of ${seen.side} × ${seen.side}. The ${grouped(n)} points have ` +
          `${plural(seen.codes, "distinct code")}: a redundancy ratio of ` +
          `${percent((n - seen.codes) / n)}. Loss ${seen.loss.toPrecision(3)}, training accuracy ` +
          `${percent(seen.accuracy)}. At (${x}, ${y}) the code is ${layers.join(" ")}, ` +
          `${plural(distance, "bit")} from the pinned point's.`,
      );
      const data = `nh.load(${python(ui.get("data"))}, train_size=${n})`;
      const noise = ui.get("label_noise");
      ui.call(
        [
          "import nhlib as nh",
          "",
          `data = ${noise ? `nh.with_label_noise(${data}, ${noise})` : data}`,
          `network = nh.mlp(2, ${python(sizes().slice(1, -1))}, 2, seed=${ui.get("seed")})`,
          `recipe = nh.Recipe(epochs=${network.steps}, batch_size=${n}, learning_rate=${ui.get("learning_rate")})`,
          "nh.fit(network, data, recipe, progress=False)",
          "codes = nh.encode(network, data.train.inputs)",
          "print(nh.partition(network).n_regions, nh.redundancy_ratio(codes))",
        ].join("\n"),
      );
    };

    // -- controls --------------------------------------------------------------------------------

    const [playButton, , , countButton] = ui.buttons(
      ["Play", play],
      ["Step", step],
      ["Reset", reset],
      ["Count exactly with PyTorch", () => count()],
    );
    const describeButtons = () => {
      const text = playing ? "Pause" : "Play";
      if (playButton.textContent !== text) playButton.textContent = text;
    };
    ui.slider("width", { label: "Units a layer", min: 1, max: 24 });
    ui.slider("depth", { label: "Layers", min: 1, max: 3 });
    ui.choice("data", {
      label: "Points",
      options: [
        ["moons", "two moons"],
        ["spirals", "two spirals"],
      ],
    });
    ui.slider("sample_size", { label: "How many", values: [20, 50, 100, 200, 500] });
    ui.slider("label_noise", {
      label: "Label noise",
      values: [0, 0.05, 0.1, 0.2, 0.4],
      show: (v) => percent(v, 0),
    });
    ui.slider("learning_rate", {
      label: "Learning rate",
      values: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10, 100],
    });
    ui.slider("seed", { label: "Seed", min: 0, max: 99 });
    ui.choice("pace", {
      label: "Pace",
      options: [
        ["slow", "60 epochs a second"],
        ["fast", "500 epochs a second"],
        ["fastest", "as fast as it can"],
      ],
    });
    ui.legend(
      [
        { color: CLASSES[0], mark: MARKS[0], text: "class 0" },
        { color: CLASSES[1], mark: MARKS[1], text: "class 1" },
        { color: "var(--nh-ink)", mark: "line", text: "decision boundary" },
        { color: "var(--nh-muted)", mark: "hair", text: "a unit turns on or off" },
        { color: "var(--nh-ink)", mark: "✛", text: "cursor" },
        { color: "var(--nh-ink)", mark: "◇", text: "pinned point" },
      ],
      side,
    );

    countButton.hidden = ui.inPage;
    const count = () => {
      countButton.disabled = true;
      ui.ask({ kind: "count" }, (text) => {
        countButton.disabled = false;
        counted.textContent = `${text} All else works without it.`;
      });
    };
    const counted = h("p", { class: "nh-counted", role: "status" });
    side.append(counted);
    ui.hear((message) => {
      ui.answered();
      countButton.disabled = message.kind === "counting";
      counted.textContent =
        message.kind === "counting"
          ? "PyTorch trains the same network …"
          : message.kind === "counted"
            ? `PyTorch, exactly: ${plural(message.regions, "region")}, redundancy ratio ${percent(message.redundancy)}.`
            : `PyTorch could not: ${message.message}`;
    });

    // What is not the same network any more starts anew, and is trained for as long as before.
    const start = () => {
      counted.textContent = "";
      anew(playing ? 0 : ui.get("epochs"));
    };
    ui.follow(
      ["data", "width", "depth", "learning_rate", "label_noise", "sample_size", "seed"],
      start,
    );
    ui.follow(["epochs"], () => {
      if (!going && network.steps !== ui.get("epochs")) start();
    });
    ui.follow(["pace"], () => {
      if (playing) trainer.change({ playing, pace: PACES[ui.get("pace")] });
    });
    return ui.end;
  },
};

const clamp = (value) => Math.min(1, Math.max(-1, value));

const sheet = (side) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  return canvas;
};

// A colour of Oklab (Ottosson 2020), in which equal steps look equal, as a pixel.
const oklab = (lightness, a, b) => {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const byte = (linear) => {
    const clipped = Math.min(1, Math.max(0, linear));
    return Math.round(
      255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055),
    );
  };
  const red = byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return (255 << 24) | (blue << 16) | (green << 8) | red;
};
