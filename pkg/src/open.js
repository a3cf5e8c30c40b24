// open(): finds the bytes, starts a WebAssembly instance, and reads the front of each segment: nothing else.
import { loadModule } from "./core/module.js";
import { Prefetch } from "./core/prefetch.js";
import { startSession } from "./core/start.js";
import { describe } from "./describe.js";
import { badArgument, closed, needs, PagevecError, reading, throwIfAborted, toPagevec, typed } from "./errors.js";
import { Index } from "./index.js";
import { checkOptions, toBytes, toChoice, toInteger, toSignal } from "./options.js";
import { HTTP_OPTIONS, toHttp } from "./sources/http/options.js";
import { HttpSource } from "./sources/http/source.js";
import { isName, resolve, toInput } from "./sources/resolve.js";

const DEFAULT_BUDGET = 64 * 1024 * 1024;
/** Twice the default memory budget: what `load` brings, and what searches read. */
const DEFAULT_CACHE = 128 * 1024 * 1024;
const OPTIONS = /** @type {const} */ (["memoryBudget", "signal", "wasm", "cache", "expect", "degraded", "prefetch", "onProgress", "onFetch", ...HTTP_OPTIONS]);

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
 * @property {{ contentId?: string, fileId?: string, generation?: number }} [expect] 64 or 32 hexadecimal digits: rejects with `stale`
 *   if the index has others, and with `argument` if it has several segments; `generation`: rejects with `stale` if index.json has an
 *   earlier one, as a cache may
 * @property {boolean} [degraded] leaves out segments that are not there or damaged, as `info.missing` tells; unless given, one of
 *   them is an error
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
 * @property {import("./core/module.js").Own} search
 * @property {import("./sources/resolve.js").OpenPath} openPath
 * @property {(cache: Cache) => Promise<import("./store/store.js").Store> | undefined} openStore
 *
 * @typedef {import("./sources/resolve.js").Resolved & { manifest: Uint8Array | undefined, storeOff: string | undefined }} Found
 * @typedef {OpenOptions & import("./sources/http/request.js").HttpOptions & { memoryBudget: number, cache: Cache | undefined, degraded: boolean, prefetch: import("./core/prefetch.js").PrefetchChoice }} Checked
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
  const module = loadModule("search", platform.search, settings.wasm);
  module.catch(() => {}); // thrown below, once the bytes are found
  const find = () => resolveStored(platform, input, settings);
  const { first, files, manifest } = await startCurrent(find, async (found) => {
    checkExpected(settings.expect, found);
    return startSession(module, found, settings, false, settings.degraded);
  });
  const close = () => closeAll(files);
  try {
    checkExpected(settings.expect, files, first.info.fileId);
    await keepOpened(first, files.segments, manifest);
    const left = { ...files, segments: first.opened.map(({ segment }) => segment) };
    const start = (/** @type {boolean} */ alone) => startSession(module, left, settings, alone, false);
    const { storeOff } = files;
    const prefetch = settings.prefetch === "none" ? undefined : new Prefetch(settings.prefetch === "all");
    return new Index(first, { start, close, memoryBudget: settings.memoryBudget, prefetch, storeOff });
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Starts a session over the files that the manifest lists. A writer may have removed them since the manifest was read: where one is
 * gone, and the manifest lists others by now, those are opened.
 * @param {() => Promise<Found>} find
 * @param {(found: Found) => Promise<import("./core/start.js").Started>} start
 */
async function startCurrent(find, start) {
  const listed = (/** @type {Found} */ { segments }) => JSON.stringify(segments.map(({ entry }) => entry));
  let found = await find();
  for (let again = false; ; again = true) {
    const first = await start(found).catch(toPagevec);
    const failed = first instanceof PagevecError;
    const faults = failed ? [first] : (first.info.missing ?? []).map(({ error }) => error);
    const newer = !again && faults.some(({ code }) => code === "not-found") ? await find().catch(() => undefined) : undefined;
    const changed = newer && listed(newer) !== listed(found);
    if (newer && !changed) await closeAll(newer);
    if (!changed && !failed) return { first, files: found, manifest: found.manifest };
    await closeAll(found);
    if (!changed) throw first;
    if (!failed) first.session.end(closed());
    found = newer;
  }
}

/** @param {import("./sources/resolve.js").Resolved} files */
async function closeAll({ segments }) {
  await Promise.all(segments.flatMap(({ source, dead }) => [source.close(), dead?.close()]));
}

/**
 * What was read and is valid goes to the page store, where there is one.
 * @param {import("./core/start.js").Started} started
 * @param {import("./sources/resolve.js").Segment[]} segments those that were left out too: what is stored of them stays
 * @param {Uint8Array | undefined} manifest
 */
async function keepOpened({ opened, info }, segments, manifest) {
  const [{ segment, front }] = opened;
  const [, ...others] = [segment, ...segments.filter((other) => other !== segment)].flatMap(keysOf);
  await segment.source.opened?.(front, info.segments[0].fileId, manifest, others);
  for (const { segment, front, dead } of opened) {
    segment.source.keep?.(0, front);
    segment.dead?.keep?.(0, dead);
  }
}

/**
 * The names of a segment's files in the page store: by content, as only they never change.
 * @param {import("./sources/resolve.js").Segment} segment
 * @returns {string[]}
 */
function keysOf({ entry }) {
  if (!entry) return [];
  return [entry.contentId, ...(entry.dead ? [entry.dead.contentId] : [])].map((contentId) => contentId.slice(0, 32) + entry.fileId);
}

/**
 * The sources that `input` names, behind the page store if they are remote.
 * @param {Platform} platform
 * @param {import("./sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<Found>}
 */
async function resolveStored(platform, input, settings) {
  const { cache } = settings;
  const remote = isName(input);
  /** @type {string | undefined} */
  let storeOff;
  const opened = remote && cache ? platform.openStore(cache)?.catch((error) => void (storeOff = `the page store could not be loaded (${error.message})`)) : undefined;
  let url = "";
  /** @type {Uint8Array | undefined} */
  let manifest;
  const resolved = await resolve(platform.openPath, input, {
    ...settings,
    manifest: async (name, get) => {
      url = name;
      manifest = await get().catch(async (error) => (await (await opened)?.recallFor(error, name))?.bytes ?? Promise.reject(error));
      return manifest;
    },
  });
  if (!url && resolved.segments[0].source instanceof HttpSource) url = resolved.name;
  const store = url ? await opened : undefined;
  if (!store) return { ...resolved, manifest, storeOff };
  const segments = resolved.segments.map(({ source, dead, entry }, i) => {
    const [key, deadKey] = keysOf({ source, entry });
    return { source: (i === 0 ? store : store.beside()).wrap(source, url, key), dead: dead && store.beside().wrap(dead, url, deadKey), entry };
  });
  return { ...resolved, segments, manifest, storeOff };
}

/** @param {OpenOptions | undefined} given */
function toSettings(given) {
  const options = checkOptions("open()", given, OPTIONS);
  for (const name of /** @type {const} */ (["onProgress", "onFetch"])) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw badArgument(`open(): ${name} must be a function`);
  }
  const { memoryBudget = DEFAULT_BUDGET, prefetch = "none", degraded = false, expect } = options;
  if (typeof degraded !== "boolean") throw badArgument(`open(): degraded must be true or false, not ${describe(degraded)}`);
  const expected = checkOptions("open(): expect", expect, ["contentId", "fileId", "generation"]);
  if (expected.generation !== undefined) toInteger(expected.generation, "expect.generation", 0);
  for (const [name, digits] of /** @type {const} */ ([["contentId", 64], ["fileId", 32]])) {
    const id = expected[name];
    if (id !== undefined && !(typeof id === "string" && new RegExp(`^[0-9a-f]{${digits}}$`).test(id))) throw badArgument(`open(): expect.${name} must be ${digits} hexadecimal digits`);
  }
  return {
    ...options,
    ...toHttp(options),
    memoryBudget: toBytes(memoryBudget, "memoryBudget"),
    signal: toSignal(options.signal),
    degraded,
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
 * @param {import("./sources/resolve.js").Resolved} files
 * @param {string | undefined} [inFront] the file id that the front has, once it was read
 */
function checkExpected(expect, { name, generation, segments: [first, ...more] }, inFront) {
  if (!expect) return;
  const { contentId, fileId = inFront } = first.entry ?? {};
  for (const one of /** @type {const} */ (["contentId", "generation"])) {
    if (expect[one] !== undefined && !first.entry) throw badArgument(`open(): ${name} has no index.json, and only that knows the ${one}: open its folder, or expect a fileId`);
  }
  if (more.length > 0 && (expect.contentId ?? expect.fileId) !== undefined) throw badArgument(`open(): ${name} has ${more.length + 1} segments, each with ids of its own: expect a generation`);
  if (expect.generation !== undefined && Number(generation) < expect.generation) {
    throw new PagevecError("stale", `${name} has generation ${generation}, not yet ${expect.generation} as expected: a cache has an earlier version`);
  }
  const label = first.source.name;
  for (const [what, wanted, found] of [["contentId", expect.contentId, contentId], ["fileId", expect.fileId, inFront ?? fileId]]) {
    if (wanted === undefined || found === undefined || wanted === found) continue;
    throw new PagevecError("stale", `${label} has ${what} ${found}, not ${wanted} as expected: it was replaced, or a cache has another version`);
  }
}
