// One digit's nearest neighbours, by code and by pixels.
/** @import { Digits } from "../common/digits.js" */
/** @import { Frame } from "../common/frame.js" */
/** @import { View } from "./codes.js" */
/** @import { Measured, Neighbours } from "./measured.js" */
import {
  barcode,
  digitButton,
  emptyPicture,
  MOST,
  named,
  paintDigit,
  rove,
} from "../common/digits.js";
import { h } from "../common/elements.js";
import { capital, percent } from "../common/words.js";

/** @type {(ui: Frame, digits: Digits, pixelsOf: () => Neighbours) => View} */
export const neighboursView = (ui, digits, pixelsOf) => {
  const picture = emptyPicture();
  const about = h("p", {});
  const code = h("div", { class: "nh-code" });
  const body = h("tbody");
  const table = h(
    "table",
    { class: "nh-neighbours" },
    h("caption", { class: "nh-unseen" }, "Nearest digits, by code and by pixels"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "nearest by code"),
        h("th", { scope: "col", colspan: 2 }, "bits that differ"),
        h("th", { scope: "col" }, "nearest by pixels"),
        h("th", { scope: "col" }, "distance"),
      ),
    ),
    body,
  );
  const place = h(
    "div",
    { class: "nh-view" },
    h("div", { class: "nh-lens nh-chosen" }, picture, h("div", {}, about, code)),
    table,
  );
  const settle = rove(body, 2);
  const cell = () => {
    const picture = digitButton(ui, digits);
    const verdict = h("span");
    return {
      td: h("td", {}, h("span", { class: "nh-pair" }, picture.button, verdict)),
      /** @type {(i: number, right: boolean) => void} */
      show(i, right) {
        picture.show(i, !right, right ? ", same class" : ", another class");
        verdict.textContent = `${right ? "✓" : "✗"} ${digits.labels[i]}`;
        verdict.className = right ? "nh-right" : "nh-wrong";
      },
    };
  };
  const lines = Array.from({ length: MOST }, () => {
    const [near, nearPixels] = [cell(), cell()];
    const [bits, bars, distance] = [h("td"), h("td", { class: "nh-bars" }), h("td")];
    const tr = h("tr", {}, near.td, bits, bars, nearPixels.td, distance);
    body.append(tr);
    return { tr, near, nearPixels, bits, bars, distance };
  });
  /** @type {Measured} */
  let measured;

  const found = () => {
    const [i, k] = [ui.get("digit"), ui.get("k")];
    /** @param {Uint16Array} nearest */
    const same = (nearest) => {
      const near = [...nearest.subarray(i * MOST, i * MOST + k)];
      return near.filter((j) => digits.labels[j] === digits.labels[i]).length;
    };
    const pixels = pixelsOf();
    return {
      i,
      k,
      label: digits.labels[i],
      byCode: same(measured.nearest),
      byPixels: same(pixels.nearest),
      vote: measured.votes[i],
      votePixels: pixels.votes[i],
    };
  };
  /** @type {(vote: number, label: number) => string} */
  const judged = (vote, label) => `${vote} (${vote === label ? "right" : "wrong"})`;

  return {
    place,
    legend: (colors) => [
      { color: colors.ink, mark: "✓", text: "same class" },
      { color: colors.ink, mark: "✗", text: "another class, in a dashed frame" },
      { color: colors.series[0], mark: "■", text: "unit on" },
      { color: colors.series[1], mark: "▬", text: "differs from the chosen digit’s bit" },
    ],
    words: () => {
      const { i, k, label, byCode, byPixels, vote, votePixels } = found();
      return (
        `By pixels it is right for ${percent(pixelsOf().accuracy)}. ${capital(named(digits, i))}: ` +
        `${byCode} of its ${k} nearest by code are ${label}s, and they vote for ` +
        `${judged(vote, label)}; by pixels ${byPixels}, and the vote is ${judged(votePixels, label)}.`
      );
    },
    call: () => [
      "pixels = (16 * data.train.inputs).flatten(1)  # whole numbers, so that distances are exact",
      "squares = pixels.square().sum(dim=1)",
      "squared = squares[:, None] + squares - 2 * pixels @ pixels.T",
      "order = squared.fill_diagonal_(np.inf).argsort(dim=1, stable=True)",
      "near_pixels = order[:, :k].numpy()",
      "print(accuracy(near_pixels))",
      "",
      `digit = ${ui.get("digit")}`,
      "print(near[digit], labels[near[digit]], codes[digit].hamming(codes[near[digit]]))",
      "print(near_pixels[digit], labels[near_pixels[digit]])",
    ],
    show(now) {
      measured = now;
      const { i, k, label, vote, votePixels } = found();
      const pixels = pixelsOf();
      paintDigit(picture, digits, i);
      about.replaceChildren(
        h("strong", {}, capital(named(digits, i))),
        `. The ${k} nearest vote: by code ${judged(vote, label)}, by pixels ${judged(votePixels, label)}.`,
      );
      code.replaceChildren(barcode(measured, i));
      lines.forEach((line, r) => {
        line.tr.hidden = r >= k;
        if (r >= k) return;
        const near = measured.nearest[i * MOST + r];
        const nearPixels = pixels.nearest[i * MOST + r];
        line.near.show(near, digits.labels[near] === label);
        line.bits.textContent = String(measured.apart[i * digits.n + near]);
        line.bars.replaceChildren(barcode(measured, near, i));
        line.nearPixels.show(nearPixels, digits.labels[nearPixels] === label);
        const distance = Math.sqrt(pixels.apart[i * digits.n + nearPixels]) / 16;
        line.distance.textContent = distance.toFixed(2);
      });
      settle();
    },
  };
};
