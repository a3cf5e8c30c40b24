// The function that users pass as `embed`, and the names of models. vectors.js calls it, which few pages load.
import { describe } from "../describe.js";
import { badArgument, PagevecError } from "../errors.js";
import { isModelName } from "../sources/manifest.js";

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
  /** @type {Embed} */
  embed;
  /** @type {string | undefined} */
  model;

  /**
   * @param {unknown} embed
   * @param {unknown} [model] the name in the options, where there is one
   * @param {string} [call] how messages name the call
   */
  constructor(embed, model, call = "open()") {
    if (typeof embed !== "function") throw badArgument(`${call}: embed must be a function that gives the vectors of texts, not ${describe(embed)}`);
    this.embed = /** @type {Embed} */ (embed);
    const own = this.embed.model;
    this.model = toModel(model ?? own, call);
    if (own !== undefined && own !== this.model) throw badArgument(`${call}: model is "${this.model}", but embed.model is ${JSON.stringify(own)}: name one`);
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
