// What few pages use, so that others do not load it: the account of a search, vectors of texts, a batch's hits as arrays, all rows,
// the bytes of an index, and what watches and shows its memory.
import { badArgument, notify } from "../errors.js";
import { readAll } from "../sources/source.js";

export { explanation, reasonFor } from "../core/explain.js";
export { embedTexts } from "../texts/vectors.js";
export { memoryMap } from "./memory/map.js";
export { Pressure } from "./memory/pressure.js";
export { idsOf, rowsOf, rowsTask } from "./rows.js";

/** Bytes of a read. */
const PIECE = 4 << 20;

/**
 * @typedef {import("../core/protocol.js").Hit} Hit
 *
 * @typedef {object} HitArrays the hits of a batch. Those of row `i` are from `offsets[i]` to `offsets[i + 1]`, best first
 * @property {Float64Array | string[]} ids a Float64Array where ids are numbers (`info.ids`)
 * @property {Float32Array} scores a larger one is nearer
 * @property {Uint32Array} offsets one more than there are rows
 * @property {import("../fields/json.js").Fields[]} [fields] of each hit, where they are wanted
 */

/** Collects the hits of a batch, of which no objects stay. */
export class HitColumns {
  /** @type {import("../arguments.js").Id[]} */
  #ids = [];
  /** @type {number[]} */
  #scores = [];
  #offsets = [0];
  /** @type {import("../fields/json.js").Fields[] | undefined} */
  #fields;

  /** @param {boolean} withFields */
  constructor(withFields) {
    if (withFields) this.#fields = [];
  }

  /** @param {Hit[][]} answers */
  add(answers) {
    for (const hits of answers) {
      for (const { id, score, fields } of hits) {
        this.#ids.push(id);
        this.#scores.push(score);
        if (fields) this.#fields?.push(fields);
      }
      this.#offsets.push(this.#ids.length);
    }
  }

  /**
   * @param {import("../core/info.js").Facts["ids"]} kind
   * @returns {HitArrays}
   */
  arrays(kind) {
    const ids = kind === "number" ? Float64Array.from(/** @type {number[]} */ (this.#ids)) : /** @type {string[]} */ (this.#ids);
    return { ids, scores: Float32Array.from(this.#scores), offsets: Uint32Array.from(this.#offsets), ...(this.#fields && { fields: this.#fields }) };
  }
}

/**
 * The bytes of an index as a Blob, which `open` takes.
 * @param {import("../sources/source.js").Source} source
 * @param {import("../core/info.js").Info} info
 * @param {AbortSignal | undefined} signal
 * @param {import("../core/session.js").Listeners["onProgress"]} onProgress
 * @returns {Promise<Blob>}
 */
export async function save(source, { segments, missing }, signal, onProgress) {
  const [{ fileLength: total, dead }] = segments;
  if (segments.length > 1 || missing) throw badArgument(`save(): this index has ${segments.length + (missing?.length ?? 0)} segments, and a file holds one: merge them (\`pagevec merge\`), and open the index again`);
  if (dead > 0) throw badArgument(`save(): ${dead} rows of this segment are dead, which its file does not say: merge it (\`pagevec merge\`), and open the index again`);
  const pieces = [];
  for (let done = 0; done < total; ) {
    const from = done;
    pieces.push(await readAll(source, from, Math.min(PIECE, total - from), signal));
    done += pieces[pieces.length - 1].length;
    notify(onProgress, { phase: "save", done, total });
  }
  return new Blob(/** @type {BlobPart[]} */ (pieces), { type: "application/octet-stream" });
}
