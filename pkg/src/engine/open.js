// Opens an index in this thread: finds the bytes, starts a WebAssembly instance, and reads the front of each segment: nothing else.
import { hasFilters, loadGiven, loadModule } from "../core/module.js";
import { Prefetch } from "../core/prefetch.js";
import { startSession } from "../core/start.js";
import { badArgument, closed, needs, PagevecError, throwIfAborted, toPagevec } from "../errors.js";
import { HttpSource } from "../sources/http/source.js";
import { isName, resolve } from "../sources/resolve.js";
import { LocalEngine } from "./local.js";

/**
 * @typedef {object} Platform what differs between pages, Node and edge runtimes
 * @property {import("../core/module.js").Own} search gives the module that an index opens with
 * @property {import("../core/module.js").Own} [filter] the one with filters, where the other has none
 * @property {import("../sources/resolve.js").OpenPath} openPath
 * @property {(cache: import("./settings.js").Cache) => Promise<import("../store/store.js").Store> | undefined} openStore loads the store's code
 *   when it is called, at the same time as the WebAssembly module
 * @property {() => Promise<typeof import("./extras.js")>} loadExtras
 * @property {(input: import("../sources/resolve.js").Input, settings: Checked) => Promise<import("./engine.js").Engine>} [openInWorker] where
 *   workers can be started
 *
 * @typedef {import("./settings.js").Checked} Checked
 * @typedef {import("../sources/resolve.js").Resolved & { manifest: Uint8Array | undefined, storeOff: string | undefined }} Found
 */

/**
 * @param {Platform} platform
 * @param {import("../sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function openEngine(platform, input, settings) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "AbortController", "URL", "performance"]);
  throwIfAborted(settings.signal);
  const { search, filter = search } = platform;
  const withFilters = () => loadModule("filter", filter, undefined);
  const own = () => (settings.filters ? withFilters() : loadModule(filter === search ? "filter" : "search", search, undefined));
  const module = settings.wasm === undefined ? own() : loadGiven("search", settings.wasm);
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
    /** @type {ConstructorParameters<typeof LocalEngine>[1]["start"]} */
    const start = async (alone, filters, memoryBudget) => {
      const compiled = await module;
      return startSession(filters && !hasFilters(compiled) ? withFilters() : module, left, { ...settings, memoryBudget }, alone, false);
    };
    const prefetch = settings.prefetch === "none" ? undefined : new Prefetch(settings.prefetch === "all");
    const { memoryBudget, onProgress } = settings;
    return new LocalEngine(first, { start, close, memoryBudget, prefetch, storeOff: files.storeOff, loadExtras: platform.loadExtras, onProgress });
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Starts a session over the files that the manifest lists. A writer may have removed them since the manifest was read: where one is
 * gone, and the manifest lists others by now, those are opened.
 * @param {() => Promise<Found>} find
 * @param {(found: Found) => Promise<import("../core/start.js").Started>} start
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

/** @param {import("../sources/resolve.js").Resolved} files */
async function closeAll({ segments }) {
  await Promise.all(segments.flatMap(({ source, dead }) => [source.close(), dead?.close()]));
}

/**
 * What was read and is valid goes to the page store, where there is one.
 * @param {import("../core/start.js").Started} started
 * @param {import("../sources/resolve.js").Segment[]} segments those that were left out too: what is stored of them stays
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
 * @param {import("../sources/resolve.js").Segment} segment
 * @returns {string[]}
 */
function keysOf({ entry }) {
  if (!entry) return [];
  return [entry.contentId, ...(entry.dead ? [entry.dead.contentId] : [])].map((contentId) => contentId.slice(0, 32) + entry.fileId);
}

/**
 * The sources that `input` names, behind the page store if they are remote.
 * @param {Platform} platform
 * @param {import("../sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<Found>}
 */
async function resolveStored(platform, input, settings) {
  const { cache } = settings;
  const remote = isName(input);
  // If the store's code cannot be loaded there is no store, and all else works.
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

/**
 * @param {Checked["expect"]} expect
 * @param {import("../sources/resolve.js").Resolved} files
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
