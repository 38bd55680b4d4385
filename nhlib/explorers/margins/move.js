// The line along which a digit is moved, and how far: what the settings say.
/** @import { Digits } from "../common/digits.js" */
/** @import { Frame } from "../common/frame.js" */
/** @import { Line, Vector } from "./line.js" */
import { SIDE } from "../common/digits.js";
import { bufferOf } from "../common/embedded.js";
import { against, along, borderDistances, nearestOther, networkAt, unit } from "./line.js";

export const LONGEST = 3;
const PROTOCOLS = ["A", "B"];
const EPOCHS = [0, 30];
const SIZE = SIDE * SIDE;

/**
 * Digit i as an input, and what there is in a direction from it; `other` is the digit that it is
 * moved towards.
 * @typedef {Line & {
 *   digits: Digits, i: number, x: Vector, other: number | null, direction: Vector,
 *   places: { margin: number, first?: number, change?: number, other?: number },
 * }} Way
 *
 * A step on it, the codes and answers before and after, and how many pixels leave 0 to 1.
 * @typedef {Way & {
 *   length: number, added: Vector, moved: Vector, outside: number,
 *   code: number[], movedCode: number[], nFlipped: number, was: number, answer: number,
 * }} Move
 */

/** @type {(view: DataView) => Float64Array} */
const floatsOf = (view) => new Float64Array(bufferOf(view));

/** @type {(ui: Frame) => number} */
export const drawsOf = (ui) => floatsOf(ui.get("_random")).length / SIZE;

/** @type {(ui: Frame, digits: Digits) => Way} */
export const wayOf = (ui, digits) => {
  const protocol = PROTOCOLS.indexOf(ui.get("protocol"));
  const place = protocol * EPOCHS.length + EPOCHS.indexOf(ui.get("epoch"));
  const network = networkAt(floatsOf(ui.get("_weights")), ui.get("_sizes"), place);
  const [i, where, draw] = [ui.get("digit"), ui.get("direction"), ui.get("draw")];
  /** @param {number} j */
  const inputOf = (j) =>
    Float64Array.from(digits.pixels.subarray(j * SIZE, (j + 1) * SIZE), (level) => level / 16);
  const x = inputOf(i);
  const other = where === "digit" ? nearestOther(digits.pixels, digits.labels, i, SIZE) : null;
  const way = other === null ? null : inputOf(other).map((value, p) => value - x[p]);
  const direction = way
    ? unit(way)
    : where === "attack"
      ? against(network, x, digits.labels[i])
      : unit(floatsOf(ui.get("_random")).subarray(draw * SIZE, (draw + 1) * SIZE));
  const line = along(network, x, direction, LONGEST);
  /** @type {Way["places"]} */
  const places = { margin: Math.min(...borderDistances(network, x)) };
  if (line.flips.length) places.first = line.flips[0].at;
  if (line.answers.length > 1) places.change = line.answers[1].from;
  if (way) places.other = Math.hypot(...way);
  return { digits, i, x, other, direction, ...line, places };
};

/** @type {(way: Way, length: number) => Move} */
export const moveAlong = (way, length) => {
  const added = way.direction.map((value) => length * value);
  const moved = way.x.map((value, p) => value + added[p]);
  const [code, movedCode] = [way.bits(0), way.bits(length)];
  const was = way.answers[0].answer;
  return {
    ...way,
    length,
    added,
    moved,
    outside: moved.filter((value) => value < 0 || value > 1).length,
    code,
    movedCode,
    nFlipped: code.filter((bit, b) => bit !== movedCode[b]).length,
    was,
    answer: way.answers.findLast(({ from }) => from <= length)?.answer ?? was,
  };
};
