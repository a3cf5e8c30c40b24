// Vectors of texts, made by the function that users pass as `embed`. Nothing is kept: the same text is embedded again.
import { toVector } from "../arguments.js";
import { describe, isTensor } from "../describe.js";
import { aborted, PagevecError, throwIfAborted } from "../errors.js";

/** Texts in one call of `embed`. */
const BATCH = 64;

/**
 * @param {import("./embed.js").Embed} embed
 * @param {string[]} texts
 * @param {number | undefined} dim numbers in a vector; unless given, those of the first one
 * @param {AbortSignal | undefined} signal
 * @param {(done: number) => void} [onBatch] called with the texts that are embedded
 * @returns {Promise<{ data: Float32Array<ArrayBuffer>, dim: number }>} their vectors, one after another
 */
export async function embedTexts(embed, texts, dim, signal, onBatch) {
  let data = new Float32Array(dim === undefined ? 0 : texts.length * dim);
  for (let done = 0; done < texts.length; ) {
    const some = texts.slice(done, done + BATCH);
    for (const [i, row] of (await callEmbed(embed, some, signal)).entries()) {
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
 * @param {import("./embed.js").Embed} embed
 * @param {string[]} texts at most a batch
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<ArrayLike<unknown>[]>} a row for each text, with whatever `embed` put into it
 */
export async function callEmbed(embed, texts, signal) {
  return rowsOf(await call(embed, texts, signal), texts.length);
}

/**
 * @param {import("./embed.js").Embed} embed
 * @param {string[]} texts
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<unknown>}
 */
async function call(embed, texts, signal) {
  throwIfAborted(signal);
  let stop = () => {};
  const stopped = new Promise((_, reject) => {
    stop = () => reject(aborted(signal?.reason));
    signal?.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([stopped, Promise.resolve(embed(texts, { signal }))]);
  } catch (cause) {
    throwIfAborted(signal);
    const { message = String(cause) } = /** @type {Partial<Error>} */ (Object(cause));
    throw new PagevecError("embed", `\`embed\` failed: ${message}`, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
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
