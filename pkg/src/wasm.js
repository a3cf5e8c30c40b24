// Compiles the WebAssembly modules, once each.
import { PagevecError } from "./errors.js";

/**
 * @typedef {string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response>} WasmSource where the module comes from
 * @typedef {(url: URL) => Promise<WebAssembly.Module>} Compile how this platform reads its own files
 */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const compiled = new Map();

/**
 * @param {() => URL} own names the package's own file; workers of Cloudflare do not know where their files are
 * @param {WasmSource | undefined} override
 * @param {Compile} compile
 * @returns {Promise<WebAssembly.Module>}
 */
export async function loadModule(own, override, compile) {
  try {
    return override === undefined ? await once(own(), compile) : await fromOverride(await override);
  } catch (cause) {
    if (cause instanceof PagevecError) throw cause;
    throw new PagevecError(
      "wasm",
      `the WebAssembly module could not be loaded (${/** @type {Error} */ (cause)?.message}). Under a Content-Security-Policy it needs script-src 'wasm-unsafe-eval'; a bundler must copy pagevec_wasm_bg.wasm; in an edge worker import pagevec/pagevec.wasm and pass it as \`wasm\``,
      { cause },
    );
  }
}

/**
 * @param {URL} url
 * @param {Compile} compile
 */
function once(url, compile) {
  const found = compiled.get(url.href);
  if (found) return found;
  const module = compile(url);
  compiled.set(url.href, module);
  module.catch(() => compiled.delete(url.href)); // so that the next open tries again
  return module;
}

/** @param {Exclude<WasmSource, Promise<Response>>} source */
async function fromOverride(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source === "string" || source instanceof URL) return compileResponse(await fetch(source));
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
  // Streaming wants this type exactly; a host that lacks it still works, a little slower.
  if (streaming && response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
