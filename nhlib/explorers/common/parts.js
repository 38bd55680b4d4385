// What every explorer is made of: a frame with controls, pictures, a summary in words, and the
// call that repeats what is shown. Settings live in the widget's model, so that sliders, Python
// and the page's address are three views of the same values.

// -- elements ---------------------------------------------------------------------------------

const fill = (element, properties, children) => {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
};

// h("label", {class: "big", onclick: f}, "text", child): an element of HTML; s, of SVG.
export const h = (tag, properties = {}, ...children) =>
  fill(document.createElement(tag), properties, children);
export const s = (tag, properties = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);

// -- numbers in words -------------------------------------------------------------------------

export const grouped = (n) => Math.round(n).toLocaleString("en");
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
export const plural = (n, one, many = `${one}s`) => `${grouped(n)} ${n === 1 ? one : many}`;
// Python's way to write a value, for the call that repeats a state.
export const python = (value) => {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
};

// -- the frame --------------------------------------------------------------------------------

let frames = 0;

export class Frame {
  // `name` stands before the settings in the page's address, `title` in the list of landmarks;
  // `version` is that of the embedded data which the script understands.
  constructor(model, el, { name, title, version }) {
    this.model = model;
    this.name = name;
    this.id = `nh-${name}-${++frames}`;
    this.ended = new AbortController();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.inPage = Boolean(model.inPage);
    this.painters = [];
    this.message = h("div", { class: "nh-message", role: "alert", hidden: true });
    this.stage = h("div", { class: "nh-stage" });
    this.panel = h("div", { class: "nh-panel" });
    this.words = h("p", { class: "nh-words" });
    this.spoken = h("p", { class: "nh-unseen", "aria-live": "polite" });
    this.code = h("code");
    this.copied = h("span", { class: "nh-copied", role: "status" });
    const calls = h(
      "details",
      { class: "nh-call" },
      h("summary", {}, "The same with nhlib"),
      h("pre", { tabindex: 0 }, this.code),
      h(
        "div",
        { class: "nh-row" },
        this.copyButton("Copy code", () => this.code.textContent),
      ),
    );
    if (this.inPage) {
      calls.lastChild.append(this.copyButton("Copy link to this state", () => this.link()));
    }
    calls.lastChild.append(this.copied);
    this.root = h(
      "div",
      { class: "nh-explorer", role: "region", "aria-label": title },
      this.message,
      this.stage,
      this.panel,
      this.words,
      this.spoken,
      calls,
    );
    // JupyterLab would take arrow keys and letters for commands of its own.
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    el.replaceChildren(this.root);
    this.usable = model.get("_version") === version;
    if (!this.usable) {
      this.stop(
        `This explorer was stored by another version of nhlib (${model.get("_version")}, its ` +
          `script understands ${version}). Run the cell again, or build the book anew.`,
      );
      return;
    }
    this.fromAddress();
    this.watchTheme();
  }

  // Everything ends when the view goes: call it, and return it from render.
  end = () => this.ended.abort();

  // -- settings ------------------------------------------------------------------------------

  get(setting) {
    return this.model.get(setting);
  }

  set(setting, value) {
    if (JSON.stringify(this.get(setting)) === JSON.stringify(value)) return;
    this.model.set(setting, value);
    this.model.save_changes();
  }

  // Call `what` now, whenever one of the settings changes, and once for changes that come together.
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

  // -- controls ------------------------------------------------------------------------------

  // A native range. With `values`, the setting takes one of them; else min, max and step hold. A
  // function may give the values, if they change with the settings `also`.
  slider(setting, { label, values, also = [], min, max, step = 1, show = String }) {
    const id = `${this.id}-${setting}`;
    const given = typeof values === "function" ? values : values && (() => values);
    const input = h("input", {
      type: "range",
      id,
      ...(given ? { min: 0, step: 1 } : { min, max, step }),
    });
    const output = h("output", { for: id });
    input.addEventListener("input", () => {
      const place = Number(input.value);
      this.set(setting, given ? given()[place] : place);
    });
    this.follow([setting, ...also], () => {
      let value = this.get(setting);
      if (given) input.max = given().length - 1;
      input.value = given ? nearest(given(), value) : value;
      if (typeof values === "function") value = values()[input.value];
      output.value = show(value);
      input.setAttribute("aria-valuetext", show(value));
    });
    const control = h(
      "div",
      { class: "nh-control" },
      h("label", { for: id }, label),
      input,
      output,
    );
    this.panel.append(control);
    return control;
  }

  // A native list: options are [value, text].
  choice(setting, { label, options }) {
    const id = `${this.id}-${setting}`;
    const select = h(
      "select",
      { id },
      ...options.map(([, text], i) => h("option", { value: i }, text)),
    );
    select.addEventListener("change", () => this.set(setting, options[select.value][0]));
    this.follow([setting], () => {
      const wanted = JSON.stringify(this.get(setting));
      select.value = options.findIndex(([value]) => JSON.stringify(value) === wanted);
    });
    const control = h("div", { class: "nh-control" }, h("label", { for: id }, label), select);
    this.panel.append(control);
    return control;
  }

  toggle(setting, { label }) {
    const input = h("input", { type: "checkbox", id: `${this.id}-${setting}` });
    input.addEventListener("change", () => this.set(setting, input.checked));
    this.follow([setting], () => (input.checked = this.get(setting)));
    const control = h("label", { class: "nh-control nh-toggle" }, input, h("span", {}, label));
    this.panel.append(control);
    return control;
  }

  // A list of which all is seen: native radio buttons in a row. Options are [value, text].
  segments(setting, { label, options, into = this.panel }) {
    const name = `${this.id}-${setting}`;
    const inputs = options.map(([value], i) =>
      h("input", {
        type: "radio",
        name,
        id: `${name}-${i}`,
        onchange: () => this.set(setting, value),
      }),
    );
    const parts = options.map(([, text], i) =>
      h("span", {}, inputs[i], h("label", { for: inputs[i].id }, text)),
    );
    this.follow([setting], () => {
      options.forEach(([value], i) => (inputs[i].checked = value === this.get(setting)));
    });
    const control = h(
      "fieldset",
      { class: "nh-segments" },
      h("legend", { class: "nh-unseen" }, label),
      ...parts,
    );
    into.append(control);
    return control;
  }

  // Buttons stand together in a row: ui.buttons(["Play", f], ["Step", g]) returns them.
  buttons(...given) {
    const made = given.map(([text, act]) => h("button", { type: "button", onclick: act }, text));
    this.panel.append(h("div", { class: "nh-row" }, ...made));
    return made;
  }

  // -- pictures ------------------------------------------------------------------------------

  // A canvas as wide as its place allows, with `ratio` = height / width, or a height in CSS pixels;
  // paint(context, width, height, colors) is called with sizes in CSS pixels, and again when size
  // or theme change. With `keys` it takes the focus, and keys(event) its keys. Returns {element,
  // repaint}.
  canvas({ label, ratio, height: fixed, paint, keys, into = this.stage }) {
    const element = h("canvas", {
      class: "nh-canvas",
      role: keys ? "application" : "img",
      "aria-label": label,
      tabindex: keys ? 0 : null,
      style: fixed ? `height: ${fixed}px` : `aspect-ratio: ${1 / ratio}`,
    });
    if (keys) element.addEventListener("keydown", keys);
    into.append(element);
    let due = 0;
    const now = () => {
      due = 0;
      const width = element.clientWidth;
      if (!width || this.ended.signal.aborted) return;
      const height = fixed ?? Math.round(width * ratio);
      const scale = devicePixelRatio || 1;
      const [w, tall] = [Math.round(width * scale), Math.round(height * scale)];
      if (element.width !== w || element.height !== tall) {
        element.width = w;
        element.height = tall;
      }
      const context = element.getContext("2d");
      context.setTransform(scale, 0, 0, scale, 0, 0);
      paint(context, width, height, this.colors());
    };
    const repaint = () => (due ||= requestAnimationFrame(now));
    const sizes = new ResizeObserver(repaint);
    sizes.observe(element);
    this.ended.signal.addEventListener("abort", () => sizes.disconnect());
    this.painters.push(repaint);
    return { element, repaint, now };
  }

  // An SVG picture, drawn anew by paint(width, colors) → children, height; it is made for a width
  // in CSS pixels and never scaled, so that its text keeps its size on a phone.
  drawing({ label, paint, into = this.stage }) {
    const element = s("svg", { class: "nh-drawing", role: "img", "aria-label": label });
    const place = h("div", { class: "nh-place" }, element);
    into.append(place);
    let due = 0;
    const now = () => {
      due = 0;
      const width = place.clientWidth;
      if (!width || this.ended.signal.aborted) return;
      const { children, height } = paint(width, this.colors());
      fill(element, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
      element.replaceChildren(...children.filter((child) => child != null));
    };
    const repaint = () => (due ||= requestAnimationFrame(now));
    const sizes = new ResizeObserver(repaint);
    sizes.observe(place);
    this.ended.signal.addEventListener("abort", () => sizes.disconnect());
    this.painters.push(repaint);
    return { element, place, repaint, now };
  }

  // The colours of the page as it is now: inks, and the book's six series.
  colors() {
    if (!this.read) {
      const style = getComputedStyle(this.root);
      const of = (name) => style.getPropertyValue(`--nh-${name}`).trim();
      this.read = Object.fromEntries(
        ["paper", "surface", "ink", "muted", "grid", "accent"].map((name) => [name, of(name)]),
      );
      this.read.series = [1, 2, 3, 4, 5, 6].map((i) => of(`series-${i}`));
      this.read.dark = of("dark") === "1";
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

  // One legend from data: entries are {color, mark, text}; a mark is "●", "■", "▲", "line",
  // "dashes" or "area", or an element of one's own. Marks tell apart what colours do for most.
  legend(entries, into = this.stage) {
    this.key ??= h("ul", { class: "nh-legend" });
    if (this.key.parentNode !== into) into.append(this.key);
    this.key.replaceChildren(
      ...entries.map(({ color, mark, text }) =>
        h(
          "li",
          {},
          mark instanceof Element
            ? mark
            : h(
                "span",
                {
                  class: `nh-mark nh-${mark.length > 1 ? mark : "sign"}`,
                  style: `--nh-own: ${color}`,
                  "aria-hidden": "true",
                },
                mark.length > 1 ? "" : mark,
              ),
          text,
        ),
      ),
    );
  }

  // -- words ---------------------------------------------------------------------------------

  // The summary with the measured numbers. Screen readers hear it once it has come to rest.
  say(text) {
    if (this.words.textContent === text) return;
    this.words.textContent = text;
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => (this.spoken.textContent = text), 800);
  }

  // The call of nhlib that repeats what is shown, as lines of Python.
  call(text) {
    this.code.textContent = text;
  }

  // Say what went wrong, with a button that helps: stop("Not finite.", ["Start again", f]).
  stop(text, ...buttons) {
    this.message.replaceChildren(
      h("p", {}, text),
      ...buttons.map(([name, act]) =>
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              this.goOn();
              act();
            },
          },
          name,
        ),
      ),
    );
    this.message.hidden = false;
  }

  goOn() {
    this.message.hidden = true;
  }

  copyButton(text, what) {
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(what());
        this.copied.textContent = "Copied.";
      } catch {
        this.copied.textContent = "The browser does not allow it here: select the text instead.";
      }
      setTimeout(() => (this.copied.textContent = ""), 4000);
    };
    return h("button", { type: "button", onclick: copy }, text);
  }

  // -- the page's address ----------------------------------------------------------------------

  // #region-explorer?width=8&seed=3 sets width and seed; every change is written back. Only in the
  // page: in JupyterLab the address belongs to JupyterLab.
  fromAddress() {
    if (!this.inPage) return;
    const names = this.model.get("_settings");
    this.start = Object.fromEntries(names.map((name) => [name, this.get(name)]));
    const read = () => {
      const [name, query] = decodeURIComponent(location.hash.slice(1)).split("?");
      if (name !== this.name) return false;
      for (const [setting, text] of new URLSearchParams(query)) {
        if (names.includes(setting)) this.offer(setting, text);
      }
      return true;
    };
    if (read()) {
      requestAnimationFrame(() => this.root.scrollIntoView({ block: "start" }));
    }
    addEventListener("hashchange", read, { signal: this.ended.signal });
    const write = () => {
      clearTimeout(this.writing);
      // Browsers allow only so many changes of the address in a while.
      this.writing = setTimeout(() => history.replaceState(null, "", this.link()), 400);
    };
    for (const name of names) this.model.on(`change:${name}`, write);
  }

  // Take a setting from text if it is one that Python would take too.
  offer(setting, text) {
    let value = text;
    if (typeof this.start[setting] !== "string") {
      try {
        value = JSON.parse(text);
      } catch {
        return;
      }
    }
    const allowed = this.model.get("_allowed")[setting];
    const inside = Array.isArray(allowed)
      ? allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))
      : typeof value === "number" &&
        value >= allowed.min &&
        value <= allowed.max &&
        (!allowed.whole || Number.isInteger(value));
    if (inside) this.set(setting, value);
  }

  link() {
    const changed = Object.keys(this.start)
      .filter((name) => JSON.stringify(this.get(name)) !== JSON.stringify(this.start[name]))
      .map((name) => {
        const value = this.get(name);
        const text = typeof value === "string" ? value : JSON.stringify(value);
        return `${name}=${encodeURIComponent(text)}`;
      });
    return `${location.href.split("#")[0]}#${this.name}${changed.length ? "?" : ""}${changed.join("&")}`;
  }

  // -- the kernel ------------------------------------------------------------------------------

  // Ask Python for something. Of a kernel that has died nobody tells us: `unheard(text)` is called
  // unless `answered()` is, within some seconds.
  ask(message, unheard) {
    const silence = (why) => unheard(`Python does not answer: its kernel ${why}.`);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => silence("is busy with a cell, or has ended"), 4000);
    this.ended.signal.addEventListener("abort", this.answered);
    try {
      this.model.send(message);
    } catch {
      clearTimeout(this.waiting);
      silence("has ended");
    }
  }

  answered = () => clearTimeout(this.waiting);

  // Messages of Python, dictionaries with a "kind".
  hear(what) {
    this.model.on("msg:custom", what);
    this.ended.signal.addEventListener("abort", () => this.model.off("msg:custom", what));
  }
}

// The place of the value that is nearest.
export const nearest = (values, value) => {
  let best = 0;
  values.forEach((one, i) => {
    if (Math.abs(one - value) < Math.abs(values[best] - value)) best = i;
  });
  return best;
};
