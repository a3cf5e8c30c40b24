// open(): finds the bytes, starts a WebAssembly instance, and reads the front of the file: nothing else.
import { lend, Lost } from "./core/instances.js";
import { loadModule } from "./core/module.js";
import { infoOf, openReader } from "./core/protocol.js";
import { Session } from "./core/session.js";
import { describe, isNpy } from "./describe.js";
import { badArgument, needs, notify, PagevecError, reading, throwIfAborted, toPagevec, typed } from "./errors.js";
import { Index } from "./index.js";
import { checkOptions, toBytes, toChoice, toSignal } from "./options.js";
import { HTTP_OPTIONS, toHttp } from "./sources/http/options.js";
import { HttpSource } from "./sources/http/source.js";
import { checkAgainst } from "./sources/manifest.js";
import { resolve, toInput } from "./sources/resolve.js";
import { join, readAll } from "./sources/source.js";

/** Bytes from 0 that tell how long the front is. */
const HEAD = 65536;
const DEFAULT_BUDGET = 64 * 1024 * 1024;
/** Twice the default memory budget: what `load` brings, and what searches read. */
const DEFAULT_CACHE = 128 * 1024 * 1024;
const OPTIONS = /** @type {const} */ (["memoryBudget", "signal", "wasm", "cache", "expect", "prefetch", "onProgress", "onFetch", ...HTTP_OPTIONS]);

/**
 * @typedef {string | URL | Uint8Array | ArrayBuffer | Blob} IndexSource
 *
 * @typedef {object} OpenSettings
 * @property {number | string} [memoryBudget] bytes of the file held in memory: a number, or a text such as "64MB" (10^6) or "64MiB"
 *   (2^20); 64 MiB unless given
 * @property {AbortSignal} [signal] ends the opening; searches take their own
 * @property {import("./core/module.js").WasmSource} [wasm] the search module, where the default URL does not reach it
 * @property {boolean | CacheOptions} [cache] the page store. Unless given, it is on in browsers if no `headers` are given, and off in
 *   Node
 * @property {{ contentId?: string, fileId?: string }} [expect] 64 or 32 hexadecimal digits: rejects with `stale` if the index has
 *   others
 * @property {import("./core/prefetch.js").PrefetchChoice} [prefetch] what is brought into memory in pauses between calls: `"codes"`,
 *   or `"all"`, the graph too; `"none"` unless given
 *
 * @typedef {object} CacheOptions
 * @property {number | string} [bytes] most bytes of the store, as for `memoryBudget`; 128 MiB unless given
 * @property {string} [folder] where the store is, in Node
 *
 * @typedef {OpenSettings & import("./sources/http/options.js").HttpSettings & import("./core/session.js").Listeners} OpenOptions
 *
 * @typedef {{ bytes: number, folder?: string, asked: boolean }} Cache
 * @typedef {object} Platform the parts that differ between browsers and Node
 * @property {import("./core/module.js").Compile} compile
 * @property {import("./sources/resolve.js").OpenPath} openPath
 * @property {(cache: Cache) => Promise<import("./store/store.js").Store> | undefined} openStore loads the store's code when it is
 *   called, at the same time as the WebAssembly module
 *
 * @typedef {OpenOptions & import("./sources/http/request.js").HttpOptions & { memoryBudget: number, cache: Cache | undefined, prefetch: import("./core/prefetch.js").PrefetchChoice }} Checked
 */

/**
 * @param {Platform} platform
 * @param {IndexSource} input
 * @param {OpenOptions} [options]
 * @returns {Promise<Index>}
 */
export function openWith(platform, input, options) {
  return typed(() => openChecked(platform, reading(() => toInput(input)), reading(() => toSettings(options))));
}

/**
 * @param {Platform} platform
 * @param {import("./sources/resolve.js").Input} input
 * @param {Checked} settings
 */
async function openChecked(platform, input, settings) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "AbortController", "URL", "performance"]);
  throwIfAborted(settings.signal);
  const module = loadModule("search", () => new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url), settings.wasm, platform.compile);
  module.catch(() => {}); // thrown below, once the bytes are found
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
 * @param {typeof import("./core/prefetch.js") | undefined} loaded undefined: the script could not be loaded
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
 * The source that `input` names, behind the page store if it is remote.
 * @param {Platform} platform
 * @param {import("./sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<import("./sources/resolve.js").Resolved & { manifest: Uint8Array | undefined }>}
 */
async function resolveStored(platform, input, settings) {
  const { cache } = settings;
  const remote = typeof input === "string" || input instanceof URL;
  // If the store's code cannot be loaded there is no store, and all else works.
  const opened = remote && cache ? platform.openStore(cache)?.catch(() => undefined) : undefined;
  let url = "";
  /** @type {Uint8Array | undefined} */
  let manifest;
  const { source, entry } = await resolve(platform.openPath, input, {
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

/** @param {OpenOptions | undefined} given */
function toSettings(given) {
  const options = checkOptions("open()", given, OPTIONS);
  for (const name of /** @type {const} */ (["onProgress", "onFetch"])) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw badArgument(`open(): ${name} must be a function`);
  }
  const { memoryBudget = DEFAULT_BUDGET, prefetch = "none", expect } = options;
  const expected = checkOptions("open(): expect", expect, ["contentId", "fileId"]);
  for (const [name, digits] of /** @type {const} */ ([["contentId", 64], ["fileId", 32]])) {
    const id = expected[name];
    if (id !== undefined && !(typeof id === "string" && new RegExp(`^[0-9a-f]{${digits}}$`).test(id))) throw badArgument(`open(): expect.${name} must be ${digits} hexadecimal digits`);
  }
  return {
    ...options,
    ...toHttp(options),
    memoryBudget: toBytes(memoryBudget, "memoryBudget"),
    signal: toSignal(options.signal),
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
 * @param {boolean} alone whether it gets an instance that no other index shares
 * @param {boolean} [again]
 * @returns {Promise<{ session: Session, info: import("./index.js").Info, front: Uint8Array }>}
 */
async function startSession(module, source, entry, settings, alone, again = false) {
  const guess = entry?.front ?? Math.min(HEAD, source.length ?? HEAD);
  // Memory for a head of 64 KiB is always there; for more, the manifest's claim is checked first.
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
      const reader = lease.call((glue) => openReader(glue, front, { fileLength: length, memoryBudget: settings.memoryBudget }), source.name);
      session = new Session(reader, lease, source, settings);
      const info = { ...lease.call(() => infoOf(reader)), contentId: entry?.contentId };
      if (entry) checkAgainst(entry, info, source.name);
      return { session, info, front };
    } catch (thrown) {
      const failed = toPagevec(thrown);
      if (session) session.end(failed);
      else lease.end();
      if (failed instanceof Lost) continue;
      // A stored front may be damaged: it is read once more, from the host.
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
