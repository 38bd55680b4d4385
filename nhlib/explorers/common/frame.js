// What every explorer is made of: a frame with pictures, controls, a summary in words, and the call
// that repeats what is shown. Settings live in the widget's model, so that sliders, Python and the
// page's address are three views of the same values.
import { Address } from "./address.js";
import { h } from "./elements.js";

/**
 * A widget's model: what anywidget gives, and the page in its place.
 * @typedef {{
 *   inPage?: boolean,
 *   get(name: string): any,
 *   set(name: string, value: any): void,
 *   save_changes(): void,
 *   on(event: string, listener: (...given: any[]) => void): void,
 *   off(event: string, listener: (...given: any[]) => void): void,
 *   send(message: object): void,
 * }} Model
 *
 * The colours of the page as it is now: inks, and the book's six series.
 * @typedef {{
 *   paper: string, surface: string, ink: string, muted: string, grid: string, accent: string,
 *   series: string[], dark: boolean,
 * }} Colors
 *
 * An entry of a legend. Its mark is "●" or another sign, "line", "dashes" or "hair", or an element
 * of one's own: it tells apart what colours do for most.
 * @typedef {{ mark: string | Element, text: string, color?: string }} Entry
 */

let frames = 0;

export class Frame {
  /**
   * @param {Model} model
   * @param {HTMLElement} el where it is drawn
   * @param {object} about
   * @param {string} about.name before the settings in the page's address
   * @param {string} about.title in the list of landmarks
   * @param {number} about.version of the embedded data which the script understands
   */
  constructor(model, el, { name, title, version }) {
    this.model = model;
    this.name = name;
    this.id = `nh-${name}-${++frames}`;
    this.ended = new AbortController();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.inPage = Boolean(model.inPage);
    /** @type {(() => void)[]} */
    this.painters = []; // called when the theme changes
    this.message = h("div", { class: "nh-message", role: "alert", hidden: true });
    this.stage = h("div", { class: "nh-stage" });
    this.panel = h("div", { class: "nh-panel" });
    this.key = h("ul", { class: "nh-legend" });
    this.words = h("p", { class: "nh-words" });
    this.spoken = h("p", { class: "nh-unseen", "aria-live": "polite" });
    this.speaking = 0;
    /** @type {string[]} */
    this.heard = []; // sentences that were said last
    this.code = h("code");
    this.root = h(
      "div",
      { class: "nh-explorer", role: "region", "aria-label": title },
      this.message,
      this.stage,
      this.panel,
      this.words,
      this.spoken,
      this.repetition(),
    );
    // JupyterLab would take arrow keys and letters for commands of its own.
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    el.replaceChildren(this.root);
    this.failed = false;
    this.usable = model.get("_version") === version;
    if (!this.usable) {
      this.stop(
        `This explorer was stored by another version of nhlib (${model.get("_version")}, its ` +
          `script understands ${version}). Run the cell again, or build the book anew.`,
      );
      return;
    }
    if (this.inPage) this.address = new Address(this);
    this.watchTheme();
  }

  // Everything ends when the view goes: call it, and return it from render.
  end = () => this.ended.abort();

  // -- settings ------------------------------------------------------------------------------

  /**
   * @param {string} setting
   * @returns {any}
   */
  get(setting) {
    return this.model.get(setting);
  }

  /**
   * @param {string} setting
   * @param {any} value
   */
  set(setting, value) {
    if (JSON.stringify(this.get(setting)) === JSON.stringify(value)) return;
    this.model.set(setting, value);
    this.model.save_changes();
  }

  /**
   * Call `what` now, whenever one of the settings changes, and once for changes that come together.
   * @param {string[]} settings
   * @param {() => void} what
   */
  follow(settings, what) {
    let due = false;
    const soon = () => {
      if (due) return;
      due = true;
      queueMicrotask(() => {
        due = false;
        if (!this.ended.signal.aborted) what();
      });
    };
    for (const setting of settings) {
      this.model.on(`change:${setting}`, soon);
      this.ended.signal.addEventListener("abort", () => this.model.off(`change:${setting}`, soon));
    }
    what();
  }

  // -- colours -------------------------------------------------------------------------------

  /** @returns {Colors} */
  colors() {
    if (!this.read) {
      const style = getComputedStyle(this.root);
      /** @param {string} name */
      const of = (name) => style.getPropertyValue(`--nh-${name}`).trim();
      this.read = {
        paper: of("paper"),
        surface: of("surface"),
        ink: of("ink"),
        muted: of("muted"),
        grid: of("grid"),
        accent: of("accent"),
        series: [1, 2, 3, 4, 5, 6].map((i) => of(`series-${i}`)),
        dark: of("dark") === "1",
      };
    }
    return this.read;
  }

  watchTheme() {
    const anew = () => {
      this.read = null;
      for (const repaint of this.painters) repaint();
    };
    const watch = new MutationObserver(anew);
    for (const element of [document.documentElement, document.body]) {
      watch.observe(element, { attributes: true });
    }
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", anew, { signal: this.ended.signal });
    this.ended.signal.addEventListener("abort", () => watch.disconnect());
  }

  /**
   * Show one legend from data.
   * @param {Entry[]} entries
   * @param {HTMLElement} into
   */
  legend(entries, into = this.stage) {
    if (this.key.parentNode !== into) into.append(this.key);
    this.key.replaceChildren(
      ...entries.map(({ color, mark, text }) => {
        if (mark instanceof Element) return h("li", {}, mark, text);
        const named = mark.length > 1;
        const own = {
          class: `nh-mark nh-${named ? mark : "sign"}`,
          style: `--nh-own: ${color}`,
          "aria-hidden": "true",
        };
        return h("li", {}, h("span", own, named ? "" : mark), text);
      }),
    );
  }

  // -- words ---------------------------------------------------------------------------------

  /**
   * Say a summary with the measured numbers, once there is something to see. Screen readers hear it
   * when it has come to rest.
   * @param {string} text
   */
  say(text) {
    if (this.words.textContent === text) return;
    if (!this.words.textContent) this.appear();
    this.words.textContent = text;
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => this.speak(text), 800);
  }

  /**
   * Only those sentences are read out that have changed.
   * @param {string} text
   */
  speak(text) {
    const sentences = text.split(/(?<=[.!?]) +/);
    const news = sentences.filter((sentence) => !this.heard.includes(sentence));
    this.heard = sentences;
    if (news.length) this.spoken.textContent = news.join(" ");
  }

  // Once the pictures that are asked for have been drawn, nothing else need stand for them.
  appear() {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (this.failed) return;
        this.root.dispatchEvent(new Event("drawn", { bubbles: true }));
      }),
    );
  }

  /**
   * Say that something cannot be drawn, in place of drawing it.
   * @param {unknown} error
   */
  fail(error) {
    this.failed = true;
    this.stop(`This cannot be drawn here. (${error})`);
  }

  /**
   * Show the call of nhlib that repeats what is shown, as lines of Python.
   * @param {string} text
   */
  call(text) {
    this.code.textContent = text;
  }

  /**
   * Say what went wrong, with buttons that help: stop("Not finite.", ["Start again", f]).
   * @param {string} text
   * @param {...[name: string, act: () => void]} buttons
   */
  stop(text, ...buttons) {
    this.message.replaceChildren(
      h("p", {}, text),
      ...buttons.map(([name, act]) => {
        const help = () => {
          this.goOn();
          act();
        };
        return h("button", { type: "button", onclick: help }, name);
      }),
    );
    this.message.hidden = false;
  }

  goOn() {
    this.message.hidden = true;
  }

  // What stands under "The same with nhlib".
  repetition() {
    const copied = h("span", { class: "nh-copied", role: "status" });
    /** @type {(text: string, what: () => string) => HTMLElement} */
    const copyButton = (text, what) => {
      const copy = async () => {
        try {
          await navigator.clipboard.writeText(what());
          copied.textContent = "Copied.";
        } catch {
          copied.textContent = "The browser does not allow it here: select the text instead.";
        }
        setTimeout(() => {
          copied.textContent = "";
        }, 4000);
      };
      return h("button", { type: "button", onclick: copy }, text);
    };
    const link = () => this.address?.link() ?? location.href;
    return h(
      "details",
      { class: "nh-call" },
      h("summary", {}, "The same with nhlib"),
      h("pre", { tabindex: 0 }, this.code),
      h(
        "div",
        { class: "nh-row" },
        copyButton("Copy code", () => this.code.textContent ?? ""),
        this.inPage ? copyButton("Copy link to this state", link) : null,
        copied,
      ),
    );
  }
}
