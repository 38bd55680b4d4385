// Pictures of a frame, drawn anew when their size or the theme of the page changes.
/** @import { Colors, Frame } from "./frame.js" */
import { fill, h, s } from "./elements.js";

/**
 * Draw whenever it is needed, and return what asks for it, with the next frame of the page.
 * @param {Frame} ui
 * @param {HTMLElement} place whose width the picture takes
 * @param {(width: number) => void} draw
 */
const painter = (ui, place, draw) => {
  let due = 0;
  const repaint = () => {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      const width = place.clientWidth;
      if (!width || ui.ended.signal.aborted) return;
      try {
        draw(width);
      } catch (error) {
        ui.fail(error);
      }
    });
  };
  // A window that moves to another screen keeps its size, and its pixels become finer.
  const watchPixels = () => {
    const moved = () => {
      repaint();
      watchPixels();
    };
    const now = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    now.addEventListener("change", moved, { once: true, signal: ui.ended.signal });
  };
  watchPixels();
  const sizes = new ResizeObserver(repaint);
  sizes.observe(place);
  ui.ended.signal.addEventListener("abort", () => sizes.disconnect());
  ui.painters.push(repaint);
  return repaint;
};

/**
 * Add a canvas as wide as its place allows, with `ratio` = height / width, or a height in pixels of
 * CSS, in which `paint` is told all sizes. With `keys`, that hears its keys, it takes the focus.
 * @param {Frame} ui
 * @param {{
 *   label: string,
 *   ratio?: number,
 *   height?: number,
 *   paint: (
 *     context: CanvasRenderingContext2D, width: number, height: number, colors: Colors
 *   ) => void,
 *   keys?: (event: KeyboardEvent) => void,
 *   into?: HTMLElement,
 * }} options
 */
export const addCanvas = (ui, { label, ratio = 1, height, paint, keys, into = ui.stage }) => {
  const element = h("canvas", {
    class: "nh-canvas",
    role: keys ? "application" : "img",
    "aria-label": label,
    tabindex: keys ? 0 : null,
    style: height ? `height: ${height}px` : `aspect-ratio: ${1 / ratio}`,
  });
  if (keys) element.addEventListener("keydown", keys);
  into.append(element);
  const repaint = painter(ui, element, (width) => {
    const tall = height ?? Math.round(width * ratio);
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * scale), Math.round(tall * scale)];
    if (element.width !== w || element.height !== h) {
      element.width = w;
      element.height = h;
    }
    const context = contextOf(element);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    paint(context, width, tall, ui.colors());
  });
  return { element, repaint };
};

/**
 * What to draw on a canvas with.
 * @param {HTMLCanvasElement} canvas
 */
export const contextOf = (canvas) => {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this canvas has no 2d context");
  return context;
};

/**
 * Add an SVG picture. It is made for a width in pixels of CSS and never scaled, so that its text
 * keeps its size on a phone.
 * @param {Frame} ui
 * @param {{
 *   label: string,
 *   paint: (width: number, colors: Colors) => { children: (Node | null)[], height: number },
 *   into?: HTMLElement,
 * }} options
 */
export const addDrawing = (ui, { label, paint, into = ui.stage }) => {
  const element = s("svg", { class: "nh-drawing", role: "img", "aria-label": label });
  const place = h("div", { class: "nh-place" }, element);
  into.append(place);
  const repaint = painter(ui, place, (width) => {
    const { children, height } = paint(width, ui.colors());
    fill(element, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    element.replaceChildren(...children.filter((child) => child !== null));
  });
  return { element, repaint };
};
