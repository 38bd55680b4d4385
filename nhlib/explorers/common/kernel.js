// The Python behind an explorer, where there is one.
/** @import { Frame } from "./frame.js" */

export class Kernel {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    this.waiting = 0;
    ui.ended.signal.addEventListener("abort", this.answered);
  }

  /**
   * Send a message. Of a kernel that has died nobody tells us: `unheard(text)` is called unless
   * `answered()` is, within some seconds.
   * @param {{ kind: string, [name: string]: any }} message
   * @param {(text: string) => void} unheard
   */
  ask(message, unheard) {
    /** @param {string} why */
    const silence = (why) => unheard(`Python does not answer: its kernel ${why}.`);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => silence("is busy with a cell, or has ended"), 4000);
    try {
      this.ui.model.send(message);
    } catch {
      clearTimeout(this.waiting);
      silence("has ended");
    }
  }

  answered = () => clearTimeout(this.waiting);

  /**
   * Hear its messages, dictionaries with a "kind".
   * @param {(message: any) => void} what
   */
  hear(what) {
    this.ui.model.on("msg:custom", what);
    this.ui.ended.signal.addEventListener("abort", () => this.ui.model.off("msg:custom", what));
  }
}
