// Loads and compiles the WebAssembly modules, each once, and starts instances of them.
import { PagevecError } from "../errors.js";

/**
 * @typedef {string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response>} WasmSource of a module
 * @typedef {(url: URL) => Promise<WebAssembly.Module>} Compile how this platform reads its own files
 * @typedef {"search" | "build"} Which of the two modules
 */

/** The name by which users import each. */
const NAMES = { search: "pagevec/pagevec.wasm", build: "pagevec/pagevec-build.wasm" };

/** @type {Map<string, Promise<WebAssembly.Module>>} by URL */
const compiled = new Map();

/**
 * @param {Which} which
 * @param {() => URL} own gives the URL of the package's own file; it throws in Cloudflare's workers, whose files have none
 * @param {WasmSource | undefined} override
 * @param {Compile} compile
 * @returns {Promise<WebAssembly.Module>}
 */
export async function loadModule(which, own, override, compile) {
  try {
    if (override !== undefined) return await fromOverride(await override);
    const url = own();
    return await once(url.href, () => compile(url));
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
    `the WebAssembly module to ${which} could not be loaded (${message}). Under a Content-Security-Policy it needs script-src 'wasm-unsafe-eval'; a bundler must copy wasm/${which}/pagevec_wasm_bg.wasm; in an edge worker import ${NAMES[which]} and pass it as \`wasm\``,
    { cause },
  );
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
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source === "string" || source instanceof URL) return once(`as told: ${source}`, async () => compileResponse(await fetch(source)));
  if (typeof Response === "function" && source instanceof Response) return compileResponse(source);
  return WebAssembly.compile(/** @type {BufferSource} */ (source));
}

/**
 * @param {Response} response
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileResponse(response) {
  if (!response.ok) throw new Error(`status ${response.status}`);
  const streaming = typeof WebAssembly.compileStreaming === "function";
  // Streaming needs exactly this type; from other hosts the module compiles after it has arrived.
  if (streaming && response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
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
      `the WebAssembly module to ${which} does not start (${message}): the module and the scripts must be those of one version of pagevec, so purge caches; what is passed as \`wasm\` must be ${NAMES[which]}`,
      { cause },
    );
  }
}
