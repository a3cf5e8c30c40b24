// Pictures on a canvas, drawn anew when its size or the colours of the page change: ranges of bytes, and lines over time.

/** @typedef {[from: number, to: number][]} Ranges */

/** A canvas in pixels of the screen, and the colours that the page's style names. */
class Picture {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  redraw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const context = this.canvas.getContext("2d");
    if (!context || !width) return;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.canvas);
    this.paint(context, width, height, (name) => style.getPropertyValue(`--${name}`).trim());
  }

  /** @param {CanvasRenderingContext2D} _context @param {number} _width @param {number} _height @param {(name: string) => string} _colour */
  paint(_context, _width, _height, _colour) {}
}

/** Bytes as lines of a page, from the first to the last: each layer has a colour and covers those before it. */
export class Bytes extends Picture {
  #total = 0;
  /** @type {{ colour: string, ranges: Ranges }[]} */
  #layers = [];
  #line;
  #gap;

  /** @param {HTMLCanvasElement} canvas @param {number} [line] its height; 0: one line, as high as the canvas */
  constructor(canvas, line = 0) {
    super(canvas);
    this.#line = line;
    this.#gap = line ? 3 : 0;
  }

  /** @param {number} total @param {{ colour: string, ranges: Ranges }[]} layers */
  show(total, layers) {
    this.#total = total;
    this.#layers = layers;
    this.redraw();
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {(name: string) => string} colour */
  paint(context, width, height, colour) {
    const high = this.#line || height;
    const lines = Math.max(1, Math.floor((height + this.#gap) / high));
    const perLine = Math.max(1, this.#total / lines);
    for (const { colour: name, ranges } of this.#layers) {
      context.fillStyle = colour(name);
      for (const [from, to] of ranges) {
        for (let line = Math.floor(from / perLine); line < lines && line * perLine < to; line++) {
          const start = Math.max(0, from / perLine - line) * width;
          const end = Math.min(1, to / perLine - line) * width;
          // What is narrower than a pixel would not be seen.
          context.fillRect(Math.min(start, width - 1), line * high, Math.max(1, end - start), high - this.#gap);
        }
      }
    }
  }
}

/** Lines over time, the newest at the right. */
export class Lines extends Picture {
  /** @type {Record<string, number[]>} */
  #series = {};
  #least;
  #most;

  /** @param {HTMLCanvasElement} canvas @param {number} [least] points that the whole width has @param {number} [most] points that are shown */
  constructor(canvas, least = 24, most = 240) {
    super(canvas);
    this.#least = least;
    this.#most = most;
  }

  /** @param {Record<string, number>} values by the names of their colours */
  add(values) {
    for (const [name, value] of Object.entries(values)) this.#series[name] = [...(this.#series[name] ?? []), value].slice(-this.#most);
    this.redraw();
  }

  clear() {
    this.#series = {};
    this.redraw();
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {(name: string) => string} colour */
  paint(context, width, height, colour) {
    const all = Object.entries(this.#series);
    const top = 1.08 * Math.max(1, ...all.flatMap(([, values]) => values));
    for (const [name, values] of all) {
      context.strokeStyle = colour(name);
      context.lineWidth = 2;
      context.setLineDash(name === "limit" ? [5, 4] : []);
      context.beginPath();
      const step = width / Math.max(1, Math.max(this.#least, values.length) - 1);
      values.forEach((value, at) => {
        const [x, y] = [at * step, height - 1 - (value / top) * (height - 3)];
        at === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
      });
      if (values.length === 1) context.lineTo(step, height - 1 - (values[0] / top) * (height - 3));
      context.stroke();
    }
  }
}
