// Vectors of texts, made by the function that users pass as `embed`. Nothing is kept: the same text is embedded again.
import { toVector } from "../arguments.js";
import { describe, isTensor } from "../describe.js";
import { aborted, badArgument, PagevecError, throwIfAborted } from "../errors.js";
import { isModelName } from "../sources/manifest.js";

/** Texts in one call of `embed`. */
const BATCH = 64;

/**
 * @typedef {import("../arguments.js").Vector} Vector
 * @typedef {object} Tensor as Transformers.js gives it
 * @property {Vector} data all numbers, row-major
 * @property {readonly number[]} dims the number of texts, and of components
 *
 * @typedef {Vector | readonly Vector[] | Tensor} Embedded one vector for each text; or all numbers one after another; or a tensor with
 *   these
 * @typedef {(texts: string[], options: { signal: AbortSignal | undefined }) => Embedded | Promise<Embedded>} EmbedFunction is called with
 *   at most 64 texts
 * @typedef {object} Named
 * @property {string} [model] the name of what makes the vectors
 * @typedef {EmbedFunction & Named} Embed
 */

export class Embedder {
  #embed;
  /** @type {string | undefined} */
  model;

  /**
   * @param {unknown} embed
   * @param {unknown} [model] the name in the options, where there is one
   * @param {string} [call] how messages name the call
   */
  constructor(embed, model, call = "open()") {
    if (typeof embed !== "function") throw badArgument(`${call}: embed must be a function that gives the vectors of texts, not ${describe(embed)}`);
    this.#embed = /** @type {Embed} */ (embed);
    const own = this.#embed.model;
    this.model = toModel(model ?? own, call);
    if (own !== undefined && own !== this.model) throw badArgument(`${call}: model is "${this.model}", but embed.model is ${JSON.stringify(own)}: name one`);
  }

  /**
   * @param {string[]} texts
   * @param {number | undefined} dim numbers in a vector; unless given, those of the first one
   * @param {AbortSignal | undefined} signal
   * @param {(done: number) => void} [onBatch] called with the texts that are embedded
   * @returns {Promise<{ data: Float32Array<ArrayBuffer>, dim: number }>} their vectors, one after another
   */
  async vectors(texts, dim, signal, onBatch) {
    let data = new Float32Array(dim === undefined ? 0 : texts.length * dim);
    for (let done = 0; done < texts.length; ) {
      const some = texts.slice(done, done + BATCH);
      const given = await this.#call(some, signal);
      for (const [i, row] of rowsOf(given, some.length).entries()) {
        dim ??= row.length;
        if (data.length < texts.length * dim) data = new Float32Array(texts.length * dim);
        data.set(toRow(row, dim, done + i), (done + i) * dim);
      }
      done += some.length;
      onBatch?.(done);
    }
    return { data, dim: dim ?? 0 };
  }

  /**
   * @param {string[]} texts
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<unknown>}
   */
  async #call(texts, signal) {
    throwIfAborted(signal);
    let stop = () => {};
    const stopped = new Promise((_, reject) => {
      stop = () => reject(aborted(signal?.reason));
      signal?.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([stopped, Promise.resolve(this.#embed(texts, { signal }))]);
    } catch (cause) {
      throwIfAborted(signal);
      const { message = String(cause) } = /** @type {Partial<Error>} */ (Object(cause));
      throw new PagevecError("embed", `\`embed\` failed: ${message}`, { cause });
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/**
 * Throws `model` if both name a model, and not the same.
 * @param {string | undefined} model of who searches
 * @param {import("../core/info.js").Info} info
 */
export function checkModel(model, info) {
  if (model === undefined || info.model === undefined || model === info.model) return;
  throw new PagevecError("model", `this index has vectors of the model "${info.model}", queries have those of "${model}": embed them with the same, or build the index again`);
}

/**
 * @param {unknown} model
 * @param {string} [call]
 * @returns {string | undefined}
 */
export function toModel(model, call = "open()") {
  if (model === undefined || isModelName(model)) return model;
  throw badArgument(`${call}: model must be the name of a model, 1 to 200 characters, not ${describe(model)}`);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string[]} a copy
 */
export function toTexts(value, name) {
  return Array.from(/** @type {unknown[]} */ (value), (text, i) => {
    if (typeof text === "string") return text;
    throw badArgument(`${name} ${i} is ${describe(text)}, but ${name} 0 is a text: use one kind`);
  });
}

/**
 * @param {unknown} given by `embed`
 * @param {number} count of texts
 * @returns {ArrayLike<unknown>[]} a row for each text
 */
function rowsOf(given, count) {
  const { data } = /** @type {{ data?: unknown }} */ (Object(given));
  const value = isTensor(given) && typeof data !== "function" ? data : given;
  const flat = ArrayBuffer.isView(value) && !(value instanceof DataView) ? /** @type {Float32Array} */ (value) : Array.isArray(value) && typeof value[0] === "number" ? value : undefined;
  if (flat) {
    const width = flat.length / count;
    if (!Number.isInteger(width) || width === 0) throw wrong(`${flat.length} numbers`, count);
    return Array.from({ length: count }, (_, row) => flat.slice(row * width, (row + 1) * width));
  }
  if (!Array.isArray(value)) throw wrong(describe(value), count);
  if (value.length !== count) throw wrong(`${value.length} vectors`, count);
  return value;
}

/**
 * @param {ArrayLike<unknown>} row
 * @param {number} dim
 * @param {number} text
 */
function toRow(row, dim, text) {
  const name = `the vector that \`embed\` gave for text ${text}`;
  try {
    const vector = toVector(row, dim, name);
    const at = vector.findIndex((number) => !Number.isFinite(number));
    if (at >= 0) throw new PagevecError("not-finite", `${name} has ${vector[at]} at ${at}: check what the model returned`);
    return vector;
  } catch (cause) {
    const { code, message } = /** @type {PagevecError} */ (cause);
    throw code === "argument" ? new PagevecError("embed", message, { cause }) : cause;
  }
}

/**
 * @param {string} given
 * @param {number} count
 */
function wrong(given, count) {
  return new PagevecError("embed", `\`embed\` gave ${given} for ${count === 1 ? "1 text" : `${count} texts`}: it must give one vector for each text, in their order`);
}
