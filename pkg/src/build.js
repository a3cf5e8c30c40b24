// build(): vectors to a segment file, in a WebAssembly module of its own, which pages that only search never download.
import { toIds, toMatrix } from "./arguments.js";
import { describe } from "./describe.js";
import { toLines } from "./fields/json.js";
import { instantiated, loadModule, notLoaded } from "./core/module.js";
import { badArgument, fromWasm, needs, notify, PagevecError, reading, throwIfAborted, typed } from "./errors.js";
import { toSchema } from "./search/declared.js";
import { checkOptions, toChoice, toInteger, toSignal } from "./options.js";
import { Embedder, toTexts } from "./texts/embed.js";

const OPTIONS = /** @type {const} */ (["ids", "fields", "dim", "metric", "codec", "refine", "exact", "graph", "clusters", "m", "efConstruction", "seed", "schema", "embed", "onProgress", "onWarning", "signal", "wasm"]);

/**
 * @typedef {import("./search/schema.js").FieldType} FieldType
 *
 * @typedef {object} BuildWarning the file is valid, but searches find less in it than is usual
 * @property {"codes-recall" | "clusters-recall" | "other"} code `codes-recall`: the codes are too coarse for these rows;
 *   `clusters-recall`: the clustered index misses rows that it should find
 * @property {string} message what was measured, and what to do
 *
 * @typedef {object} BuildProgress
 * @property {string} phase of the build
 * @property {number} done of `total`
 * @property {number} total how much the phase has to do
 *
 * @typedef {object} BuildOptions
 * @property {(string | number)[] | ArrayLike<number>} [ids] one for each row, all strings or all whole numbers; row numbers unless given
 * @property {readonly (object | null | undefined)[]} [fields] one object for each row, which searches return with their hits. It is
 *   stored as JSON of at most 65,535 bytes; null for a row without fields
 * @property {Record<string, FieldType | "stored">} [schema] the types of the fields that filters may name; other fields are stored
 *   only, as "stored" says it of one. Unless given, types are inferred from the values
 * @property {number} [dim] numbers in a row: needed for a flat matrix
 * @property {import("./core/info.js").Metric} [metric] cosine unless given
 * @property {import("./core/info.js").Codec} [codec] of the codes that are searched, sq8 unless
 *   given; pq has 64 parts of one byte, pq96 has 96, at most one for each component
 * @property {"f32" | "f16" | "sq8"} [refine] codec of finer rows, by which candidates are ranked again; unless given, sq8 for the
 *   codecs sq4, binary and pq, and none for others
 * @property {"f32" | "f16"} [exact] codec of rows finer than those, by which the best of them are ranked once more; none unless given
 * @property {boolean} [graph] whether to build the HNSW graph, about 5·m bytes per row; true unless given. Without it `load` and
 *   `index: "hnsw"` have nothing to use
 * @property {boolean} [clusters] whether to build the clustered index, which answers from a few parts of a file that stays on its
 *   host; true unless given. It takes about 0.3·dim + 24 bytes per row (0.55·dim up to 256 components, 1.05·dim up to 128, or
 *   where rows differ too little for fewer bits). Without it a first search fetches codes and graph whole
 * @property {number} [m] links of a node, 2 to 256; 16 unless given
 * @property {number} [efConstruction] candidates looked at for each node's links, 1 to 65,535; 200 unless given
 * @property {number} [seed] an integer from 0
 * @property {import("./texts/embed.js").Embed} [embed] makes vectors of texts, where rows are texts. It is called with an array of at
 *   most 64 texts and `{ signal }`
 * @property {(event: BuildProgress) => void} [onProgress] called during the build, and after each call
 *   of `embed` with the phase `embed`; if it throws, the
 *   build ends with `aborted`
 * @property {(warning: BuildWarning) => void} [onWarning] called with what the rows will not do well; unless given, the console is told
 * @property {AbortSignal} [signal] checked whenever progress is reported
 * @property {import("./core/module.js").WasmSource} [wasm] the build module, where the default URL does not reach it
 */

/**
 * @typedef {object} Builder how a platform gets the builder
 * @property {import("./core/module.js").Own} module
 * @property {() => Promise<typeof import("../wasm/build/instance.js")>} glue
 * @property {import("./engine/open.js").Platform["loadExtras"]} loadExtras
 */

/**
 * Builds a segment: the same bytes as the command line builds from the same input, options and seed. It occupies its thread
 * until it is done, so a page runs it in a Worker. No timer or event runs there meanwhile, so cancel it from `onProgress`.
 * @param {Builder} builder
 * @param {ArrayLike<number>[] | Float32Array | string[]} matrix
 * @param {BuildOptions} [options]
 * @returns {Promise<Uint8Array>}
 */
export function buildWith(builder, matrix, options) {
  return typed(() => buildChecked(builder, reading(() => toInput(builder, matrix, options))));
}

/**
 * @typedef {(signal: AbortSignal | undefined, onBatch: (done: number, total: number) => void) => Promise<{ data: Float32Array, dim: number }>} GetRows gives the
 *   vectors, row-major
 */

/**
 * @param {Builder} builder
 * @param {unknown} matrix
 * @param {BuildOptions | undefined} given
 */
function toInput({ loadExtras }, matrix, given) {
  const options = checkOptions("build()", given, OPTIONS);
  const { onProgress, onWarning, wasm } = options;
  for (const [name, listener] of Object.entries({ onProgress, onWarning })) {
    if (listener !== undefined && typeof listener !== "function") throw badArgument(`build(): ${name} must be a function`);
  }
  const signal = toSignal(options.signal);
  throwIfAborted(signal);
  const dim = options.dim === undefined ? undefined : toInteger(options.dim, "dim");
  const common = { signal, onProgress, onWarning, wasm };
  const requestFor = (/** @type {number} */ rows) => ({ ids: toIds(options.ids, rows), fields: toLines(options.fields, rows), ...toRequest(options) });
  if (Array.isArray(matrix) && typeof matrix[0] === "string") {
    if (options.embed === undefined) throw badArgument("build(): rows that are texts need `embed`: build(texts, { embed: async (texts) => vectors })");
    const texts = toTexts(matrix, "row");
    const { embed } = new Embedder(options.embed, undefined, "build()");
    /** @type {GetRows} */
    const getRows = async (signal, onBatch) => (await loadExtras()).embedTexts(embed, texts, dim, signal, (done) => onBatch(done, texts.length));
    return { ...common, request: requestFor(texts.length), getRows };
  }
  if (options.embed !== undefined) throw badArgument("build(): `embed` makes vectors of texts, but these rows are none: leave it out, or pass texts");
  const rows = toMatrix(matrix, dim);
  return { ...common, request: requestFor(rows.rows), getRows: async () => rows };
}

/**
 * @param {Builder} builder
 * @param {ReturnType<typeof toInput>} input
 */
async function buildChecked(builder, { getRows, request, signal, onProgress, onWarning = warn, wasm }) {
  const glue = await loadBuilder(builder, wasm);
  throwIfAborted(signal);

  /** @type {{ error: unknown } | undefined} what the listener threw */
  let thrown;
  /** @type {(phase: string, done: number, total: number) => boolean} */
  const reportProgress = (phase, done, total) => {
    try {
      onProgress?.({ phase, done, total });
    } catch (error) {
      thrown = { error };
    }
    return thrown !== undefined || signal?.aborted === true;
  };
  try {
    const { data, dim } = await getRows(signal, (done, total) => {
      // What ended it is told below.
      if (reportProgress("embed", done, total)) throw new PagevecError("aborted", "the build was ended");
    });
    const reportWarning = (/** @type {string} */ code, /** @type {string} */ message) => notify(onWarning, { code: /** @type {BuildWarning["code"]} */ (code), message });
    return glue.build(data, { ...request, dim, onProgress: reportProgress, onWarning: reportWarning });
  } catch (error) {
    if (thrown) throw new PagevecError("aborted", "`onProgress` ended the build by throwing", { cause: thrown.error });
    throwIfAborted(signal);
    const failed = fromWasm(error);
    if (failed.code === "trapped") throw new PagevecError("trapped", "the build stopped on an internal error or ran out of memory: try fewer rows", { cause: error });
    throw failed;
  }
}

/**
 * An instance of the build module of its own, whose memory is freed with it.
 * @param {Builder} builder
 * @param {import("./core/module.js").WasmSource | undefined} wasm
 */
export async function loadBuilder(builder, wasm) {
  needs(["WebAssembly", "TextDecoder", "TextEncoder", "URL"]);
  const { instantiate } = await builder.glue().catch((cause) => {
    throw "ServiceWorkerGlobalScope" in globalThis ? new PagevecError("unsupported", "a service worker cannot import() the builder: build in a page or in a Worker, or import pagevec/build", { cause }) : notLoaded("build", cause);
  });
  return instantiated(instantiate, await loadModule("build", builder.module, wasm), "build");
}

/** @param {BuildWarning} warning */
function warn({ message }) {
  globalThis.console?.warn(`pagevec: ${message}`);
}

/** @param {Partial<BuildOptions>} options */
function toRequest({ metric, codec, refine, exact, graph, clusters, m, efConstruction, seed, schema }) {
  for (const [name, value] of Object.entries({ graph, clusters })) {
    if (value !== undefined && typeof value !== "boolean") throw badArgument(`build(): ${name} must be true or false`);
  }
  for (const [name, value] of Object.entries({ m, efConstruction })) {
    if (value !== undefined && toInteger(value, name) > 0xffff) throw badArgument(`build(): ${name} must be at most 65535`);
  }
  if (seed !== undefined) toInteger(seed, "seed", 0);
  if (metric !== undefined) toChoice(metric, ["cosine", "dot", "l2"], "metric");
  // The core knows how many parts these rows can have.
  if (codec !== undefined && !(typeof codec === "string" && /^pq\d+$/.test(codec))) toChoice(codec, ["f32", "f16", "sq8", "sq4", "binary", "pq"], "codec");
  if (refine !== undefined) toChoice(refine, ["f32", "f16", "sq8"], "refine");
  if (exact !== undefined) toChoice(exact, ["f32", "f16"], "exact");
  return { metric, codec, refine, exact, graph, clusters, m, efConstruction, seed, schema: toSchema("build()", schema) };
}
