// Answers as JSON. What went wrong behind the worker is told by its code alone, as the message may name hosts or what is
// configured; the log has the rest.
import { PagevecError } from "pagevec";

/** Seconds that browsers and caches may keep an answer. */
const MAX_AGE = 300;

/**
 * Of codes that are not the fault of a host, which is `502`.
 * @type {Record<string, number>}
 */
const STATUS = {
  timeout: 504,
  stale: 503,
  closed: 503,
  budget: 503,
  "out-of-memory": 503,
  argument: 500,
  dimension: 500,
  "not-finite": 500,
  "zero-vector": 500,
  internal: 500,
  trapped: 500,
  unsupported: 500,
  wasm: 500,
};
/** @type {Record<number, string>} */
const MESSAGES = {
  500: "the search is not set up as it should be, or failed: its log says why",
  502: "the index or the embedding API could not be read: try again later",
  503: "the index is being replaced, or too much is asked at once: try again",
  504: "the search took too long: try again",
};

/** @param {unknown} body */
export function success(body) {
  return json(200, body, { "cache-control": `public, max-age=${MAX_AGE}` });
}

/**
 * @param {number} status
 * @param {string} code of a PagevecError
 * @param {string} message
 * @param {Record<string, string>} [headers]
 */
export function problem(status, code, message, headers) {
  return json(status, { code, message }, { "cache-control": "no-store", ...headers });
}

/** @param {unknown} error */
export function toProblem(error) {
  const known = error instanceof PagevecError;
  // Nothing but the deadline aborts a search.
  const code = known ? error.code.replace("aborted", "timeout") : "internal";
  const status = STATUS[code] ?? 502;
  console.error("search:", code, known ? error.message : error);
  return problem(status, code, MESSAGES[status], status === 503 ? { "retry-after": "1" } : {});
}

/**
 * @param {number} status
 * @param {unknown} body
 * @param {Record<string, string>} headers
 */
function json(status, body, headers) {
  return Response.json(body, { status, headers: { "x-content-type-options": "nosniff", ...headers } });
}
