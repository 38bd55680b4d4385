// Explorers without a kernel. A page embeds the state of its widgets; each explorer's script runs
// on it here, as it would in JupyterLab. What needs Python is not shown: `inPage` tells the script.
// Scripts and styles come from the files of `_static/explorers`, which the page loads before.
(() => {
  /**
   * A widget as it is embedded: its traits, and bytes that stand somewhere in them.
   * @typedef {{
   *   state: { [trait: string]: any }, buffers?: { path: (string | number)[], data: string }[],
   * }} Widget
   */

  class PageModel {
    inPage = true;
    #state;
    /** @type {Map<string, Set<() => void>>} */
    #listeners = new Map();

    /** @param {Widget} widget */
    constructor({ state, buffers = [] }) {
      this.#state = state;
      for (const { path, data } of buffers) {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        const place = path.slice(0, -1).reduce((inside, key) => inside[key], state);
        place[path[path.length - 1]] = new DataView(bytes.buffer);
      }
    }

    /** @param {string} name */
    get(name) {
      return this.#state[name];
    }

    /** @type {(name: string, value: any) => void} */
    set(name, value) {
      this.#state[name] = value;
      for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
    }

    /** @type {(event: string, listener: () => void) => void} */
    on(event, listener) {
      const listeners = this.#listeners.get(event) ?? new Set();
      this.#listeners.set(event, listeners.add(listener));
    }

    /** @type {(event: string, listener: () => void) => void} */
    off(event, listener) {
      this.#listeners.get(event)?.delete(listener);
    }

    save_changes() {}
  }

  /**
   * Scripts and styles by class, which other scripts of the page have put there.
   *
   * @type {() => Record<string, { _esm: string, _css: string }>}
   */
  const explorers = () => Reflect.get(globalThis, "nhExplorers");

  /** @type {(place: HTMLElement, widget: Widget) => Promise<void>} */
  const show = async (place, widget) => {
    const el = document.createElement("div");
    place.before(el);
    // The still stays until the explorer has been drawn.
    el.addEventListener("drawn", () => place.remove(), { once: true });
    try {
      const model = new PageModel(widget);
      const name = model.get("_anywidget_id").split(".").at(-1);
      const { _esm, _css } = explorers()[name];
      const styles = [...document.head.querySelectorAll("style")];
      if (!styles.some((style) => style.textContent === _css)) {
        const style = document.createElement("style");
        style.textContent = _css;
        document.head.append(style);
      }
      const address = URL.createObjectURL(new Blob([_esm], { type: "text/javascript" }));
      const { default: explorer } = await import(address);
      URL.revokeObjectURL(address);
      explorer.render({ model, el });
    } catch (error) {
      const sentence = document.createElement("p");
      sentence.className = "nh-message";
      sentence.setAttribute("role", "alert");
      sentence.textContent =
        "This explorer does not run here: the browser is too old, or does not allow it, or a part " +
        `of the page is missing. The picture shows how it starts. (${error})`;
      el.replaceChildren(sentence);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const embedded = document.querySelector(
      'script[type="application/vnd.jupyter.widget-state+json"]',
    );
    const { state } = JSON.parse(embedded?.textContent || '{"state": {}}');
    for (const place of document.querySelectorAll("[data-explorer]")) {
      if (!(place instanceof HTMLElement)) continue;
      const widget = state[place.dataset.explorer ?? ""];
      if (widget) show(place, widget);
    }
  });
})();
