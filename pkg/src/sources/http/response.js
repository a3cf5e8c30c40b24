// Checks that a response is what was requested. Each error names the host and what it must do. Messages never show a query string.
import { PagevecError } from "../../errors.js";

/**
 * @param {Response} response
 * @param {URL} url
 * @param {boolean} ranged
 * @returns {void}
 */
export function checkStatus(response, url, ranged) {
  const { status } = response;
  const moved = redirected(response, url);
  if (moved) throw drop(response, moved);
  if (status === 200 || (ranged && status === 206)) return;
  throw drop(response, statusError(response, url));
}

/**
 * @param {Response} response
 * @param {URL} url
 * @returns {PagevecError | undefined}
 */
function redirected(response, url) {
  // It was not followed, as `headers` were given. Browsers hide such a response, other runtimes show its status.
  if (response.type === "opaqueredirect" || (response.headers.has("location") && [301, 302, 303, 307, 308].includes(response.status))) {
    return new PagevecError("redirect", `${nameOf(url)} redirects, which is refused when \`headers\` are given: open the index where it leads`);
  }
  if (!response.url) return undefined; // the user's own `fetch` may not set it
  const origin = new URL(response.url).origin;
  if (origin === url.origin) return undefined;
  return new PagevecError("redirect", `${nameOf(url)} redirects to another origin (${origin}): open the index at that origin`);
}

/**
 * @param {Response} response
 * @param {URL} url
 * @returns {PagevecError}
 */
function statusError({ status, headers }, url) {
  if (status === 404 || status === 410) {
    return new PagevecError("not-found", `${nameOf(url)} does not exist (status ${status}): check the URL; for a folder it ends in "/"`);
  }
  if (status === 401 || status === 403) {
    return new PagevecError("forbidden", `${url.host} refuses ${nameOf(url)} (status ${status}): check \`headers\` or the URL's signature`);
  }
  if (status === 416) {
    return new PagevecError("stale", `${nameOf(url)} is shorter than index.json says (status 416): it was replaced; open the index again`);
  }
  if (status === 429 || status >= 500) {
    return new PagevecError("network", `${url.host} answered ${nameOf(url)} with status ${status}: try again later`, {
      retryAfterMs: parseRetryAfter(headers.get("retry-after")),
    });
  }
  return new PagevecError("status", `${url.host} answered ${nameOf(url)} with status ${status}, not 206 (or 200)`);
}

/**
 * @param {string | null} header Retry-After: seconds, or a date as HTTP writes it
 * @returns {number | undefined} milliseconds; undefined for anything else
 */
function parseRetryAfter(header) {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse alone takes almost anything for a date.
  if (!/^[A-Z][a-z]+, .* GMT$/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(date - Date.now(), 0);
}

/**
 * Checks a 206 against the requested range. Content-Range is null where CORS does not expose it; then the body's length and the
 * checksums must do.
 * @param {Response} response
 * @param {URL} url
 * @param {number} offset
 * @param {number} length
 * @param {number | undefined} known the file's length
 * @returns {{ end: number, total: number | undefined }} the end is exclusive
 */
export function checkRange(response, url, offset, length, known) {
  const encoding = encodingOf(response);
  if (encoding) {
    throw new PagevecError(
      "range-unsupported",
      `${url.host} compresses ranges of ${nameOf(url)} (Content-Encoding: ${encoding}): serve it as application/octet-stream with "Cache-Control: no-transform"`,
    );
  }
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/")) {
    throw new PagevecError("range-unsupported", `${url.host} answers one range of ${nameOf(url)} with ${type.split(";")[0]}: it must answer a single range plainly`);
  }
  if (isHtml(response)) throw startedHtml(url);
  const header = response.headers.get("content-range");
  if (header === null) return withoutContentRange(response, url, offset, length, known);
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(header.trim());
  const total = match && match[3] !== "*" ? Number(match[3]) : undefined;
  if (total !== undefined && known !== undefined && total !== known) {
    throw replaced(url, known, total);
  }
  const end = Math.min(offset + length, known ?? total ?? Infinity);
  if (!match || Number(match[1]) !== offset || Number(match[2]) !== end - 1) {
    throw new PagevecError("network", `${url.host} answered bytes ${offset}-${end - 1} of ${nameOf(url)} with "Content-Range: ${header.slice(0, 80)}": a cache or proxy mixes up ranges`);
  }
  if ((known ?? total) === undefined) throw unknownLength(url);
  return { end, total };
}

/**
 * @param {Response} response
 * @param {URL} url
 * @param {number} offset
 * @param {number} length
 * @param {number | undefined} known
 * @returns {{ end: number, total: undefined }}
 */
function withoutContentRange(response, url, offset, length, known) {
  if (known === undefined) throw unknownLength(url);
  const end = Math.min(offset + length, known);
  const size = response.headers.get("content-length");
  if (size !== null && Number(size) !== end - offset) throw wrongLength(url, end - offset, Number(size));
  return { end, total: undefined };
}

/** @param {URL} url */
function unknownLength(url) {
  return new PagevecError(
    "range-unsupported",
    `${url.host} does not tell the length of ${nameOf(url)}: send "Access-Control-Expose-Headers: Content-Range", or open the folder that holds index.json`,
  );
}

/**
 * @param {URL} url
 * @returns {PagevecError}
 */
export function noRange(url) {
  return new PagevecError(
    "range-unsupported",
    `${url.host} ignores the Range header of ${nameOf(url)} (status 200): serve the file with "Accept-Ranges: bytes" and without compression, from a host that answers ranges with 206; or publish it in parts (\`pagevec build --parts\`)`,
  );
}

/**
 * @param {URL} url
 * @returns {PagevecError}
 */
export function startedHtml(url) {
  return new PagevecError("not-a-segment", `${nameOf(url)} is an HTML page, not a segment: check the URL (a host may answer unknown paths with its start page)`);
}

/**
 * @param {URL} url
 * @param {number} got
 * @param {number} wanted
 * @returns {PagevecError}
 */
export function shortBody(url, got, wanted) {
  return new PagevecError("network", `${nameOf(url)}: the answer ended after ${got} of ${wanted} bytes: try again`);
}

/**
 * @param {URL} url
 * @param {number} wanted
 * @param {number} got
 * @returns {PagevecError}
 */
export function wrongLength(url, wanted, got) {
  return new PagevecError("network", `${nameOf(url)}: ${got} bytes came where ${wanted} were expected: a proxy changes the file, or it was replaced`);
}

/**
 * @param {URL} url
 * @param {number} wanted
 * @param {number} got
 * @returns {PagevecError}
 */
export function replaced(url, wanted, got) {
  return new PagevecError("stale", `${nameOf(url)} has ${got} bytes, ${wanted} were expected: it was replaced; open the index again`);
}

/**
 * fetch gives a page only "TypeError", whether the network, DNS, TLS or CORS failed.
 * @param {URL} url
 * @param {unknown} cause
 * @returns {PagevecError}
 */
export function fetchFailed(url, cause) {
  const page = /** @type {{ location?: { origin?: string } }} */ (globalThis).location?.origin;
  const cors = page && page !== url.origin ? `; or ${url.host} does not send "Access-Control-Allow-Origin: ${page}" (CORS)` : "";
  return new PagevecError("network", `${nameOf(url)} could not be fetched: the network failed${cors}`, { cause });
}

/**
 * @param {URL} url
 * @param {number} timeoutMs
 * @returns {PagevecError}
 */
export function timedOut(url, timeoutMs) {
  return new PagevecError("timeout", `${nameOf(url)}: the answer did not come, or far too slowly (timeoutMs is ${timeoutMs}): try again, or raise it`);
}

/**
 * The ETag, if it is strong: equal ones mean equal bytes. A page sees it only from its own origin, or if CORS exposes it.
 * @param {Response} response
 * @returns {string | undefined}
 */
export function strongTag(response) {
  return response.headers.get("etag")?.match(/^"[^"]*"$/)?.[0];
}

/**
 * @param {Response} response
 * @returns {string | undefined}
 */
export function encodingOf(response) {
  const encoding = response.headers.get("content-encoding");
  return encoding && encoding !== "identity" ? encoding : undefined;
}

/** @param {Response} response */
export function isHtml(response) {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

/**
 * Cancels a body that is not read, and returns `error`.
 * @template E
 * @param {Response} response
 * @param {E} error
 * @returns {E}
 */
export function drop(response, error) {
  // A locked body is being read, and its reader cancels it.
  if (response.body && !response.body.locked) response.body.cancel().catch(() => {});
  return error;
}

/**
 * A URL without its query, which may hold a signature.
 * @param {URL} url
 * @returns {string}
 */
export function nameOf(url) {
  return url.origin + url.pathname;
}
