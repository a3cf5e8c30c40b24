// Arguments that several commands share: which index is read, and how it is searched.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { whole } from "./arguments.js";
import { input, io, ofFile, usage } from "./failure.js";
import { openIndex } from "./platform.js";
import { parseSize } from "./size.js";
import { WrittenFilter } from "../search/filter.js";

/** Bytes of a file that are held where no budget is given. */
const BUDGET = 1 << 30;

/** @type {Record<string, import("./arguments.js").Option>} */
export const SOURCE = {
  io: {
    value: "IO",
    choices: ["mmap", "memory", "pread", "parts"],
    fallback: "mmap",
    help: "How the file is read. mmap, memory: codes and graph are brought into memory first, where they fit 1 GiB. pread: by position, within --memory-budget; parts: the same, from the part files",
  },
  "memory-budget": { value: "SIZE", parse: size, help: "With --io pread or parts: the most bytes of the file to hold in memory, like 64MB or 1GiB [default: 1GiB]" },
};

/** @type {Record<string, import("./arguments.js").Option>} */
export const FILTERED = {
  filter: { value: "JSON", help: `Only rows that match count, like '{"pos": "n", "price": {"$lt": 50}}' (docs/filters.md)` },
};

/** @type {Record<string, import("./arguments.js").Option>} */
export const WANTED = {
  k: { short: "k", value: "K", parse: whole(0), fallback: "10", help: "The number of hits" },
  index: { value: "WHICH", choices: ["auto", "flat", "hnsw", "clusters"], fallback: "auto", help: "Which index is searched: auto takes the graph if it is in memory, else the clusters; flat every row; hnsw the graph; clusters the nearest lists of the clustered index" },
  probes: { value: "N", parse: whole(0), help: "Lists that the clustered index scans: with more it finds more and reads more [default: calibrated by the build]" },
  recall: { value: "PART", parse: float, help: "The part of the true nearest rows that the clustered index should find [default: 0.95]" },
  rescore: { value: "N", parse: whole(0), help: "Candidates that are ranked again by finer rows: with more, more are found [default: enough for the codes]" },
  ...FILTERED,
};

/**
 * Opens the index, and brings into memory what is wanted there.
 * @param {import("./arguments.js").Parsed} parsed
 * @returns {Promise<import("../index.js").Index>}
 */
export async function openSource(parsed) {
  const path = parsed.operand;
  const inMemory = parsed.io === "mmap" || parsed.io === "memory";
  if (inMemory && parsed["memory-budget"] !== undefined) throw usage("--memory-budget applies only to --io pread and --io parts: add one of them, or leave it out");
  checkThere(path);
  try {
    const index = await openIndex(path, { memoryBudget: Math.max(1, parsed["memory-budget"] ?? BUDGET) }, parsed.io === "parts");
    const { graph } = index.info;
    if (inMemory && graph && (parsed.index === "auto" || parsed.index === "hnsw")) {
      // What does not fit is read as it is needed.
      await index.load().catch((error) => (error.code === "argument" ? undefined : Promise.reject(error)));
    }
    return index;
  } catch (error) {
    throw ofFile(path, error);
  }
}

/** @param {string} path */
function checkThere(path) {
  try {
    if (statSync(path).isDirectory() && !existsSync(join(path, "index.json"))) throw input(path, "this folder has no index.json, so it is not an index: `pagevec build` makes one");
  } catch (error) {
    throw error instanceof Error && "exit" in error ? error : io(path, error);
  }
}

/**
 * The options of a search.
 * @param {import("./arguments.js").Parsed} parsed
 * @returns {import("../search/options.js").SearchOptions}
 */
export function toSearch({ k, index, probes, recall, rescore, ef, filter }) {
  if (k === 0) throw usage("-k must be at least 1");
  return { k, index, probes, recall, rescore, ef, ...toFiltered(filter) };
}

/**
 * @param {string | undefined} json
 * @returns {{ filter?: WrittenFilter }}
 */
export function toFiltered(json) {
  return json === undefined ? {} : { filter: new WrittenFilter(json) };
}

/** @param {string} text */
export function size(text) {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new Error("use a number of bytes, or a number with kB, MB, GB, KiB, MiB or GiB, like 64MB");
  return bytes;
}

/** @param {string} text */
function float(text) {
  const number = Number(text);
  if (text.trim() === "" || Number.isNaN(number)) throw new Error("invalid float literal");
  return number;
}
