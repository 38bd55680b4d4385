// The worker of a Trainer: steps of Adam at a pace, and the weights whenever the page has drawn the
// last ones.
/** @import { Change, Start, Trained, Training } from "./trainer.js" */
import { Adam } from "./adam.js";
import { Network } from "./network.js";

// Steps are done in slices of so many milliseconds, between which messages are heard.
const SLICE = 12;
// A loss beyond it does not come back; Adam's steps are then larger than all that is learnt.
const LOST = 1e6;
// Seconds that are made up for after a break: of a computer that slept, or a page in the background.
const ARREARS = 0.25;

/**
 * What is trained, since when at this pace, how many steps have been done since then, and whether
 * the page has yet to draw.
 * @typedef {Training & {
 *   id: number, adam: Adam, since: number, paid: number, waiting: boolean,
 * }} Run
 */

/** @type {Run | null} */
let run = null;
let timer = 0;

/** @type {(run: Run, more: { going?: boolean, lost?: boolean }) => void} */
const send = (run, more) => {
  run.waiting = true;
  const { steps, network } = run.adam;
  /** @type {Trained} */
  const trained = { id: run.id, steps, weights: network.flat(), ...more };
  postMessage(trained);
};

const slice = () => {
  timer = 0;
  if (!run) return;
  const { adam, inputs, labels, n, rate, playing, pace, most } = run;
  const until = playing ? most : Math.min(run.until, most);
  const start = performance.now();
  // As many steps as are due by now at this pace; to get to `until` there is no pace.
  let due = until - adam.steps;
  if (playing && pace < Infinity) {
    const owed = ((start - run.since) * pace) / 1000 - run.paid;
    if (owed > ARREARS * pace) {
      run.since = start;
      run.paid = -ARREARS * pace;
    }
    due = Math.min(due, owed, ARREARS * pace);
  }
  let done = 0;
  while (done < Math.floor(due) && performance.now() - start < SLICE) {
    const loss = adam.step(inputs, labels, n, rate);
    done++;
    if (!(loss < LOST)) {
      send(run, { lost: true });
      run = null;
      return;
    }
  }
  run.paid += done;
  const going = adam.steps < until;
  if (!going || (done && !run.waiting)) send(run, { going });
  if (!going) return;
  if (playing && pace < Infinity) timer = setTimeout(slice, 4);
  else next();
};

// Timers wait for 4 ms once they follow one another; messages do not.
const { port1, port2 } = new MessageChannel();
port1.onmessage = slice;
const next = () => {
  timer = -1;
  port2.postMessage(null);
};

/** @param {MessageEvent<Start | Change>} event */
const hear = ({ data }) => {
  if (data.kind === "start") {
    const adam = new Adam(Network.glorot(data.sizes, data.seed));
    run = { ...data, adam, since: 0, paid: 0, waiting: false };
  } else if (!run || data.id !== run.id) {
    return;
  } else if (data.kind === "drawn") {
    run.waiting = false;
    return;
  } else {
    Object.assign(run, data);
    if (data.kind === "pause") run.until = run.adam.steps;
  }
  run.since = performance.now();
  run.paid = 0;
  if (!timer) next();
};
addEventListener("message", hear);
