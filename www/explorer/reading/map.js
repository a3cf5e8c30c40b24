// The map of the index file: its bytes as lines of a page, from the first to the last, in three colours: read by this search, read
// before, not read.
import { size, sizeWithin, union } from "./extents.js";

const LINE = 12;
const GAP = 3;
/** A read of a few bytes would not be seen in its true width. */
const LEAST = 2;

/** @typedef {import("./extents.js").Extents} Extents */
/** @typedef {{ name: string, offset: number, length: number }} Section */

export class FileMap {
  #canvas;
  #fileLength = 0;
  /** @type {Section[]} */
  #sections = [];
  /** @type {Extents} */
  #before = [];
  /** @type {Extents} */
  #now = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {{ fileLength: number, sections: Section[] }} info of another index, of which nothing was read */
  open({ fileLength, sections }) {
    this.#fileLength = fileLength;
    this.#sections = sections;
    this.show([], []);
  }

  /** @param {Extents} before @param {Extents} now in any order */
  show(before, now) {
    this.#before = union(before);
    this.#now = union(now);
    this.#draw();
  }

  /** Bytes of each colour: together they are the file. */
  get sizes() {
    const now = size(this.#now);
    const all = size(union([...this.#before, ...this.#now].map(([from, to]) => [from, to])));
    return { now, before: all - now, unread: this.#fileLength - all };
  }

  /** What was read now of each section, of the largest part first. */
  get sections() {
    return this.#sections.map((section) => ({ ...section, now: sizeWithin(this.#now, section.offset, section.offset + section.length) }));
  }

  /** The section under a point of the canvas, in CSS pixels. @param {number} x @param {number} y @returns {Section | undefined} */
  at(x, y) {
    const { lines, perLine } = this.#shape();
    const offset = (Math.min(lines - 1, Math.floor(y / LINE)) + x / this.#canvas.clientWidth) * perLine;
    return this.#sections.find((section) => offset >= section.offset && offset < section.offset + section.length);
  }

  #shape() {
    const lines = Math.max(1, Math.floor((this.#canvas.clientHeight + GAP) / LINE));
    return { lines, perLine: Math.max(1, this.#fileLength / lines) };
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context || !this.#fileLength || !width) return;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const layers = /** @type {[string, Extents][]} */ ([["--unread", [[0, this.#fileLength]]], ["--before", this.#before], ["--now", this.#now]]);
    for (const [colour, extents] of layers) {
      context.fillStyle = style.getPropertyValue(colour).trim();
      for (const [from, to] of extents) this.#fill(context, from, to, width);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} from @param {number} to @param {number} width */
  #fill(context, from, to, width) {
    const { lines, perLine } = this.#shape();
    for (let line = Math.floor(from / perLine); line < lines && line * perLine < to; line++) {
      const start = (Math.max(0, from / perLine - line)) * width;
      const end = Math.min(1, to / perLine - line) * width;
      context.fillRect(Math.min(start, width - LEAST), line * LINE, Math.max(LEAST, end - start), LINE - GAP);
    }
  }
}
