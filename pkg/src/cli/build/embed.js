// `--embed ./embed.mjs`: a module of the user's that makes vectors of texts. It may be the one that the page gives to `open`.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PagevecError } from "../../errors.js";
import { Embedder } from "../../texts/embed.js";
import { callEmbed } from "../../texts/vectors.js";
import { Failure, input, usage } from "../failure.js";

/**
 * @param {string | undefined} path
 * @param {string} field
 * @param {string | undefined} named the model, by --model
 * @returns {Promise<import("../input/jsonl.js").Embedder | undefined>}
 */
export async function embedderOf(path, field, named) {
  if (path === undefined) return undefined;
  const module = await import(pathToFileURL(resolve(path)).href).catch((error) => {
    throw input(path, `the module could not be loaded (${error?.message ?? error})`);
  });
  const embed = module.embed ?? module.default;
  if (typeof embed !== "function") throw usage(`--embed ${path}: it must export a function \`embed\`, or have one as its default: async (texts) => vectors`);
  const { model } = new Embedder(embed, named, "build");
  return { field, model, embed: (texts) => embedded(path, embed, texts) };
}

/**
 * @param {string} path
 * @param {import("../../texts/embed.js").Embed} embed
 * @param {string[]} texts
 * @returns {Promise<ArrayLike<number>[]>}
 */
async function embedded(path, embed, texts) {
  const rows = await callEmbed(embed, texts, undefined).catch((error) => {
    throw error instanceof PagevecError ? new Failure(1, "input", `${path}: ${error.message}`) : error;
  });
  for (const row of rows) {
    const isRow = (Array.isArray(row) || (ArrayBuffer.isView(row) && !(row instanceof DataView))) && Array.from(/** @type {ArrayLike<unknown>} */ (row)).every((x) => typeof x === "number");
    if (!isRow) throw input(path, "`embed` gave something else than arrays of numbers: return a number[] or a Float32Array for each text");
  }
  return /** @type {ArrayLike<number>[]} */ (rows);
}
