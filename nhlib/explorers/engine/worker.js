// A worker of a Pool: trains one network at a time, and sends every row as soon as it is measured.
/** @import { Experiment, Row } from "./experiment.js" */
import { rowsOf } from "./experiment.js";
import { openMachine } from "./products.js";

/**
 * To the worker: a network to train, or what to do with the one that is being trained.
 * @typedef {{ kind: "start", experiment: Experiment } | { kind: "pause" | "go on" | "cancel" }} Order
 *
 * From it: that it is there, and whether with WebAssembly; that it still works; a row; that the
 * network is done.
 * @typedef {{ kind: "ready", quick: boolean } | { kind: "alive" } | { kind: "row", row: Row }
 *   | { kind: "done" }} Report
 */

/** @type {(report: Report) => void} */
const report = (message) => postMessage(message);

// Milliseconds after which whoever waits is told that this is no standstill.
const SIGN = 1000;
const machine = openMachine();
let told = 0;
const breathe = () => {
  if (performance.now() - told < SIGN) return;
  told = performance.now();
  report({ kind: "alive" });
};

/** @type {Generator<Row | null> | null} */
let rows = null;
let paused = false;

const turn = () => {
  if (!rows || paused) return;
  const { value, done } = rows.next();
  if (done) {
    rows = null;
    report({ kind: "done" });
    return;
  }
  if (value) report({ kind: "row", row: value });
  next();
};

// Between two epochs messages are heard. Timers would wait for 4 ms once they follow one another.
const { port1, port2 } = new MessageChannel();
port1.onmessage = turn;
const next = () => port2.postMessage(null);

/** @param {MessageEvent<Order>} event */
const hear = ({ data }) => {
  if (data.kind === "start") rows = rowsOf(machine, data.experiment, breathe);
  if (data.kind === "cancel") rows = null;
  paused = data.kind === "pause";
  next();
};
addEventListener("message", hear);
report({ kind: "ready", quick: machine.quick });
