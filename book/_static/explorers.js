// Explorers without a kernel. A page embeds the state of its widgets; each explorer's script runs
// on it here, as it would in JupyterLab. What needs Python is not shown: `inPage` tells the script.
(() => {
  class PageModel {
    inPage = true;
    #state;
    #listeners = new Map();

    constructor({ state, buffers = [] }) {
      this.#state = state;
      for (const { path, data } of buffers) {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        const last = path.length - 1;
        path.reduce(
          (place, key, i) => (i === last ? (place[key] = new DataView(bytes.buffer)) : place[key]),
          state,
        );
      }
    }

    get(name) {
      return this.#state[name];
    }

    set(name, value) {
      this.#state[name] = value;
      for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
    }

    on(event, listener) {
      if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
      this.#listeners.get(event).add(listener);
    }

    off(event, listener) {
      this.#listeners.get(event)?.delete(listener);
    }

    save_changes() {}
  }

  const show = async (place, model) => {
    const css = model.get("_css");
    if (![...document.head.querySelectorAll("style")].some((style) => style.textContent === css)) {
      const style = document.createElement("style");
      style.textContent = css;
      document.head.append(style);
    }
    const address = URL.createObjectURL(new Blob([model.get("_esm")], { type: "text/javascript" }));
    const { default: explorer } = await import(address);
    URL.revokeObjectURL(address);
    // The still stays until the explorer has been drawn.
    const el = document.createElement("div");
    place.before(el);
    explorer.render({ model, el });
    place.remove();
  };

  document.addEventListener("DOMContentLoaded", () => {
    const embedded = document.querySelector(
      'script[type="application/vnd.jupyter.widget-state+json"]',
    );
    const { state } = embedded ? JSON.parse(embedded.textContent) : { state: {} };
    for (const place of document.querySelectorAll("[data-explorer]")) {
      const widget = state[place.dataset.explorer];
      if (widget) show(place, new PageModel(widget));
    }
  });
})();
