// Workers that train networks: one fewer than there are cores, so that the page stays quick.
/** @import { Experiment, Row } from "./experiment.js" */
/** @import { Order, Report } from "./worker.js" */

/**
 * What is told of the work: rows, networks that are done, networks that are given up and why, that
 * this browser starts no worker, and whether they are quick.
 * @typedef {{
 *   row(row: Row): void,
 *   done(experiment: Experiment): void,
 *   lost(experiment: Experiment, why: string): void,
 *   blocked(why: string): void,
 *   ready(quick: boolean): void,
 * }} Listener
 *
 * A worker, what it does, whether it has ever answered, and for how many looks it has not.
 * @typedef {{
 *   worker: Worker, experiment: Experiment | null, ready: boolean, silent: number,
 * }} Place
 */

// A worker that is at work gives a sign every second. One that has given none for so many looks, one
// a second, has ended without a word. A tab that sleeps looks at nothing meanwhile.
const PATIENCE = 20;
const LOOK = 1000;
// Deaths after which a network is given up: it is what kills its workers.
const DEATHS = 2;

export class Pool {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    /** @type {Place[]} */
    this.places = [];
    /** @type {Experiment[]} */
    this.waiting = [];
    /** @type {Map<Experiment, number>} */
    this.deaths = new Map();
    this.paused = false;
    this.watch = 0;
  }

  /** @returns {boolean} */
  get busy() {
    return this.waiting.length > 0 || this.places.some(({ experiment }) => experiment);
  }

  /**
   * Train these after all that wait already, in their order.
   * @param {Experiment[]} experiments
   */
  add(experiments) {
    this.waiting.push(...experiments);
    const wanted = Math.max(1, (navigator.hardwareConcurrency || 2) - 1);
    while (this.places.length < Math.min(wanted, this.waiting.length)) {
      if (!this.open()) return;
    }
    if (!this.watch) this.watch = setInterval(() => this.look(), LOOK);
    for (const place of this.places) this.feed(place);
  }

  pause() {
    this.paused = true;
    this.tell({ kind: "pause" });
  }

  goOn() {
    this.paused = false;
    this.tell({ kind: "go on" });
    for (const place of this.places) this.feed(place);
  }

  cancel() {
    this.paused = false;
    this.waiting = [];
    this.tell({ kind: "cancel" });
    for (const place of this.places) place.experiment = null;
  }

  end() {
    this.waiting = [];
    clearInterval(this.watch);
    this.watch = 0;
    for (const { worker } of this.places) worker.terminate();
    this.places = [];
  }

  /** @param {Order} order */
  tell(order) {
    for (const { worker } of this.places) worker.postMessage(order);
  }

  open() {
    /** @type {Worker} */
    let worker;
    try {
      worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    } catch (error) {
      this.block(String(error));
      return false;
    }
    /** @type {Place} */
    const place = { worker, experiment: null, ready: false, silent: 0 };
    worker.onmessage = ({ data }) => this.hear(place, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.replace(place, event.message || "it ended");
    };
    this.places.push(place);
    return true;
  }

  /** @type {(place: Place, report: Report) => void} */
  hear(place, report) {
    place.silent = 0;
    if (report.kind === "ready") {
      place.ready = true;
      this.listener.ready(report.quick);
      this.feed(place);
    } else if (report.kind === "row" && place.experiment) {
      this.listener.row(report.row);
    } else if (report.kind === "done" && place.experiment) {
      const { experiment } = place;
      place.experiment = null;
      this.feed(place);
      this.listener.done(experiment);
    }
  }

  /** @param {Place} place */
  feed(place) {
    if (!place.ready || place.experiment || this.paused) return;
    const experiment = this.waiting.shift();
    if (!experiment) return;
    place.experiment = experiment;
    place.silent = 0;
    /** @type {Order} */
    const order = { kind: "start", experiment };
    place.worker.postMessage(order);
  }

  look() {
    for (const place of [...this.places]) {
      if (this.paused || (place.ready && !place.experiment)) continue;
      if (++place.silent > PATIENCE) this.replace(place, "it gave no sign of life");
    }
  }

  /**
   * Another worker does again what this one was at.
   * @type {(place: Place, why: string) => void}
   */
  replace(place, why) {
    if (!this.places.includes(place)) return;
    place.worker.terminate();
    this.places = this.places.filter((one) => one !== place);
    if (!place.ready) {
      this.block(why);
      return;
    }
    const { experiment } = place;
    if (experiment) {
      const deaths = (this.deaths.get(experiment) ?? 0) + 1;
      this.deaths.set(experiment, deaths);
      if (deaths < DEATHS) this.waiting.unshift(experiment);
    }
    if (this.waiting.length) this.open();
    if (experiment && !this.waiting.includes(experiment)) this.listener.lost(experiment, why);
  }

  /** @param {string} why */
  block(why) {
    this.end();
    this.listener.blocked(why);
  }
}
