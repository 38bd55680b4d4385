// Training in a worker, so that the page stays quick: full-batch steps of Adam at a pace, and the
// weights whenever the page has drawn the last ones.

import { makeEngine } from "./engine.js";

const workerMain = (makeEngine) => {
  const { Network } = makeEngine();
  // Steps are done in slices, between which messages are heard.
  const SLICE = 12;
  // A loss beyond it does not come back; Adam's steps are then larger than all that is learnt.
  const LOST = 1e6;
  let run = null;
  let timer = 0;

  const send = (run, more = {}) => {
    run.waiting = true;
    postMessage({ id: run.id, steps: run.network.steps, weights: run.network.flat(), ...more });
  };

  const slice = () => {
    timer = 0;
    if (!run) return;
    const start = performance.now();
    // As many steps as are due by now at this pace; to get to `until` there is no pace.
    const due = run.playing
      ? Math.min(Infinity, ((start - run.since) * run.pace) / 1000 - run.paid)
      : run.until - run.network.steps;
    let done = 0;
    let loss = 0;
    while (done < Math.floor(due) && performance.now() - start < SLICE) {
      loss = run.network.step(run.inputs, run.labels, run.n, run.rate);
      done++;
      if (!(loss < LOST)) {
        send(run, { lost: true });
        run = null;
        return;
      }
    }
    run.paid += done;
    const going = run.playing || run.network.steps < run.until;
    if (done && !run.waiting) send(run, { going });
    else if (!going) send(run, { going });
    if (!going) return;
    if (run.playing && run.pace < Infinity) timer = setTimeout(slice, 4);
    else next();
  };

  // Timers wait for 4 ms once they follow one another; messages do not.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = slice;
  const next = () => {
    timer = -1;
    port2.postMessage(null);
  };

  const wake = () => {
    if (run && !timer) next();
  };

  onmessage = ({ data }) => {
    if (data.kind === "start") {
      const { sizes, seed } = data;
      run = { ...data, network: Network.glorot(sizes, seed), waiting: false };
    } else if (!run || data.id !== run.id) {
      return;
    } else if (data.kind === "drawn") {
      run.waiting = false;
      return;
    } else {
      Object.assign(run, data);
      if (data.kind === "pause") run.until = run.network.steps;
    }
    run.since = performance.now();
    run.paid = 0;
    wake();
  };
};

// new Trainer(hear): hear({id, steps, weights, going, lost}) is called with the weights of now.
export class Trainer {
  constructor(hear) {
    const text = `(${workerMain})(${makeEngine})`;
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.id = 0;
    this.worker.onmessage = ({ data }) => {
      if (data.id === this.id) hear(data);
    };
  }

  // Begin anew: sizes, seed, inputs, labels, n, rate; train up to `until` steps, or go on playing
  // at `pace` steps a second.
  start(what) {
    this.worker.postMessage({ kind: "start", id: ++this.id, ...what });
  }

  change(what) {
    this.worker.postMessage({ kind: "change", id: this.id, ...what });
  }

  pause() {
    this.worker.postMessage({ kind: "pause", id: this.id, playing: false });
  }

  drawn() {
    this.worker.postMessage({ kind: "drawn", id: this.id });
  }

  end() {
    this.worker.terminate();
  }
}
