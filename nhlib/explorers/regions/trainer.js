// Training in a worker, so that the page stays quick.

/**
 * A network and what it learns: full-batch steps up to `until`, or, while it plays, at a pace in
 * steps a second; never more than `most`.
 * @typedef {{
 *   sizes: number[], seed: number,
 *   inputs: Float32Array, labels: Uint8Array, n: number, rate: number,
 *   until: number, playing: boolean, pace: number, most: number,
 * }} Training
 *
 * To the worker. It sends weights once those before them are "drawn".
 * @typedef {{ kind: "start", id: number } & Training} Start
 * @typedef {{ kind: "change" | "pause" | "drawn", id: number } & Partial<Training>} Change
 *
 * From the worker: the weights of now, whether there is more to do, and whether they are lost, since
 * the loss is no longer finite.
 * @typedef {{
 *   id: number, steps: number, weights: Float32Array, going?: boolean, lost?: boolean,
 * }} Trained
 */

export class Trainer {
  /**
   * @param {(trained: Trained) => void} hear
   * @param {() => void} fail called when something is to be trained, if no worker can
   */
  constructor(hear, fail) {
    this.id = 0;
    this.fail = fail;
    /** @type {Worker | null} */
    this.worker = null; // as long as the browser does not let one start
    try {
      this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data }) => {
        if (data.id === this.id) hear(data);
      };
      this.worker.onerror = () => {
        this.worker = null;
        fail();
      };
    } catch {
      // It is said when something is to be trained.
    }
  }

  /** @param {Start | Change} message */
  ask(message) {
    if (this.worker) this.send(message);
    else queueMicrotask(this.fail);
  }

  /** @param {Start | Change} message */
  send(message) {
    this.worker?.postMessage(message);
  }

  /**
   * Begin anew.
   * @param {Training} training
   */
  start(training) {
    this.ask({ kind: "start", id: ++this.id, ...training });
  }

  /** @param {Partial<Training>} changed */
  change(changed) {
    this.ask({ kind: "change", id: this.id, ...changed });
  }

  pause() {
    this.send({ kind: "pause", id: this.id, playing: false });
  }

  drawn() {
    this.send({ kind: "drawn", id: this.id });
  }

  end() {
    this.worker?.terminate();
  }
}
