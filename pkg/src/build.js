// build(): vectors to a segment file, in a WebAssembly module of its own that pages which only
// search never download.
import { describe, toIds, toMatrix, toInteger, toSignal } from "./arguments.js";
import { badArgument, fromWasm, needs, notify, PagevecError, reading, throwIfAborted, typed } from "./errors.js";
import { instantiated, loadModule, notLoaded } from "./core/module.js";

/**
 * @typedef {object} BuildWarning the file is sound, and finds less than is usual
 * @property {"codes-recall" | "clusters-recall" | "other"} code `codes-recall`: the codes are too coarse for these rows;
 *   `clusters-recall`: the clustered index misses what it should find
 * @property {string} message with what was measured, and what to do
 *
 * @typedef {object} BuildOptions
 * @property {(string | number)[] | ArrayLike<number>} [ids] one for each row, all strings or all whole numbers; row numbers unless given
 * @property {number} [dim] numbers in a row: needed for a flat matrix
 * @property {"cosine" | "dot" | "l2"} [metric] cosine unless told
 * @property {"f32" | "f16" | "sq8" | "sq4" | "binary" | "pq" | `pq${number}`} [codec] the codes that are searched, sq8 unless
 *   told; pq has 64 parts of one byte, pq96 has 96, at most one a component
 * @property {"f32" | "f16" | "sq8"} [rows] finer rows to rescore with; sq8 for sq4, binary and pq, else none unless told
 * @property {"f32" | "f16"} [exact] rows finer than those, which rank the best of them once more; none unless told
 * @property {boolean} [graph] whether to build HNSW, about 5·m bytes per row; true unless told. Without it `load` and
 *   `index: "hnsw"` have nothing to use
 * @property {boolean} [clusters] whether to build the clustered index, about 0.3·dim + 24 bytes per row (0.55·dim up to 256
 *   components, 1.05·dim up to 128, or where rows differ too little for fewer bits), which answers from a few parts of a
 *   file that stays on its server; true unless told. Without it a first search fetches codes and graph whole
 * @property {number} [m] links of a node, 16 unless told
 * @property {number} [efConstruction] 200 unless told
 * @property {number} [seed]
 * @property {(event: { phase: string, done: number, total: number }) => void} [onProgress] called during the build
 * @property {(warning: BuildWarning) => void} [onWarning] told what the rows will not do well; unless given, the console is
 * @property {AbortSignal} [signal] looked at when progress is reported
 * @property {import("./core/module.js").WasmSource} [wasm] the build module, where the default URL does not reach it
 */

/**
 * Builds a segment: the same bytes as the command line builds from the same input, options and
 * seed. It occupies its thread until it is done, so a page runs it in a Worker; a timer or event
 * cannot abort it there, a listener of `onProgress` can.
 * @param {import("./core/module.js").Compile} compile
 * @param {ArrayLike<number>[] | Float32Array} matrix
 * @param {BuildOptions} [options]
 * @returns {Promise<Uint8Array>}
 */
export function buildWith(compile, matrix, options = {}) {
  return typed(() => buildChecked(compile, reading(() => toInput(matrix, options))));
}

/**
 * @param {unknown} matrix
 * @param {BuildOptions} options
 */
function toInput(matrix, options) {
  if (typeof options !== "object" || options === null) throw badArgument(`build(): the options must be an object, not ${describe(options)}`);
  const { onProgress, onWarning, wasm } = options;
  for (const [name, listener] of Object.entries({ onProgress, onWarning })) {
    if (listener !== undefined && typeof listener !== "function") throw badArgument(`build(): ${name} must be a function`);
  }
  const signal = toSignal(options.signal);
  throwIfAborted(signal);
  const { data, dim, rows } = toMatrix(matrix, options.dim === undefined ? undefined : toInteger(options.dim, "dim"));
  return { data, dim, ids: toIds(options.ids, rows), coreOptions: pickOptions(options), signal, onProgress, onWarning, wasm };
}

/**
 * @param {import("./core/module.js").Compile} compile
 * @param {ReturnType<typeof toInput>} input
 */
async function buildChecked(compile, { data, dim, ids, coreOptions, signal, onProgress, onWarning = warn, wasm }) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "URL"]);
  // Of its own: the memory that a build takes goes when it is done.
  const { instantiate } = await import("../wasm/build/instance.js").catch((cause) => {
    throw "ServiceWorkerGlobalScope" in globalThis ? new PagevecError("unsupported", "a service worker cannot import() the builder: build in a page or in a Worker", { cause }) : notLoaded("build", cause);
  });
  const module = await loadModule("build", () => new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url), wasm, compile);
  const glue = await instantiated(instantiate, module, "build");
  throwIfAborted(signal);

  /** @type {{ error: unknown } | undefined} what the listener threw */
  let thrown;
  /** @type {(phase: string, done: number, total: number) => boolean} */
  const report = (phase, done, total) => {
    try {
      onProgress?.({ phase, done, total });
    } catch (error) {
      thrown = { error };
    }
    return thrown !== undefined || signal?.aborted === true;
  };
  try {
    const told = (/** @type {BuildWarning["code"]} */ code, /** @type {string} */ message) => notify(onWarning, { code, message });
    return glue.build(data, dim, ids, coreOptions, report, told);
  } catch (error) {
    // As `onProgress` ends a build by throwing.
    if (thrown) throw new PagevecError("aborted", "`onProgress` ended the build by throwing", { cause: thrown.error });
    throwIfAborted(signal);
    const failed = fromWasm(error);
    if (failed.code === "trapped") throw new PagevecError("trapped", "the build stopped on an internal error or ran out of memory: try fewer rows", { cause: error });
    throw failed;
  }
}

/** @param {BuildWarning} warning */
function warn({ message }) {
  globalThis.console?.warn(`pagevec: ${message}`);
}

/** @param {BuildOptions} options */
function pickOptions(options) {
  /** @type {Record<string, unknown>} */
  const out = {};
  for (const name of /** @type {const} */ (["metric", "codec", "rows", "exact"])) {
    if (options[name] === undefined) continue;
    if (typeof options[name] !== "string") throw badArgument(`build(): ${name} must be a string`);
    out[name] = options[name];
  }
  for (const name of /** @type {const} */ (["m", "efConstruction", "seed"])) {
    const value = options[name];
    if (value === undefined) continue;
    out[name] = toInteger(value, name, name === "seed" ? 0 : 1);
    if (name !== "seed" && value > 0xffff) throw badArgument(`build(): ${name} must be at most 65535`);
  }
  for (const name of /** @type {const} */ (["graph", "clusters"])) {
    if (options[name] === undefined) continue;
    if (typeof options[name] !== "boolean") throw badArgument(`build(): ${name} must be true or false`);
    out[name] = options[name];
  }
  return out;
}
