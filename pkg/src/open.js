// open(): finds the bytes, starts the wasm instance, reads the front of the segment, nothing else.
import { instantiate } from "../wasm/search/instance.js";
import { toInteger, toSignal } from "./arguments.js";
import { badArgument, fromWasm, notify, PagevecError, throwIfAborted } from "./errors.js";
import { Index } from "./index.js";
import { locate } from "./locate.js";
import { checkAgainst } from "./manifest.js";
import { Session } from "./session.js";
import { toHttp } from "./sources/http-options.js";
import { join, readAll } from "./sources/source.js";
import { hasRelaxedSimd, loadModule } from "./wasm.js";

/** Enough to learn how long the front is. */
const HEAD = 65536;
const DEFAULT_BUDGET = 64 * 1024 * 1024;
/** The same functions; the second for engines with relaxed SIMD, with which codes are scored faster. */
const PLAIN = new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url);
const RELAXED = new URL("../wasm/relaxed/pagevec_wasm_bg.wasm", import.meta.url);

/**
 * @typedef {string | URL | Uint8Array | ArrayBuffer | Blob} IndexSource
 *
 * @typedef {object} OpenSettings
 * @property {number} [memoryBudget] bytes of the segment held in memory, 64 MiB unless told
 * @property {AbortSignal} [signal] ends the opening; searches take their own
 * @property {import("./wasm.js").WasmSource} [wasm] the search module, where the default URL does not reach it
 * @typedef {OpenSettings & import("./sources/http-options.js").HttpSettings & import("./session.js").Listeners} OpenOptions
 */

/**
 * @param {import("./locate.js").Platform} platform
 * @param {IndexSource} input
 * @param {OpenOptions} [options]
 * @returns {Promise<Index>}
 */
export async function openWith(platform, input, options = {}) {
  const settings = toSettings(options);
  throwIfAborted(settings.signal);
  const module = loadModule(hasRelaxedSimd() ? RELAXED : PLAIN, settings.wasm, platform.compile);
  module.catch(() => {}); // heard below, once the bytes are located
  const { source, entry } = await locate(platform, input, settings);
  const start = () => startSession(module, source, entry, settings);
  try {
    const first = await start();
    return new Index(source, first, start, settings.memoryBudget);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** @param {OpenOptions} options */
function toSettings(options) {
  if (typeof options !== "object" || options === null) throw badArgument("open(): the options must be an object");
  for (const name of /** @type {const} */ (["onProgress", "onFetch"])) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw badArgument(`open(): ${name} must be a function`);
  }
  const { memoryBudget = DEFAULT_BUDGET } = options;
  return { ...options, ...toHttp(options), memoryBudget: toInteger(memoryBudget, "memoryBudget"), signal: toSignal(options.signal) };
}

/**
 * @param {Promise<WebAssembly.Module>} module
 * @param {import("./sources/source.js").Source} source
 * @param {import("./manifest.js").Entry | undefined} entry
 * @param {OpenOptions & { memoryBudget: number }} settings
 */
async function startSession(module, source, entry, settings) {
  const guess = entry?.front ?? Math.min(HEAD, source.length ?? HEAD);
  // What a manifest claims is not yet trusted with memory; a head of 64 KiB always is.
  if (entry && guess > settings.memoryBudget) throw overBudget(source.name, guess, settings.memoryBudget);
  const [glue, head] = await Promise.all([module.then(instantiate), readFront(source, 0, guess, guess, settings)]);
  const length = source.length ?? head.length;
  try {
    const needed = glue.frontLength(head.subarray(0, HEAD), length);
    if (needed > settings.memoryBudget) throw overBudget(source.name, needed, settings.memoryBudget);
    const missing = needed - head.length;
    const front = missing > 0 ? join([head, await readFront(source, head.length, missing, needed, settings)], needed) : head.subarray(0, needed);
    const reader = new glue.Reader(front, length, settings.memoryBudget);
    const info = reader.info();
    if (entry) checkAgainst(entry, info, source.name);
    return { session: new Session(reader, glue.memory, source, settings), info };
  } catch (error) {
    throw fromWasm(error, source.name);
  }
}

/**
 * @param {import("./sources/source.js").Source} source
 * @param {number} offset
 * @param {number} length
 * @param {number} total of the front
 * @param {OpenOptions} settings
 */
async function readFront(source, offset, length, total, { signal, onProgress, onFetch }) {
  const bytes = await readAll(source, offset, length, signal, (done) => notify(onProgress, { phase: "open", done: offset + done, total }));
  throwIfAborted(signal);
  notify(onFetch, { offset, length: bytes.length });
  return bytes;
}

/**
 * @param {string} name
 * @param {number} needed
 * @param {number} budget
 */
function overBudget(name, needed, budget) {
  return new PagevecError("budget", `${name} needs ${needed} bytes to open, the memoryBudget is ${budget}: raise it`);
}
