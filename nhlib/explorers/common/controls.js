// Controls of a frame's settings: native elements, each of which sets one and follows it.
/** @import { Frame } from "./frame.js" */
import { h } from "./elements.js";

/**
 * A value of a setting, and its text.
 * @typedef {[value: any, text: string]} Option
 */

/**
 * The place of the value that is nearest.
 * @type {(values: number[], value: number) => number}
 */
export const nearest = (values, value) => {
  let best = 0;
  values.forEach((one, i) => {
    if (Math.abs(one - value) < Math.abs(values[best] - value)) best = i;
  });
  return best;
};

/**
 * A list, whose options may change.
 * @param {Frame} ui
 * @param {string} setting
 * @param {string} label
 */
export const listOf = (ui, setting, label) => {
  const id = `${ui.id}-${setting}`;
  const select = h("select", { id });
  /** @type {Option[]} */
  let options = [];
  select.addEventListener("change", () => ui.set(setting, options[Number(select.value)][0]));
  return {
    element: h("div", { class: "nh-control" }, h("label", { for: id }, label), select),
    select,
    /** @type {(offered: Option[], value: any) => void} */
    show(offered, value) {
      if (JSON.stringify(offered) !== JSON.stringify(options)) {
        options = offered;
        select.replaceChildren(...options.map(([, text], i) => h("option", { value: i }, text)));
      }
      select.value = String(options.findIndex(([one]) => one === value));
    },
  };
};

/**
 * @param {Frame} ui
 * @param {string} setting
 * @param {string} label
 * @param {{ min: number, max?: number, step: number }} limits
 * @param {(place: number) => any} valueAt of the setting, where the range stands
 */
const rangeWithin = (ui, setting, label, limits, valueAt) => {
  const id = `${ui.id}-${setting}`;
  const input = h("input", { type: "range", id, ...limits });
  const output = h("output", { for: id });
  input.addEventListener("input", () => ui.set(setting, valueAt(Number(input.value))));
  return {
    element: h("div", { class: "nh-control" }, h("label", { for: id }, label), input, output),
    input,
    /** @type {(place: number, text: string, spoken?: string) => void} */
    stand(place, text, spoken = text) {
      input.value = String(place);
      output.value = text;
      input.setAttribute("aria-valuetext", spoken);
    },
  };
};

/**
 * A range over values that may change.
 * @param {Frame} ui
 * @param {string} setting
 * @param {string} label
 */
export const rangeOf = (ui, setting, label) => {
  /** @type {any[]} */
  let values = [];
  const { element, input, stand } = rangeWithin(
    ui,
    setting,
    label,
    { min: 0, step: 1 },
    (place) => values[place],
  );
  return {
    element,
    /** @type {(known: any[], place: number, text: string, spoken?: string) => void} */
    show(known, place, text, spoken) {
      values = known;
      input.max = String(values.length - 1);
      stand(place, text, spoken);
    },
  };
};

/**
 * Add a range over values. A function may give them, if they change with the settings `also`; then
 * the setting may be next to the value that is shown.
 * @param {Frame} ui
 * @param {string} setting
 * @param {{
 *   label: string,
 *   values: any[] | (() => any[]),
 *   also?: string[],
 *   show?: (value: any) => string,
 * }} options
 */
export const addValueSlider = (ui, setting, { label, values, also = [], show = String }) => {
  const range = rangeOf(ui, setting, label);
  ui.follow([setting, ...also], () => {
    const known = typeof values === "function" ? values() : values;
    const place = nearest(known, ui.get(setting));
    range.show(known, place, show(known === values ? ui.get(setting) : known[place]));
  });
  ui.panel.append(range.element);
  return range.element;
};

/**
 * Add a range of numbers.
 * @param {Frame} ui
 * @param {string} setting
 * @param {{
 *   label: string,
 *   min: number,
 *   max: number,
 *   step?: number,
 *   show?: (value: number) => string,
 * }} options
 */
export const addSlider = (ui, setting, { label, min, max, step = 1, show = String }) => {
  const limits = { min, max, step };
  const range = rangeWithin(ui, setting, label, limits, (value) => value);
  ui.follow([setting], () => range.stand(ui.get(setting), show(ui.get(setting))));
  ui.panel.append(range.element);
  return range.element;
};

/**
 * Add a list.
 * @param {Frame} ui
 * @param {string} setting
 * @param {{ label: string, options: Option[] }} options
 */
export const addChoice = (ui, setting, { label, options }) => {
  const list = listOf(ui, setting, label);
  ui.follow([setting], () => list.show(options, ui.get(setting)));
  ui.panel.append(list.element);
  return list;
};

/**
 * Add a list of which all is seen: radio buttons in a row.
 * @param {Frame} ui
 * @param {string} setting
 * @param {{ label: string, options: Option[], into: HTMLElement }} options
 */
export const addSegments = (ui, setting, { label, options, into }) => {
  const name = `${ui.id}-${setting}`;
  const inputs = options.map(([value], i) =>
    h("input", { type: "radio", name, id: `${name}-${i}`, onchange: () => ui.set(setting, value) }),
  );
  const parts = options.map(([, text], i) =>
    h("span", {}, inputs[i], h("label", { for: inputs[i].id }, text)),
  );
  ui.follow([setting], () => {
    options.forEach(([value], i) => {
      inputs[i].checked = value === ui.get(setting);
    });
  });
  into.append(
    h("fieldset", { class: "nh-segments" }, h("legend", { class: "nh-unseen" }, label), ...parts),
  );
};

/**
 * Add buttons in a row: addButtons(ui, ["Play", f], ["Step", g]).
 * @param {Frame} ui
 * @param {...[text: string, act: () => void]} given
 */
export const addButtons = (ui, ...given) => {
  const buttons = given.map(([text, act]) => h("button", { type: "button", onclick: act }, text));
  const row = h("div", { class: "nh-row" }, ...buttons);
  ui.panel.append(row);
  return { row, buttons };
};
