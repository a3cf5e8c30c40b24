// plan(): which codes and index fit a budget of memory, and what each part takes. The build module computes it.
import { loadBuilder } from "../build.js";
import { badArgument, fromWasm, reading, typed } from "../errors.js";
import { checkOptions, toBytes, toChoice, toInteger } from "../options.js";

const OPTIONS = /** @type {const} */ (["rows", "dim", "budget", "codec", "refine", "metric", "payload", "ids", "wasm"]);

/**
 * @typedef {object} PlanOptions
 * @property {number} rows how many
 * @property {number} dim numbers in a vector
 * @property {number | string} budget bytes for all that an open index holds: a number, or a text such as "100MB"
 * @property {import("../core/info.js").Codec} [codec] of the codes that are searched; the plan chooses it unless it is given
 * @property {"f32" | "f16" | "sq8" | "none"} [refine] codec of finer rows; unless given, sq8 for the codecs sq4, binary and pq, and none
 *   for others
 * @property {import("../core/info.js").Metric} [metric] cosine unless given
 * @property {string | string[]} [payload] the fields that filters may name, each with its type: "keyword:10000" (with how many different
 *   values), "integer", "float", "boolean", "timestamp", "geo"
 * @property {string} [ids] "number", or "text:12" with the mean bytes of an id; number unless given
 * @property {import("../core/module.js").WasmSource} [wasm] the build module, where the default URL does not reach it
 */

/**
 * @typedef {object} PlanResident bytes of memory, by what they are for
 * @property {number} fronts what `open` reads
 * @property {number} codes the codes that are walked or scanned
 * @property {number} graph the links of the graph
 * @property {number} ids ids, and their order
 * @property {number} checksums of single rows
 * @property {number} leaves of the clusters
 * @property {number} lists room for lists of the clusters
 * @property {number} rows room for rows by which candidates are ranked again
 * @property {number} fields room for stored fields
 * @property {number} indexes room for parts of the indexes of fields
 * @property {number} places which unit is where
 * @property {number} search the memory of one search of ten hits, at most
 * @property {number} total of all of these
 */

/**
 * @typedef {object} PlanMissed
 * @property {string} codec that was wanted
 * @property {number} needed the budget that holds its codes and their graph
 * @property {number} missing how much more that is than there is
 */

/**
 * @typedef {object} PlanExpected what was measured, with default options and k 10
 * @property {number} recall the part of the ten nearest that is found
 * @property {number} distances that a search computes
 * @property {string} set on which it was measured
 * @property {number} dim numbers in its vectors
 * @property {[number, number]} rows of the measurements between which this lies
 * @property {string} measured the day
 */

/**
 * @typedef {object} Plan
 * @property {"none" | "scalar" | "product" | "binary"} suggested the quantization of the rule of thumb: none if the budget is twice the
 *   bytes of the floats, scalar above half of them, product above a tenth, else binary
 * @property {string} codec of the codes: as `build` takes it
 * @property {string | null} refine codec of finer rows; null: there are none
 * @property {boolean} graph whether to build the graph
 * @property {boolean} clusters whether to build the clusters
 * @property {"hnsw" | "clusters" | "flat"} index that answers
 * @property {"memory" | "pages"} residency whether codes and graph are held, or lists and rows as far as there is room
 * @property {number} memoryBudget to open the index with
 * @property {PlanResident} resident bytes of memory once all that such searches hold has been read
 * @property {number} file bytes of the file
 * @property {Record<string, number>} sections bytes of its sections, by their names
 * @property {"small" | "medium" | "large" | "extreme"} profile of a collection of so many rows
 * @property {[number, number]} walBuffer bytes that its write-ahead log buffers by the rule of thumb, at least and at most
 * @property {{ hot: number, warm: number, cold: number }} shares of its memory by the rule of thumb, in hundredths
 * @property {PlanMissed | null} missed what the wanted codes would take, where they do not fit: then this plan is the nearest that does
 * @property {PlanExpected | null} expected of searches; null where nothing like it was measured
 * @property {string[]} why the reasons
 */

/**
 * @param {import("../build.js").Builder} builder
 * @param {PlanOptions} options
 * @returns {Promise<Plan>}
 */
export function planWith(builder, options) {
  return typed(async () => {
    const { wasm, ...request } = reading(() => toRequest(options));
    const { memory_budget: memoryBudget, wal_buffer: walBuffer, ...plan } = JSON.parse(await planText(builder, wasm, request, false));
    return { ...plan, memoryBudget, walBuffer };
  });
}

/**
 * @param {import("../build.js").Builder} builder
 * @param {import("../core/module.js").WasmSource | undefined} wasm
 * @param {import("../../wasm/build/pagevec_wasm.js").PlanOptions} request
 * @param {boolean} text for people, or JSON
 */
export async function planText(builder, wasm, request, text) {
  const glue = await loadBuilder(builder, wasm);
  try {
    return glue.plan(request, text);
  } catch (error) {
    throw fromWasm(error);
  }
}

/** @param {PlanOptions | undefined} given */
function toRequest(given) {
  if (given === undefined) throw badArgument('plan() needs options: plan({ rows: 1e6, dim: 768, budget: "100MB" })');
  const options = checkOptions("plan()", given, OPTIONS);
  const { codec, refine, metric, payload, ids, wasm } = options;
  const [rows, dim] = [toInteger(options.rows, "rows"), toInteger(options.dim, "dim")];
  for (const [name, value] of Object.entries({ codec, ids })) {
    if (value !== undefined && typeof value !== "string") throw badArgument(`plan(): ${name} must be a string`);
  }
  if (refine !== undefined) toChoice(refine, ["f32", "f16", "sq8", "none"], "refine");
  if (metric !== undefined) toChoice(metric, ["cosine", "dot", "l2"], "metric");
  const fields = payload === undefined || typeof payload === "string" ? payload : Array.isArray(payload) && payload.every((field) => typeof field === "string") ? payload.join(",") || undefined : null;
  if (fields === null) throw badArgument('plan(): payload must be types of fields, such as ["keyword:10000", "float"]');
  return { rows, dim, budget: toBytes(options.budget, "budget"), codec, refine, metric, payload: fields, ids, wasm };
}
