// Elements of a page: h("label", { class: "big", onclick: f }, "text", child) makes one of HTML, and
// s one of SVG.

/**
 * Attributes by name. True stands for one without a value, false or null for none; a function
 * under "onclick" hears clicks.
 * @typedef {{ [name: string]: any }} Properties
 * @typedef {Node | string | null | undefined} Child
 */

/**
 * @template {Element} One
 * @param {One} element
 * @param {Properties} properties
 * @param {Child[]} children added at the end, apart from null
 */
export const fill = (element, properties, children) => {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
};

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 */
export const h = (tag, properties = {}, ...children) =>
  fill(document.createElement(tag), properties, children);

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 */
export const s = (tag, properties = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
