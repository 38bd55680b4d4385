// A pen that writes an SVG picture.

/** @param {number} value */
const short = (value) => String(Math.round(100 * value) / 100);

/** @param {string} text */
const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export class SvgPen {
  /** @param {number} width of the picture, which is square */
  constructor(width) {
    this.width = width;
    /** @type {string[]} */
    this.elements = [];
    this.path = "";
    /** @type {string | CanvasGradient | CanvasPattern} */
    this.fillStyle = "#000";
    /** @type {string | CanvasGradient | CanvasPattern} */
    this.strokeStyle = "#000";
    this.lineWidth = 1;
    /** @type {CanvasLineCap} */
    this.lineCap = "butt";
    this.globalAlpha = 1;
  }

  beginPath() {
    this.path = "";
  }

  /** @type {(x: number, y: number) => void} */
  moveTo(x, y) {
    this.path += `M${short(x)} ${short(y)}`;
  }

  /** @type {(x: number, y: number) => void} */
  lineTo(x, y) {
    this.path += `L${short(x)} ${short(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  /** @type {(x: number, y: number, width: number, height: number) => void} */
  rect(x, y, width, height) {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }

  /**
   * A whole circle: no other arc is drawn.
   * @type {(x: number, y: number, radius: number, from: number, to: number) => void}
   */
  arc(x, y, radius) {
    const [r, d] = [short(radius), short(2 * radius)];
    this.path += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0Z`;
  }

  fill() {
    this.add(`fill="${this.fillStyle}"`);
  }

  stroke() {
    this.add(
      `fill="none" stroke="${this.strokeStyle}" stroke-width="${short(this.lineWidth)}" ` +
        `stroke-linecap="${this.lineCap}"`,
    );
  }

  /** @param {string} style */
  add(style) {
    if (!this.path) return;
    const faint = this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : "";
    this.elements.push(`<path d="${this.path}" ${style}${faint}/>`);
  }

  /**
   * The file.
   * @param {string} title
   */
  text(title) {
    const { width, elements } = this;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${width}" ` +
        `viewBox="0 0 ${width} ${width}" role="img">`,
      `<title>${escaped(title)}</title>`,
      ...elements,
      "</svg>",
      "",
    ].join("\n");
  }
}
