// Opens an index in this thread: finds the bytes, starts a WebAssembly instance, and reads the front of each segment: nothing else.
import { loadModule } from "../core/module.js";
import { startSession } from "../core/start.js";
import { badArgument, closed, needs, PagevecError, throwIfAborted, toPagevec } from "../errors.js";
import { HttpSource } from "../sources/http/source.js";
import { resolve } from "../sources/resolve.js";
import { LocalEngine } from "./local.js";

/**
 * @typedef {object} Opener the parts of an opening that differ between browsers and Node
 * @property {import("../core/module.js").Compile} compile
 * @property {import("../sources/resolve.js").OpenPath} openPath
 * @property {(cache: import("./settings.js").Cache) => Promise<import("../store/store.js").Store> | undefined} openStore loads the store's code
 *   when it is called, at the same time as the WebAssembly module
 * @property {() => Promise<typeof import("../core/prefetch.js")>} loadPrefetch
 * @property {() => Promise<typeof import("./extras.js")>} loadExtras
 *
 * @typedef {object} Workers
 * @property {(input: string | URL) => string} locate what a worker, which may have another base, finds the same under
 * @property {(make?: () => unknown) => (events: import("./remote/peer.js").PortEvents) => import("./remote/peer.js").Port} workerStarter of the package's own
 *   worker, or of the one that `make` gives
 *
 * @typedef {Opener & Partial<Workers>} Platform without workers where nothing asks for them
 *
 * @typedef {import("./settings.js").Checked} Checked
 * @typedef {import("../sources/resolve.js").Resolved & { manifest: Uint8Array | undefined }} Found
 */

/**
 * @param {Opener} platform
 * @param {import("../sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function openEngine(platform, input, settings) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "AbortController", "URL", "performance"]);
  throwIfAborted(settings.signal);
  const module = loadModule("search", () => new URL("../../wasm/search/pagevec_wasm_bg.wasm", import.meta.url), settings.wasm, platform.compile);
  module.catch(() => {}); // thrown below, once the bytes are found
  const later = settings.prefetch === "none" ? undefined : platform.loadPrefetch().catch(() => undefined);
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
    const prefetch = later && prefetchOf(await later, settings.prefetch === "all");
    return new LocalEngine(first, { start, close, memoryBudget: settings.memoryBudget, loadExtras: platform.loadExtras, prefetch, onProgress: settings.onProgress });
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
 * @param {typeof import("../core/prefetch.js") | undefined} loaded undefined: the script could not be loaded
 * @param {boolean} graph
 * @returns {import("../core/prefetch.js").Prefetcher}
 */
function prefetchOf(loaded, graph) {
  if (loaded) return new loaded.Prefetch(graph);
  const nothing = () => {};
  const why = "its script could not be loaded: service workers do not import() scripts, and a bundler must copy prefetch.js";
  return { stats: { state: "off", why, bytes: 0 }, begin: nothing, pause: nothing, resume: nothing, stop: nothing };
}

/**
 * The sources that `input` names, behind the page store if they are remote.
 * @param {Opener} platform
 * @param {import("../sources/resolve.js").Input} input
 * @param {Checked} settings
 * @returns {Promise<Found>}
 */
async function resolveStored(platform, input, settings) {
  const { cache } = settings;
  const remote = typeof input === "string" || input instanceof URL;
  // If the store's code cannot be loaded there is no store, and all else works.
  const opened = remote && cache ? platform.openStore(cache)?.catch(() => undefined) : undefined;
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
  if (!store) return { ...resolved, manifest };
  const segments = resolved.segments.map(({ source, dead, entry }, i) => {
    const [key, deadKey] = keysOf({ source, entry });
    return { source: (i === 0 ? store : store.beside()).wrap(source, url, key), dead: dead && store.beside().wrap(dead, url, deadKey), entry };
  });
  return { ...resolved, segments, manifest };
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
