// The options of open(), checked.
import { describe } from "../describe.js";
import { badArgument } from "../errors.js";
import { checkOptions, toBytes, toChoice, toInteger, toSignal } from "../options.js";
import { HTTP_OPTIONS, toHttp } from "../sources/http/options.js";
import { Embedder, toModel } from "../texts/embed.js";

const DEFAULT_BUDGET = 64 * 1024 * 1024;
/** Twice the default memory budget: what `load` brings, and what searches read. */
const DEFAULT_CACHE = 128 * 1024 * 1024;
const OPTIONS = /** @type {const} */ (["memoryBudget", "signal", "filters", "wasm", "cache", "expect", "degraded", "prefetch", "embed", "model", "worker", "onProgress", "onFetch", ...HTTP_OPTIONS]);

/**
 * @typedef {object} OpenSettings
 * @property {number | string} [memoryBudget] bytes of the file held in memory: a number, or a text such as "64MB" (10^6) or "64MiB"
 *   (2^20); 64 MiB unless given
 * @property {AbortSignal} [signal] ends the opening; searches take their own
 * @property {boolean} [filters] whether searches will have filters: true loads the WebAssembly module that has them at once. Unless
 *   given, pages load it at the first call that needs it, in place of a smaller one
 * @property {import("../core/module.js").WasmSource} [wasm] the search module (`pagevec/pagevec.wasm`), where the default URL does not reach it
 * @property {boolean | CacheOptions} [cache] the page store. Unless given, it is on in browsers if no `headers` are given, and off in
 *   Node
 * @property {Expected} [expect] rejects with `stale`
 *   if the index has others, and with `argument` if it has several segments; `generation`: rejects with `stale` if index.json has an
 *   earlier one, as a cache may
 * @property {boolean} [degraded] leaves out segments that are not there or damaged, as `info.missing` tells; unless given, one of
 *   them is an error
 * @property {import("../core/prefetch.js").PrefetchChoice} [prefetch] what is brought into memory in pauses between calls: `"codes"`,
 *   or `"all"`, the graph too; `"none"` unless given
 * @property {import("../texts/embed.js").Embed} [embed] makes vectors of texts, for `search({ text })` and `searchBatch(texts)`. It is
 *   called with an array of at most 64 texts and `{ signal }`, and nothing of what it gives is kept
 * @property {string} [model] what makes the vectors of queries, where `embed.model` does not say it: rejects with `model` if index.json
 *   names another
 * @property {boolean | (() => unknown)} [worker] whether the work is done in a worker of its own, so that searches do not occupy the page's
 *   thread; or a function that starts `pagevec/worker`, where the package's URL does not reach it
 *
 * @typedef {object} Expected
 * @property {string} [contentId] 64 hexadecimal digits, of the segment's bytes
 * @property {string} [fileId] 32 hexadecimal digits, of the segment's input
 * @property {number} [generation] the least generation of index.json
 *
 * @typedef {object} CacheOptions
 * @property {number | string} [bytes] most bytes of the store, as for `memoryBudget`; 128 MiB unless given
 * @property {string} [folder] where the store is, in Node
 *
 * @typedef {OpenSettings & import("../sources/http/options.js").HttpSettings & import("../core/session.js").Listeners} OpenOptions
 *
 * @typedef {{ bytes: number, folder?: string, asked: boolean }} Cache
 * @typedef {OpenOptions & import("../sources/http/request.js").HttpOptions & { memoryBudget: number, cache: Cache | undefined, degraded: boolean, filters: boolean, embedder: import("../texts/embed.js").Embedder | undefined, prefetch: import("../core/prefetch.js").PrefetchChoice }} Checked
 */

/** @param {OpenOptions | undefined} given */
export function toSettings(given) {
  const options = checkOptions("open()", given, OPTIONS);
  for (const name of /** @type {const} */ (["onProgress", "onFetch"])) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw badArgument(`open(): ${name} must be a function`);
  }
  const { memoryBudget = DEFAULT_BUDGET, prefetch = "none", degraded = false, filters = false, expect } = options;
  for (const [name, value] of Object.entries({ degraded, filters })) {
    if (typeof value !== "boolean") throw badArgument(`open(): ${name} must be true or false, not ${describe(value)}`);
  }
  const expected = checkOptions("open(): expect", expect, ["contentId", "fileId", "generation"]);
  if (expected.generation !== undefined) toInteger(expected.generation, "expect.generation", 0);
  for (const [name, digits] of /** @type {const} */ ([["contentId", 64], ["fileId", 32]])) {
    const id = expected[name];
    if (id !== undefined && !(typeof id === "string" && new RegExp(`^[0-9a-f]{${digits}}$`).test(id))) throw badArgument(`open(): expect.${name} must be ${digits} hexadecimal digits`);
  }
  const { worker } = options;
  if (worker !== undefined && typeof worker !== "boolean" && typeof worker !== "function") throw badArgument(`open(): worker must be true, false or a function that gives a Worker, not ${describe(worker)}`);
  if (worker && options.fetch) throw badArgument("open(): a function cannot be sent to a worker: leave out `fetch` or `worker`");
  const embedder = options.embed === undefined ? undefined : new Embedder(options.embed, options.model);
  return {
    ...options,
    ...toHttp(options),
    embedder,
    model: embedder ? embedder.model : toModel(options.model),
    memoryBudget: toBytes(memoryBudget, "memoryBudget"),
    signal: toSignal(options.signal),
    degraded,
    filters,
    cache: toCache(options),
    prefetch: toChoice(prefetch, ["none", "codes", "all"], "prefetch"),
  };
}

/**
 * A segment never changes, so browsers keep it unless told otherwise; but not if it needed `headers`: it may be private, and
 * others may use the disk.
 * @param {OpenOptions} options
 * @returns {Cache | undefined}
 */
function toCache({ cache, headers }) {
  if (cache === false || (cache === undefined && headers !== undefined)) return undefined;
  if (cache === undefined || cache === true) return { bytes: DEFAULT_CACHE, asked: cache === true };
  if (typeof cache !== "object" || cache === null) throw badArgument(`open(): cache must be true, false or { bytes, folder }, not ${describe(cache)}`);
  const { bytes = DEFAULT_CACHE, folder } = checkOptions("open(): cache", cache, ["bytes", "folder"]);
  if (folder !== undefined && (typeof folder !== "string" || folder === "")) throw badArgument("open(): cache.folder must be a path");
  return { bytes: toBytes(bytes, "cache.bytes"), folder, asked: true };
}
