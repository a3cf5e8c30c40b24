// The picture of the segment file: a grid of its pages, coloured by section, filled as far as this
// tab has read them. A page lights up when it is fetched and fades to its section's colour.

const CELLS_AT_MOST = 6000;
const FADE_MS = 1400;
const GAP = 1;

/** @typedef {{ name: string, offset: number, length: number }} Section */

export class PagePicture {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.pageBytes = 4096;
    this.fileLength = 0;
    /** @type {Section[]} */
    this.sections = [];
    /** Section of each page; what lies outside of all sections is -1. @type {Int8Array} */
    this.sectionOf = new Int8Array(0);
    /** Bytes of each page that were read. @type {Float64Array} */
    this.read = new Float64Array(0);
    /** When each page was last fetched. @type {Float64Array} */
    this.litAt = new Float64Array(0);
    /** @type {[number, number][]} */
    this.early = [];
    this.drawing = false;
    this.columns = 1;
    this.pitch = 8;
    this.width = 1;
    this.absent = 0.2;
    new ResizeObserver(() => this.layOut()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.layOut());
  }

  /** Another file will be shown: nothing of it is known. */
  forget() {
    this.fileLength = 0;
    this.early = [];
  }

  /** Draws a file of which nothing is known to be here but what `touch` was told before. */
  show(/** @type {{ fileLength: number, sections: Section[] }} */ info) {
    this.fileLength = info.fileLength;
    this.sections = info.sections;
    this.pageBytes = 4096;
    while (info.fileLength / this.pageBytes > CELLS_AT_MOST) this.pageBytes *= 4;
    const pages = Math.ceil(info.fileLength / this.pageBytes);
    this.sectionOf = new Int8Array(pages).map((_, page) => this.largestSection(page));
    this.read = new Float64Array(pages);
    this.litAt = new Float64Array(pages).fill(-Infinity);
    this.layOut();
    for (const [offset, length] of this.early.splice(0)) this.touch(offset, length);
  }

  /** Bytes arrived: their pages light up. Calls before `show` are kept for it. */
  touch(/** @type {number} */ offset, /** @type {number} */ length) {
    if (!this.fileLength) {
      this.early.push([offset, length]);
      return;
    }
    const now = performance.now();
    const end = Math.min(offset + length, this.fileLength);
    for (let page = Math.floor(offset / this.pageBytes); page * this.pageBytes < end; page++) {
      const [from, to] = this.range(page);
      this.read[page] = Math.min(to - from, this.read[page] + Math.min(to, end) - Math.max(from, offset));
      this.litAt[page] = now;
    }
    this.draw();
  }

  /** The page under a point of the canvas. @param {number} x @param {number} y in CSS pixels */
  at(x, y) {
    const column = Math.floor((x / this.width) * this.columns);
    const page = Math.floor(y / this.pitch) * this.columns + column;
    if (column < 0 || column >= this.columns || page < 0 || page >= this.read.length) return undefined;
    const [from, to] = this.range(page);
    return { from, to, read: this.read[page], section: this.sections[this.sectionOf[page]]?.name ?? "header" };
  }

  /** @param {number} page @returns {[number, number]} */
  range(page) {
    return [page * this.pageBytes, Math.min((page + 1) * this.pageBytes, this.fileLength)];
  }

  /** The section that holds most of a page. @param {number} page */
  largestSection(page) {
    const [from, to] = this.range(page);
    let best = -1;
    let most = 0;
    this.sections.forEach(({ offset, length }, i) => {
      const shared = Math.min(to, offset + length) - Math.max(from, offset);
      if (shared > most) [best, most] = [i, shared];
    });
    return best;
  }

  /** Fits the grid to the canvas's width and reads the theme's colours. */
  layOut() {
    if (!this.fileLength) return;
    const width = (this.width = Math.max(1, this.canvas.clientWidth));
    const pages = this.read.length;
    // Larger pages for small files, but never so many rows that the picture leaves the screen.
    this.pitch = pages < 1000 ? 12 : pages < 2600 ? 10 : 7;
    this.columns = Math.max(1, Math.floor(width / this.pitch));
    const height = Math.ceil(pages / this.columns) * this.pitch;
    const ratio = devicePixelRatio || 1;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const style = getComputedStyle(this.canvas);
    this.colours = this.sections.map((_, i) => style.getPropertyValue(`--section-${i % 8}`).trim());
    this.headColour = style.getPropertyValue("--section-head").trim();
    this.litColour = style.getPropertyValue("--lit").trim();
    this.absent = Number(style.getPropertyValue("--absent"));
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.draw();
  }

  /** Draws now, and again each frame until the last light has faded. */
  draw() {
    if (this.drawing || !this.colours) return;
    this.drawing = true;
    requestAnimationFrame((now) => {
      this.drawing = false;
      if (this.paint(now)) this.draw();
    });
  }

  /** @param {number} now @returns {boolean} whether a light is still fading */
  paint(now) {
    const context = this.canvas.getContext("2d");
    if (!context || !this.fileLength) return false;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    // The columns share the width, each edge on a whole pixel.
    const edge = (/** @type {number} */ column) => Math.round((column * (this.width + GAP)) / this.columns);
    let fading = false;
    for (let page = 0; page < this.read.length; page++) {
      const column = page % this.columns;
      const x = edge(column);
      const y = Math.floor(page / this.columns) * this.pitch;
      const [from, to] = this.range(page);
      context.fillStyle = this.colours?.[this.sectionOf[page]] ?? this.headColour ?? "";
      // A page that is not here is a shade of its section; one that is partly here lies between.
      context.globalAlpha = this.read[page] ? 0.45 + 0.55 * (this.read[page] / (to - from)) : this.absent;
      context.fillRect(x, y, edge(column + 1) - x - GAP, this.pitch - GAP);
      const light = this.still ? 0 : 1 - (now - this.litAt[page]) / FADE_MS;
      if (light <= 0) continue;
      fading = true;
      context.globalAlpha = Math.min(1, light);
      context.fillStyle = this.litColour ?? "";
      context.fillRect(x, y, edge(column + 1) - x - GAP, this.pitch - GAP);
    }
    return fading;
  }
}
