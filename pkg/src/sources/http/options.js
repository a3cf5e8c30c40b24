// The options of open() for sources over HTTP, and what each kind of connection allows.
import { badArgument, PagevecError } from "../../errors.js";
import { checkOptions, toChoice, toInteger } from "../../options.js";

/** The longest time that setTimeout can wait; a longer one would not wait at all. */
const LONGEST = 2 ** 31 - 1;

/** @typedef {"h2" | "h1" | "edge" | "unknown"} Connection */

/**
 * Requests against wasted bytes, measured on cold searches by clusters, wordnet (117,791 rows, means of 20): a first
 * query needs 358 kB in 108 ranges. With 60 requests a wave and 32 KiB of gaps it is 372 kB in 90 requests, with 40
 * and 256 KiB 422 kB in 79; of a million rows a later query is 757 kB in 171 with 32 KiB, 743 kB in 175 with 24. With 12
 * requests in all it is 10.8 MB, of a million rows 41 MB, as the lists and rows that are read lie all over the file; so the
 * limit of twelve is opt-in (`maxRequests`).
 *
 * `maxPerHost` is for all indexes and searches together: so many requests to a host are under way, others wait for their turn.
 * @type {Record<Connection, import("../source.js").RequestLimits & { maxPerHost: number }>}
 */
export const LIMITS = {
  // HTTP/2 sends a wave at once, for some hundred bytes of headers per request, so gaps are hardly worth reading. Servers
  // take about a hundred streams per connection.
  h2: { maxPerHost: 100, maxPerWave: 60, maxGapBytes: 24 * 1024, requestCostBytes: 1024 },
  // It may be HTTP/1.1, whose requests queue for six connections: fewer requests, but not for megabytes.
  unknown: { maxPerHost: 40, maxPerWave: 40, maxGapBytes: 64 * 1024, requestCostBytes: 1024 },
  // Six connections with one request each at a time: the link decides how many rounds are worth their round trips.
  h1: { maxConcurrent: 6, maxPerHost: 6, maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 1024 },
  // The same six, and a limit (50, say) of requests for all that a worker does. The runtime queues them, as one call must not
  // wait for a request of another. If all searches went on at once, the first would end as late as the last, and some after their
  // deadline.
  edge: { maxConcurrent: 6, maxPerHost: Infinity, maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 1024, maxPerSearch: 48, maxOperations: 16 },
};

export const HTTP_OPTIONS = /** @type {const} */ (["fetch", "headers", "timeoutMs", "retries", "hedge", "connection", "maxRequests", "link"]);

/**
 * @typedef {object} HttpSettings
 * @property {typeof globalThis.fetch} [fetch] instead of the global one
 * @property {Record<string, string> | Headers} [headers] for each request to the index's own origin; redirects are refused then
 * @property {number} [timeoutMs] milliseconds without a byte after which a request ends; it also ends if it brings less than 1 MiB
 *   in twice that time; 30,000 unless given
 * @property {number} [retries] how often a request is repeated after a failed network, a timeout, 429 and 5xx; 2 unless given, at
 *   most 10
 * @property {number} [hedge] milliseconds after which a small request that has no answer yet is sent once more; the first valid
 *   answer counts; off unless given
 * @property {Connection} [connection] how the host is reached, where you know it: `h2` (HTTP/2 or 3) makes up to 60 requests a wave
 *   and reads few bytes; `h1` (HTTP/1.1) makes six at a time, as many as are worth their round trips; `edge` (a worker with a limit
 *   of requests) does the same, with at most 48 a search; `unknown` lies between. Unless given: `h2` or `h1` where the browser shows
 *   it, `edge` in Cloudflare's workers, else `unknown`
 * @property {number} [maxRequests] of a search, 3 or more, whatever bytes that takes: with 12, tens of megabytes of a large index. A
 *   search that reads in more than three waves, for want of memory, makes more
 * @property {import("./link.js").LinkSpeed} [link] round trip and bandwidth, where you know them; unless given, 50 ms and 20 Mbit/s
 *   until answers show them. They decide which gaps are read along and whether all leaves are, and never change the hits
 */

/**
 * @param {HttpSettings} options of open
 * @returns {import("./request.js").HttpOptions}
 */
export function toHttp({ fetch, headers, timeoutMs = 30_000, retries = 2, hedge, connection, maxRequests, link }) {
  if (fetch !== undefined && typeof fetch !== "function") throw badArgument("open(): fetch must be a function");
  if (headers !== undefined) checkHeaders(headers);
  const { rttMs, mbits } = checkOptions("open(): link", link, ["rttMs", "mbits"]);
  const speed = link && { rttMs: Number(rttMs), mbits: Number(mbits) };
  if (speed && ![rttMs, mbits].every((value) => Number.isFinite(value) && Number(value) > 0)) throw badArgument("open(): link must be { rttMs, mbits }, both above 0");
  return {
    fetch,
    headers,
    timeoutMs: Math.min(toInteger(timeoutMs, "timeoutMs"), LONGEST),
    retries: Math.min(toInteger(retries, "retries", 0), 10),
    hedge: hedge === undefined ? undefined : Math.min(toInteger(hedge, "hedge"), LONGEST),
    connection: connection === undefined ? undefined : toChoice(connection, /** @type {Connection[]} */ (Object.keys(LIMITS)), "connection"),
    maxRequests: maxRequests === undefined ? undefined : toInteger(maxRequests, "maxRequests", 3),
    link: speed,
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
 * The kind of connection, where the runtime shows it: a page sees the protocol of its own host, and of others that send
 * Timing-Allow-Origin; Node shows nothing.
 * @param {URL} url of an answer that has arrived
 * @returns {Connection}
 */
export function connectionTo(url) {
  const { navigator } = /** @type {{ navigator?: { userAgent?: string } }} */ (globalThis);
  if (navigator?.userAgent === "Cloudflare-Workers") return "edge";
  const [timing] = globalThis.performance?.getEntriesByName?.(url.href, "resource").slice(-1) ?? [];
  const protocol = /** @type {{ nextHopProtocol?: string } | undefined} */ (timing)?.nextHopProtocol;
  return protocol === "h2" || protocol === "h3" ? "h2" : protocol === "http/1.1" ? "h1" : "unknown";
}
