// open(): finds the bytes, starts the wasm instance, reads the front of the segment, nothing else.
import { describe, isNpy, toInteger, toSignal } from "./arguments.js";
import { badArgument, needs, notify, PagevecError, reading, throwIfAborted, toPagevec, typed } from "./errors.js";
import { Index } from "./index.js";
import { lend, Lost } from "./core/instances.js";
import { resolve, toInput } from "./sources/resolve.js";
import { checkAgainst } from "./sources/manifest.js";
import { Session } from "./core/session.js";
import { toHttp } from "./sources/http/options.js";
import { HttpSource } from "./sources/http/source.js";
import { join, readAll } from "./sources/source.js";
import { loadModule } from "./core/module.js";

/** Enough to learn how long the front is. */
const HEAD = 65536;
const DEFAULT_BUDGET = 64 * 1024 * 1024;
/** Twice the default memory budget: what `load` brings and what searches read. */
const DEFAULT_CACHE = 128 * 1024 * 1024;

/**
 * @typedef {string | URL | Uint8Array | ArrayBuffer | Blob} IndexSource
 *
 * @typedef {object} OpenSettings
 * @property {number} [memoryBudget] bytes of the segment held in memory, 64 MiB unless told
 * @property {AbortSignal} [signal] ends the opening; searches take their own
 * @property {import("./core/module.js").WasmSource} [wasm] the search module, where the default URL does not reach it
 * @property {boolean | { bytes?: number, folder?: string }} [cache] the page store: `bytes` at the most, 128 MiB unless
 *   told; in Node in `folder`. Unless told, on in browsers if no `headers` are given, off in Node
 * @property {{ contentId?: string, fileId?: string }} [expect] rejects with `stale` if the index is another one
 * @property {import("./core/prefetch.js").PrefetchChoice} [prefetch] what is brought here behind the answers: `"codes"`, or
 *   `"all"`, the graph too; nothing unless told
 * @typedef {OpenSettings & import("./sources/http/options.js").HttpSettings & import("./core/session.js").Listeners} OpenOptions
 *
 * @typedef {{ bytes: number, folder?: string, asked: boolean }} Cache
 * @typedef {object} StorePlatform
 * @property {(cache: Cache) => Promise<import("./store/store.js").Store> | undefined} openStore its code is loaded when it
 *   is called, beside the WebAssembly module
 *
 * @typedef {OpenOptions & import("./sources/http/source.js").HttpOptions & { memoryBudget: number, cache: Cache | undefined, prefetch: import("./core/prefetch.js").PrefetchChoice }} Checked
 */

/**
 * @param {import("./sources/resolve.js").Platform & StorePlatform} platform
 * @param {IndexSource} input
 * @param {OpenOptions} [options]
 * @returns {Promise<Index>}
 */
export function openWith(platform, input, options = {}) {
  return typed(() => openChecked(platform, reading(() => toInput(input)), reading(() => toSettings(options))));
}

/**
 * @param {import("./sources/resolve.js").Platform & StorePlatform} platform
 * @param {import("./sources/resolve.js").Input} input
 * @param {Checked} settings
 */
async function openChecked(platform, input, settings) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "AbortController", "URL", "performance"]);
  throwIfAborted(settings.signal);
  const module = loadModule("search", () => new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url), settings.wasm, platform.compile);
  module.catch(() => {}); // heard below, once the bytes are located
  const later = settings.prefetch === "none" ? undefined : import("./core/prefetch.js").catch(() => undefined);
  const { source, entry, manifest } = await resolveStored(platform, input, settings);
  const start = async (alone = false) => {
    const { front, ...started } = await startSession(module, source, entry, settings, alone);
    await source.opened?.(front, started.info.fileId, manifest);
    return started;
  };
  try {
    checkExpected(settings.expect, entry?.contentId, entry?.fileId, source.name);
    const first = await start();
    checkExpected(settings.expect, entry?.contentId, first.info.fileId, source.name);
    const prefetch = later && prefetchOf(await later, settings.prefetch === "all");
    return new Index(source, first, start, settings.memoryBudget, prefetch);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * @param {typeof import("./core/prefetch.js") | undefined} loaded undefined: its script could not be
 * @param {boolean} graph
 * @returns {import("./core/prefetch.js").Prefetcher}
 */
function prefetchOf(loaded, graph) {
  if (loaded) return new loaded.Prefetch(graph);
  const nothing = () => {};
  const why = "its script could not be loaded: service workers do not import() scripts, and a bundler must copy prefetch.js";
  return { stats: { state: "off", why, bytes: 0 }, begin: nothing, pause: nothing, resume: nothing, stop: nothing };
}

/**
 * What is at `input`, with the page store before it if it is remote.
 * @param {import("./sources/resolve.js").Platform & StorePlatform} platform
 * @param {import("./sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<import("./sources/resolve.js").Resolved & { manifest: Uint8Array | undefined }>}
 */
async function resolveStored(platform, input, settings) {
  const { cache } = settings;
  const remote = typeof input === "string" || input instanceof URL;
  // Without its code there is no store, and all else works.
  const opened = remote && cache ? platform.openStore(cache)?.catch(() => undefined) : undefined;
  let url = "";
  /** @type {Uint8Array | undefined} */
  let manifest;
  const { source, entry } = await resolve(platform, input, {
    ...settings,
    manifest: async (name, get) => {
      url = name;
      manifest = await get().catch(async (error) => (await (await opened)?.recallFor(error, name))?.bytes ?? Promise.reject(error));
      return manifest;
    },
  });
  if (!url && source instanceof HttpSource) url = source.name;
  const store = url ? await opened : undefined;
  return { source: store?.wrap(source, url, entry && entry.contentId.slice(0, 32) + entry.fileId) ?? source, entry, manifest };
}

/** @param {OpenOptions} options */
function toSettings(options) {
  if (typeof options !== "object" || options === null) throw badArgument(`open(): the options must be an object, not ${describe(options)}`);
  for (const name of /** @type {const} */ (["onProgress", "onFetch"])) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw badArgument(`open(): ${name} must be a function`);
  }
  const { memoryBudget = DEFAULT_BUDGET, prefetch = "none", expect } = options;
  if (!["none", "codes", "all"].includes(prefetch)) throw badArgument('open(): prefetch must be "none", "codes" or "all"');
  if (expect !== undefined && (typeof expect !== "object" || expect === null)) throw badArgument(`open(): expect must be { contentId } or { fileId }, not ${describe(expect)}`);
  for (const [name, digits] of /** @type {const} */ ([["contentId", 64], ["fileId", 32]])) {
    const id = expect?.[name];
    if (id !== undefined && !(typeof id === "string" && new RegExp(`^[0-9a-f]{${digits}}$`).test(id))) throw badArgument(`open(): expect.${name} must be ${digits} hexadecimal digits`);
  }
  return {
    ...options,
    ...toHttp(options),
    memoryBudget: toInteger(memoryBudget, "memoryBudget"),
    signal: toSignal(options.signal),
    cache: toCache(options),
    prefetch,
  };
}

/**
 * Immutable pages are what a browser's cache is for, so they are kept unless told; but not what needed `headers`, which
 * may be private, on a disk that others may use.
 * @param {OpenOptions} options
 * @returns {Cache | undefined}
 */
function toCache({ cache, headers }) {
  if (cache === false || (cache === undefined && headers !== undefined)) return undefined;
  if (cache === undefined || cache === true) return { bytes: DEFAULT_CACHE, asked: cache === true };
  if (typeof cache !== "object" || cache === null) throw badArgument("open(): cache must be true, false or { bytes, folder }");
  const { bytes = DEFAULT_CACHE, folder } = cache;
  if (folder !== undefined && (typeof folder !== "string" || folder === "")) throw badArgument("open(): cache.folder must be a path");
  return { bytes: toInteger(bytes, "cache.bytes"), folder, asked: true };
}

/**
 * @param {OpenOptions["expect"]} expect
 * @param {string | undefined} contentId
 * @param {string | undefined} fileId undefined: not known yet
 * @param {string} name
 */
function checkExpected(expect, contentId, fileId, name) {
  if (expect?.contentId !== undefined && contentId === undefined) {
    throw badArgument(`open(): ${name} has no index.json, and only that knows the content id: open its folder, or expect a fileId`);
  }
  for (const [what, wanted, found] of [["contentId", expect?.contentId, contentId], ["fileId", expect?.fileId, fileId]]) {
    if (wanted === undefined || found === undefined || wanted === found) continue;
    throw new PagevecError("stale", `${name} has ${what} ${found}, not ${wanted} as expected: it was replaced, or a cache has another version`);
  }
}

/**
 * @param {Promise<WebAssembly.Module>} module
 * @param {import("./sources/source.js").Source} source
 * @param {import("./sources/manifest.js").Entry | undefined} entry
 * @param {Checked} settings
 * @param {boolean} alone in an instance that no other index shares
 * @param {boolean} [again]
 * @returns {Promise<{ session: Session, info: import("./index.js").Info, front: Uint8Array }>}
 */
async function startSession(module, source, entry, settings, alone, again = false) {
  const guess = entry?.front ?? Math.min(HEAD, source.length ?? HEAD);
  // What a manifest claims is not yet trusted with memory; a head of 64 KiB always is.
  if (entry && guess > settings.memoryBudget) throw overBudget(source.name, guess, settings.memoryBudget);
  let [compiled, front] = await Promise.all([module, readFront(source, 0, guess, guess, settings)]);
  const length = source.length ?? front.length;
  for (;;) {
    const lease = await lend(compiled, Math.min(length, settings.memoryBudget), alone);
    /** @type {Session | undefined} */
    let session;
    try {
      const needed = lease.call((glue) => glue.frontLength(front.subarray(0, HEAD), length), source.name);
      if (needed > settings.memoryBudget) throw overBudget(source.name, needed, settings.memoryBudget);
      const missing = needed - front.length;
      if (missing > 0) front = join([front, await readFront(source, front.length, missing, needed, settings)], needed);
      front = front.subarray(0, needed);
      const reader = lease.call((glue) => new glue.Reader(front, length, settings.memoryBudget), source.name);
      session = new Session(reader, lease, source, settings);
      const info = { ...lease.call(() => reader.info()), contentId: entry?.contentId };
      if (entry) checkAgainst(entry, info, source.name);
      return { session, info, front };
    } catch (thrown) {
      const failed = toPagevec(thrown);
      if (session) session.end(failed);
      else lease.end();
      if (failed instanceof Lost) continue;
      // A front that was stored may be damaged: once more, from the host.
      if (!again && failed.code !== "budget" && source.forget?.({ offset: 0, length: guess })) return startSession(module, source, entry, settings, alone, true);
      if (failed.code === "not-a-segment" && isNpy(front)) failed.message = `${source.name} is a .npy file of vectors, not an index of them: make one with build(), or with the command line (\`pagevec build\`)`;
      throw failed;
    }
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
