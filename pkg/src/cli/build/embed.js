// `--embed ./embed.mjs`: a module of the user's that makes vectors of texts.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure, input, usage } from "../failure.js";

/**
 * @param {string | undefined} path
 * @param {string} field
 * @returns {Promise<import("../input/jsonl.js").Embedder | undefined>}
 */
export async function embedderOf(path, field) {
  if (path === undefined) return undefined;
  const module = await import(pathToFileURL(resolve(path)).href).catch((error) => {
    throw input(path, `the module could not be loaded (${error?.message ?? error})`);
  });
  const embed = module.embed ?? module.default;
  if (typeof embed !== "function") throw usage(`--embed ${path}: it must export a function \`embed\`, or have one as its default: async (texts) => vectors`);
  return { field, embed: (texts) => embedded(path, embed, texts) };
}

/**
 * @param {string} path
 * @param {(texts: string[]) => unknown} embed
 * @param {string[]} texts
 * @returns {Promise<ArrayLike<number>[]>}
 */
async function embedded(path, embed, texts) {
  /** @type {any} */
  let vectors;
  try {
    vectors = await embed(texts);
  } catch (error) {
    throw new Failure(1, "input", `${path}: embed() failed (${/** @type {Error} */ (Object(error)).message ?? error})`);
  }
  // Models give all vectors in one array as well.
  if (ArrayBuffer.isView(vectors) && !(vectors instanceof DataView)) {
    const all = /** @type {Float32Array} */ (vectors);
    const dim = all.length / texts.length;
    vectors = Number.isInteger(dim) && dim > 0 ? texts.map((_, i) => all.subarray(i * dim, (i + 1) * dim)) : all;
  }
  const rows = Array.isArray(vectors) ? vectors : [];
  if (rows.length !== texts.length) throw input(path, `embed() returned ${Array.isArray(vectors) ? `${rows.length} vectors` : "no array of vectors"} for ${texts.length} texts: return one vector for each`);
  for (const row of rows) {
    const isRow = (Array.isArray(row) || (ArrayBuffer.isView(row) && !(row instanceof DataView))) && Array.from(/** @type {ArrayLike<unknown>} */ (row)).every((x) => typeof x === "number");
    if (!isRow) throw input(path, "embed() returned something else than arrays of numbers: return a number[] or a Float32Array for each text");
  }
  return rows;
}
