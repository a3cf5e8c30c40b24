// Loads and compiles the WebAssembly modules, each once, and starts instances of them.
import { isA } from "../describe.js";
import { PagevecError } from "../errors.js";

/**
 * @typedef {string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response>} WasmSource of a module
 * @typedef {() => Promise<WebAssembly.Module>} Own gives the package's own module, in the way of the platform
 * @typedef {() => Promise<{ default: string }>} Inlined loads a script that has the module inside: gzipped, in base64
 * @typedef {"search" | "filter" | "build" | "collection"} Which of the modules: `search` has no filters, `filter` searches too
 */

/**
 * The name by which users import one.
 * @param {Which} which
 */
const nameOf = (which) => `pagevec/${searches(which) ? "pagevec" : which}.wasm`;

/** @param {Which} which */
const searches = (which) => which === "search" || which === "filter";

/** @type {Map<string, Promise<WebAssembly.Module>>} by URL, or by name for the package's own */
const compiled = new Map();

/**
 * @param {Which} which
 * @param {Own} own
 * @param {WasmSource | undefined} override
 * @returns {Promise<WebAssembly.Module>}
 */
export async function loadModule(which, own, override) {
  return override === undefined ? named(which, () => once(which, own)) : loadGiven(which, override);
}

/**
 * @param {Which} which
 * @param {WasmSource} given
 * @returns {Promise<WebAssembly.Module>}
 */
export async function loadGiven(which, given) {
  return named(which, async () => fromOverride(await given));
}

/**
 * @param {Which} which
 * @param {() => Promise<WebAssembly.Module>} load
 */
async function named(which, load) {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof PagevecError) throw cause;
    throw notLoaded(which, cause);
  }
}

/**
 * @param {Which} which
 * @param {unknown} cause
 * @returns {PagevecError}
 */
export function notLoaded(which, cause) {
  const { message } = /** @type {Error} */ (Object(cause));
  return new PagevecError(
    "wasm",
    `the WebAssembly module to ${which} could not be loaded (${message}). Under a Content-Security-Policy it needs script-src 'wasm-unsafe-eval'; a bundler must copy wasm/${which}/pagevec_wasm_bg.wasm${searches(which) ? ', or import "pagevec/inline" in place of "pagevec", which has it inside' : ""}; in an edge worker import ${nameOf(which)} and pass it as \`wasm\``,
    { cause },
  );
}

/** @param {WebAssembly.Module} module */
export function hasFilters(module) {
  return WebAssembly.Module.exports(module).some(({ name }) => name === "reader_beginFacets");
}

/**
 * @param {string} key
 * @param {() => Promise<WebAssembly.Module>} compile
 */
function once(key, compile) {
  const found = compiled.get(key);
  if (found) return found;
  const module = compile();
  compiled.set(key, module);
  module.catch(() => compiled.delete(key)); // so that the next open tries again
  return module;
}

/** @param {Exclude<WasmSource, Promise<Response>>} source */
async function fromOverride(source) {
  if (isA(source, "WebAssembly.Module")) return /** @type {WebAssembly.Module} */ (source);
  if (typeof source === "string" || isA(source, "URL")) return once(`as told: ${source}`, async () => compileResponse(await fetch(/** @type {URL} */ (source))));
  if (isA(source, "Response")) return compileResponse(/** @type {Response} */ (source));
  return WebAssembly.compile(/** @type {BufferSource} */ (source));
}

/**
 * The module at a URL of this origin.
 * @param {URL} url
 * @param {Inlined} [inlined]
 */
export async function fetchModule(url, inlined) {
  const answer = fetch(url, { credentials: "same-origin" });
  const response = await answer.catch(() => undefined);
  if (response && isStream(response)) return WebAssembly.compileStreaming(response);
  return compileOr(url, async () => bytesOf(await answer), inlined);
}

/**
 * Compiles what `read` gives. If that is no module, the script that has one inside is loaded: a bundler moved the scripts of the
 * package and not its other files, and a server may then answer with its page.
 * @param {URL} url
 * @param {() => Promise<BufferSource>} read
 * @param {Inlined} [inlined]
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileOr(url, read, inlined) {
  /** @type {unknown} */
  let why;
  try {
    const bytes = await read();
    if (isWasm(bytes)) return await WebAssembly.compile(bytes);
    why = new Error("it is no WebAssembly module");
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) throw cause;
    why = cause;
  }
  const script = await inlined?.().catch(() => undefined);
  if (script) return compileInlined(script.default);
  const { message } = /** @type {Error} */ (Object(why));
  throw new Error(`${url.href}: ${message}`, { cause: why });
}

/**
 * @param {string} text
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileInlined(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

/** @param {Response} response */
async function bytesOf(response) {
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.arrayBuffer();
}

/** @param {BufferSource} bytes */
function isWasm(bytes) {
  const head = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
  return String(head.subarray(0, 4)) === "0,97,115,109";
}

/**
 * Streaming needs exactly this type; from other hosts the module compiles after it has arrived.
 * @param {Response} response
 */
function isStream(response) {
  return response.ok && typeof WebAssembly.compileStreaming === "function" && response.headers.get("content-type") === "application/wasm";
}

/** @param {Response} response */
async function compileResponse(response) {
  return isStream(response) ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await bytesOf(response));
}

/**
 * @template T
 * @param {(module: WebAssembly.Module) => Promise<T>} instantiate
 * @param {WebAssembly.Module} module
 * @param {Which} which
 * @returns {Promise<T>}
 */
export async function instantiated(instantiate, module, which) {
  try {
    return await instantiate(module);
  } catch (cause) {
    const { message } = /** @type {Error} */ (Object(cause));
    if (cause instanceof RangeError) throw new PagevecError("out-of-memory", `there is no room for another WebAssembly instance (${message}): close indexes`, { cause });
    throw new PagevecError(
      "wasm",
      `the WebAssembly module to ${which} does not start (${message}): the module and the scripts must be those of one version of pagevec, so purge caches; what is passed as \`wasm\` must be ${nameOf(which)}`,
      { cause },
    );
  }
}
