// All that crosses between a page (or a Node program) and its worker, by structured clone. `peer.js` is the page's side,
// ../../worker/serve.js the worker's.
//
//   to the worker                                  from it
//   { id, call: "open", input, settings, listens }   { id, value: { info }, stats }
//   { id, call: "search" | "explain", query, request }  { id, value: a list of hits for each vector, or an Explanation, stats }
//   { id, call: "vector" | "has", rowId }            { id, value: numbers, or whether it is there, stats }
//   { id, call: "get", ids, names }                  { id, value: the fields of each row, or undefined, stats }
//   { id, call: "count", filter }                     { id, value: how many rows match, stats }
//   { id, call: "facets", field, options }           { id, value: Facets, stats }
//   { id, call: "rows", page }                       { id, value: a RowPage, stats }
//   { id, call: "searchArrays", query, request }     { id, value: HitArrays, stats }
//   { id, call: "load" | "save" | "close" }          { id, value: nothing, or a Blob, stats }
//   { id, call: "evict" | "setMemoryBudget", bytes }  { id, value: bytes that were dropped, or nothing, stats }
//   { id, call: "memoryMap" }                        { id, value: a MemoryMap, stats }
//   { id, call: "watch", on }                        { id, value: nothing, stats }; then events
//   { abort: id }                                    nothing: whoever aborts waits no longer
//                                                  { id, error, stats } where a call failed
//                                                  { event: "onProgress" | "onFetch" | "onMemory", detail } to listeners
import { PagevecError } from "../../errors.js";

/**
 * @typedef {import("../../core/info.js").Info} Info
 * @typedef {import("../engine.js").Request} Request
 * @typedef {import("../engine.js").Stats} Stats
 * @typedef {import("../extras.js").HitArrays} HitArrays
 *
 * @typedef {Pick<import("../settings.js").Checked, "memoryBudget" | "cache" | "expect" | "degraded" | "filters" | "prefetch" | "timeoutMs" | "retries" | "hedge" | "connection" | "maxRequests" | "link">
 *   & { headers: Record<string, string> | undefined, wasm: WebAssembly.Module | undefined }} Settings those of `open` that can be cloned
 * @typedef {{ onProgress: boolean, onFetch: boolean }} Listens which events are wanted
 *
 * @typedef {{ call: "open", input: string | Uint8Array | Blob, settings: Settings, listens: Listens }} OpenCall
 * @typedef {{ call: "search" | "explain", query: Float32Array<ArrayBuffer> | { id: import("../../arguments.js").Id }, request: Request }} SearchCall
 * @typedef {{ call: "searchArrays", query: Float32Array<ArrayBuffer>, request: Request }} ArraysCall
 * @typedef {{ call: "vector" | "has", rowId: import("../../arguments.js").Id }} RowCall
 * @typedef {{ call: "get", ids: import("../../arguments.js").IdList, names: import("../../fields/json.js").FieldNames }} GetCall
 * @typedef {{ call: "count", filter: string | undefined }} CountCall
 * @typedef {{ call: "facets", field: string, options: { filter?: string, limit: number } }} FacetsCall
 * @typedef {{ call: "rows", page: import("../rows.js").PageRequest }} RowsCall
 * @typedef {{ call: "evict" | "setMemoryBudget", bytes: number }} BytesCall
 * @typedef {{ call: "watch", on: boolean }} WatchCall
 * @typedef {{ call: "load" | "save" | "close" | "memoryMap" }} PlainCall
 * @typedef {OpenCall | SearchCall | ArraysCall | RowCall | GetCall | CountCall | FacetsCall | RowsCall | BytesCall | WatchCall | PlainCall} Call
 * @typedef {(Call & { id: number }) | { abort: number }} ToWorker
 *
 * @typedef {{ id: number, stats: Stats | undefined } & ({ value: unknown } | { error: ErrorData })} Answer
 * @typedef {{ event: "onProgress" | "onFetch" | "onMemory", detail: any }} Event
 * @typedef {Answer | Event} FromWorker
 *
 * @typedef {{ code: string, message: string, retryAfterMs: number | undefined, cause: unknown }} ErrorData
 */

/**
 * @param {PagevecError} error
 * @returns {ErrorData} `cause` is an Error of the same name and message where it is one, as others may not be cloned
 */
export function encodeError({ code, message, retryAfterMs, cause }) {
  return { code, message, retryAfterMs, cause: toPlain(cause) };
}

/** @param {unknown} cause */
function toPlain(cause) {
  if (!(cause instanceof Error)) return typeof cause === "object" || typeof cause === "function" || typeof cause === "symbol" ? undefined : cause;
  const { name, message } = cause;
  return Object.assign(new Error(message), { name });
}

/**
 * @param {ErrorData} data
 * @returns {PagevecError}
 */
export function decodeError({ code, message, retryAfterMs, cause }) {
  return new PagevecError(code, message, { cause, retryAfterMs });
}

/**
 * Segments that were left out are told with their errors, whose class and `code` a clone would lose.
 * @param {Info} info
 */
export function encodeInfo(info) {
  return { ...info, missing: info.missing?.map(({ file, error }) => ({ file, error: encodeError(error) })) };
}

/**
 * @param {ReturnType<typeof encodeInfo>} data
 * @returns {Info}
 */
export function decodeInfo({ missing, ...info }) {
  return { ...info, ...(missing && { missing: missing.map(({ file, error }) => ({ file, error: decodeError(error) })) }) };
}

/**
 * @param {unknown} value an answer; of an object, what it holds itself
 * @returns {ArrayBuffer[]} what can be moved to another thread instead of copied
 */
export function buffersOf(value) {
  const all = value instanceof Float32Array ? [value] : Object.values(Object(value));
  return all.flatMap((one) => (ArrayBuffer.isView(one) ? [/** @type {ArrayBuffer} */ (one.buffer)] : []));
}
