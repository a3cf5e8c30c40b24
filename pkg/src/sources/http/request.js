// One request: sent, counted, its status checked, its body read.
import { badArgument, PagevecError } from "../../errors.js";
import { chunksOf, gather } from "../chunks.js";
import { Claim, turnsAt } from "../turns.js";
import { connectionTo, LIMITS } from "./options.js";
import { checkStatus, fetchFailed, shortBody, wrongLength } from "./response.js";
import { Deadline, retrying } from "./retry.js";

/**
 * @typedef {object} HttpOptions
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Record<string, string> | Headers} [headers] sent to the index's own origin only
 * @property {number} timeoutMs
 * @property {number} retries
 * @property {number} [hedge]
 * @property {import("./options.js").Connection} [connection]
 * @property {number} [maxRequests]
 * @property {import("./link.js").LinkSpeed} [link]
 */

/**
 * Fetches a small file as a whole: the manifest, or a part.
 * @param {URL} url
 * @param {HttpOptions} options
 * @param {Traffic} traffic
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @param {RequestCache} [cache]
 * @param {Claim} [claim]
 * @returns {Promise<Uint8Array | undefined>} undefined when it is larger than `limit`
 */
export function fetchSmall(url, options, traffic, limit, signal, cache = "no-cache", claim = new Claim({})) {
  const { maxPerHost } = LIMITS[options.connection ?? connectionTo(url)];
  return retrying(options, traffic, signal, async (attempt) => {
    const free = await turnsAt(url.origin).take(claim, maxPerHost, { signal, again: attempt > 0 });
    const deadline = new Deadline(url, limit, options.timeoutMs, signal);
    try {
      const response = await deadline.wait(request(url, options, traffic, { cache, signal: deadline.signal }));
      return await gather(bodyOf(response, url, traffic, deadline), limit);
    } finally {
      deadline.release();
      free();
    }
  });
}

/**
 * One request, and a check of its status.
 * @param {URL} url
 * @param {HttpOptions} options
 * @param {Traffic} traffic
 * @param {{ range?: string, cache: RequestCache, signal?: AbortSignal, priority?: RequestPriority }} how
 * @returns {Promise<Response>}
 */
export async function request(url, { fetch = globalThis.fetch, headers }, traffic, { range, ...how }) {
  const all = new Headers(headers);
  // One `bytes=a-b` needs no preflight; a suffix range, If-Range or a HEAD would.
  if (range) all.set("range", range);
  traffic.requests += 1;
  /** @type {Response} */
  let response;
  try {
    // A browser does not say where a redirect leads before it follows it, so headers, which may be secret, exclude redirects.
    const redirect = headers ? "manual" : "follow";
    response = await fetch(url, { ...how, headers: all, redirect, credentials: "same-origin", referrerPolicy: "no-referrer" });
  } catch (cause) {
    throw fetchFailed(url, cause);
  }
  if (typeof response?.headers?.get !== "function") throw badArgument("open(): `fetch` must resolve to a Response, as the global one does");
  checkStatus(response, url, range !== undefined);
  return response;
}

/**
 * The chunks of a body, counted.
 * @param {Response} response
 * @param {URL} url
 * @param {Traffic} traffic
 * @param {Deadline} deadline
 */
export async function* bodyOf(response, url, traffic, deadline) {
  if (!response.body) return;
  try {
    for await (const chunk of chunksOf(response.body, undefined, (next) => deadline.wait(next))) {
      traffic.bytes += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof PagevecError ? cause : fetchFailed(url, cause);
  }
}

/**
 * Passes chunks on and throws if they are more or fewer bytes than `wanted`.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} wanted
 * @param {URL} url
 */
export async function* exactly(chunks, wanted, url) {
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    if (done > wanted) throw wrongLength(url, wanted, done);
    yield chunk;
  }
  if (done !== wanted) throw shortBody(url, done, wanted);
}

/** @typedef {import("../source.js").Traffic} Traffic */
