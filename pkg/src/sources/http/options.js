// What open() takes for sources over HTTP, checked.
import { toInteger } from "../../arguments.js";
import { badArgument, PagevecError } from "../../errors.js";
import { LIMITS } from "../../requests/coalesce.js";

/** The longest that setTimeout can wait; beyond it, it does not wait at all. */
const LONGEST = 2 ** 31 - 1;

/**
 * @typedef {object} HttpSettings
 * @property {typeof globalThis.fetch} [fetch] instead of the global one
 * @property {Record<string, string> | Headers} [headers] for each request to the index's origin; redirects are refused then
 * @property {number} [timeoutMs] a request ends after so long without a byte, or if it brings less than 1 MiB in twice
 *   that time; 30,000 unless told
 * @property {number} [retries] of a request, after a failed network, a timeout, 429 and 5xx; 2 unless told, at most 10
 * @property {number} [hedge] milliseconds after which a small request that has no answer yet is sent once more, and the
 *   first good answer taken; off unless told
 * @property {import("../../requests/coalesce.js").Connection} [connection] how the host is reached, where you know: `h2` (HTTP/2 or 3) for up to 60
 *   requests a wave and few bytes; `h1` (HTTP/1.1) for six at a time, as many as the link makes worth their round trips;
 *   `edge` (a worker with a limit of requests) for those, at most 48 a search; `unknown` for something between. Unless
 *   told: `h2` or `h1` where the browser says so, `edge` in Cloudflare's workers, else `unknown`
 * @property {number} [maxRequests] of a search, 3 or more, whatever bytes that takes: with 12, tens of megabytes of a large index.
 *   A search that reads in more than three waves, for want of memory, makes more
 * @property {import("./link.js").LinkSpeed} [link] round trip and bandwidth, where you know them; unless told, 50 ms and 20 Mbit/s until
 *   answers tell. They decide which gaps are read along and when all leaves are, never what is found
 */

/**
 * @param {HttpSettings} options of open
 * @returns {import("./source.js").HttpOptions}
 */
export function toHttp({ fetch, headers, timeoutMs = 30_000, retries = 2, hedge, connection, maxRequests, link }) {
  if (fetch !== undefined && typeof fetch !== "function") throw badArgument("open(): fetch must be a function");
  if (headers !== undefined) checkHeaders(headers);
  if (connection !== undefined && !Object.hasOwn(LIMITS, connection)) throw badArgument("open(): connection must be h2, h1, edge or unknown");
  const told = link === undefined ? undefined : { rttMs: Object(link).rttMs, mbits: Object(link).mbits };
  if (told && !Object.values(told).every((value) => Number.isFinite(value) && value > 0)) throw badArgument("open(): link must be { rttMs, mbits }, both above 0");
  return {
    fetch,
    headers,
    timeoutMs: Math.min(toInteger(timeoutMs, "timeoutMs"), LONGEST),
    retries: Math.min(toInteger(retries, "retries", 0), 10),
    hedge: hedge === undefined ? undefined : Math.min(toInteger(hedge, "hedge"), LONGEST),
    connection,
    maxRequests: maxRequests === undefined ? undefined : toInteger(maxRequests, "maxRequests", 3),
    link: told,
  };
}

/** @param {Record<string, string> | Headers} headers */
function checkHeaders(headers) {
  let all;
  try {
    all = new Headers(headers);
  } catch (cause) {
    throw new PagevecError("argument", "open(): headers has a name or value that HTTP does not allow", { cause });
  }
  for (const name of ["range", "if-range", "if-match", "if-none-match"]) {
    if (all.has(name)) throw badArgument(`open(): headers must not set ${name}`);
  }
}

/**
 * Pages see the protocol only of their own host, or where Timing-Allow-Origin shows it; Node tells nothing.
 * @param {URL} url of an answer that has arrived
 * @returns {import("../../requests/coalesce.js").Connection}
 */
export function connectionTo(url) {
  const { navigator } = /** @type {{ navigator?: { userAgent?: string } }} */ (globalThis);
  if (navigator?.userAgent === "Cloudflare-Workers") return "edge";
  const [timing] = globalThis.performance?.getEntriesByName?.(url.href, "resource").slice(-1) ?? [];
  const protocol = /** @type {{ nextHopProtocol?: string } | undefined} */ (timing)?.nextHopProtocol;
  return protocol === "h2" || protocol === "h3" ? "h2" : protocol === "http/1.1" ? "h1" : "unknown";
}
