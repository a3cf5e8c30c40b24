// The text of JSON lines, or of one JSON array of objects, cut into objects. It arrives in chunks and is not kept.
import { input, io } from "../failure.js";

/** The longest line or object: 65,535 components of 200 characters and a long id fit. */
const MAX_ROW = 16 << 20;
const UTF16 = "is UTF-16: convert it to UTF-8 first, for example with `iconv -f UTF-16 -t UTF-8`";
const LIST = 'a list where an object is wanted: write {"vector": [0.1, 0.2]}, one a line';
const CUT = "the file ends before its array does: it is cut; copy or write it again";
const [NEWLINE, QUOTE, COMMA, OPENING, ESCAPE, CLOSING, BRACE, END_BRACE] = Buffer.from('\n",[\\]{}');
const SPACES = new Set(Buffer.from(" \t\n\r\f"));

/** The rest of the input, and the number of its first line. */
export class JsonText {
  #chunks;
  #buffer = Buffer.alloc(0);
  #at = 0;
  #line = 1;
  #inArray = false;

  /**
   * @param {AsyncIterable<Uint8Array>} chunks
   * @param {string} path for messages
   */
  constructor(chunks, path) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.path = path;
  }

  /**
   * The next object, and the number of its first line.
   * @param {number} before how many objects came before it
   * @returns {Promise<{ bytes: Uint8Array, line: number } | undefined>}
   */
  async next(before) {
    if (before === 0) this.#inArray = await this.#begins();
    return this.#inArray ? this.#element(before) : this.#nextLine();
  }

  /** Ends the reading. */
  async close() {
    await this.#chunks.return?.();
  }

  /** @param {string} message */
  #fault(message) {
    return input(this.path, `line ${this.#line}: ${message}`);
  }

  /** Brings more bytes behind those that are left; false at the end. */
  async #fill() {
    const { value, done } = await this.#chunks.next().catch((error) => {
      throw io(this.path, error);
    });
    if (done) return false;
    this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), value]);
    this.#at = 0;
    return true;
  }

  /** The next byte, which stays. */
  async #peek() {
    while (this.#at === this.#buffer.length) if (!(await this.#fill())) return undefined;
    return this.#buffer[this.#at];
  }

  #skip() {
    if (this.#buffer[this.#at++] === NEWLINE) this.#line += 1;
  }

  /** The next byte that is no white space. */
  async #peekWord() {
    for (;;) {
      while (this.#at < this.#buffer.length && SPACES.has(this.#buffer[this.#at])) this.#skip();
      if (this.#at < this.#buffer.length) return this.#buffer[this.#at];
      if (!(await this.#fill())) return undefined;
    }
  }

  /** Passes over a byte order mark. Tells whether the rows are in an array, whose bracket is taken. */
  async #begins() {
    const first = await this.#peek();
    if (first === 0xff || first === 0xfe || first === 0) throw input(this.path, UTF16);
    if (first === 0xef) {
      for (const mark of [0xef, 0xbb, 0xbf]) {
        if ((await this.#peek()) !== mark) throw this.#fault("not UTF-8, so not JSON");
        this.#skip();
      }
    }
    if ((await this.#peekWord()) !== OPENING) return false;
    this.#skip();
    const next = await this.#peekWord();
    if (next === BRACE || next === CLOSING || next === undefined) return true;
    throw this.#fault(LIST);
  }

  async #nextLine() {
    if ((await this.#peekWord()) === undefined) return undefined;
    let end = this.#buffer.indexOf(NEWLINE, this.#at);
    while (end < 0) {
      const length = this.#buffer.length - this.#at;
      if (length >= MAX_ROW) throw this.#fault("longer than 16 MiB");
      if (!(await this.#fill())) break;
      end = this.#buffer.indexOf(NEWLINE, length);
    }
    const bytes = this.#buffer.subarray(this.#at, end < 0 ? this.#buffer.length : end);
    if (bytes.length >= MAX_ROW) throw this.#fault("longer than 16 MiB");
    if (bytes[1] === 0) throw input(this.path, UTF16);
    this.#at += bytes.length + (end < 0 ? 0 : 1);
    return { bytes, line: this.#line++ };
  }

  /** @param {number} before */
  async #element(before) {
    let next = await this.#peekWord();
    if (before > 0 && next === COMMA) {
      this.#skip();
      next = await this.#peekWord();
    } else if (before > 0 && next !== undefined && next !== CLOSING) {
      throw this.#fault("a comma or the end of the array is missing");
    }
    if (next === CLOSING) {
      this.#skip();
      if ((await this.#peekWord()) === undefined) return undefined;
      throw this.#fault("more follows the end of the array");
    }
    if (next === undefined) throw this.#fault(CUT);
    if (next !== BRACE) throw this.#fault("an array of objects holds something else");
    return this.#object();
  }

  /** All of an object, to the brace that closes it. */
  async #object() {
    const line = this.#line;
    let [length, depth, inText, escaped] = [0, 0, false, false];
    do {
      if (this.#at + length === this.#buffer.length && !(await this.#fill())) {
        throw this.#fault(CUT);
      }
      const byte = this.#buffer[this.#at + length++];
      if (byte === NEWLINE) this.#line += 1;
      if (escaped) escaped = false;
      else if (byte === ESCAPE) escaped = inText;
      else if (byte === QUOTE) inText = !inText;
      else if (!inText && byte === BRACE) depth += 1;
      else if (!inText && byte === END_BRACE) depth -= 1;
      if (length === MAX_ROW) throw this.#fault("an object longer than 16 MiB");
    } while (depth > 0);
    const bytes = this.#buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    return { bytes, line };
  }
}
