// The files of a segment, read as the one that they make.
import { join } from "node:path";
import { slicesOf } from "../../folder/entry.js";
import { io } from "../failure.js";
import { InputFile } from "./files.js";

/** @typedef {{ path: string, offset: number, length: number }} Piece a file that holds these bytes of a segment, and no others */

/**
 * The files of a segment in a folder: its file, or else its parts.
 * @param {string} folder
 * @param {Pick<import("../../folder/entry.js").Entry, "file" | "length" | "parts">} entry
 * @returns {Piece[]}
 */
export function piecesOf(folder, { file, length, parts }) {
  const slices = slicesOf(file === undefined ? { length, parts } : { file, length });
  return slices.map(({ name, ...slice }) => ({ path: join(folder, name), ...slice }));
}

/** Files that are read as the one that they make. One of them is open at a time. */
export class Pieces {
  /** @type {{ piece: Piece, file: InputFile } | undefined} */
  #open;

  /** @param {Piece[]} pieces */
  constructor(pieces) {
    this.pieces = pieces;
    const { offset, length } = pieces[pieces.length - 1];
    /** Bytes of the whole. */
    this.length = offset + length;
    this.reader = this.read.bind(this);
  }

  /**
   * @param {number} offset
   * @param {number} wanted
   * @returns {Uint8Array}
   */
  read(offset, wanted) {
    /** @type {Uint8Array[]} */
    const read = [];
    for (let at = offset; at < offset + wanted; ) {
      const { piece, file } = this.#around(at);
      const part = file.read(at - piece.offset, Math.min(offset + wanted, piece.offset + piece.length) - at);
      read.push(part);
      at += part.length;
    }
    return read.length === 1 ? read[0] : Buffer.concat(read);
  }

  /** @param {number} at a byte of the whole */
  #around(at) {
    const isIn = ({ offset = 0, length = 0 }) => offset <= at && at < offset + length;
    if (this.#open && isIn(this.#open.piece)) return this.#open;
    this.close();
    const piece = /** @type {Piece} */ (this.pieces.find(isIn));
    const file = new InputFile(piece.path);
    if (file.length !== piece.length) throw io(piece.path, new Error(`it has ${file.length} bytes, but ${piece.length} were published: copy or publish the folder again`));
    this.#open = { piece, file };
    return this.#open;
  }

  close() {
    this.#open?.file.close();
    this.#open = undefined;
  }
}

