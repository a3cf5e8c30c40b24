// The variables of the environment, checked. Which hosts are read is decided here, and by nothing in a request: an index or an
// API on a private address must not be within reach of those who search.
import { PagevecError } from "pagevec";

/**
 * @typedef {typeof globalThis.fetch} Fetch
 * @typedef {object} Env
 * @property {string} INDEX_URL a path of the static assets, or an https URL: a folder with index.json
 * @property {string} [MEMORY_BUDGET] as `open` takes it
 * @property {string} [MAX_REQUESTS] of a query to the index
 * @property {string} [LOAD] "true": codes and graph are brought into memory
 * @property {string} EMBED_URL
 * @property {string} [EMBED_MODEL]
 * @property {string} [EMBED_KEY] a secret
 * @property {{ fetch: Fetch }} [ASSETS]
 */

/**
 * Free plans allow 50 requests: two open the index, one embeds, two load. The last wave of a search takes at most a fourth.
 */
const MOST_REQUESTS = 44;
/** What assets are asked for under; only their path counts. */
const ASSETS_ORIGIN = "https://assets.local";

/**
 * @param {Env} env
 * @returns {{ url: URL, fetch: Fetch }} where the index is, and what reads it, which reads nothing else
 */
export function indexOf({ INDEX_URL, ASSETS }) {
  if (!INDEX_URL?.startsWith("/")) {
    const url = publicUrl(INDEX_URL, "INDEX_URL");
    return { url, fetch: only(url.origin, fetch) };
  }
  if (!ASSETS) throw misconfigured("INDEX_URL is a path, but there is no binding ASSETS");
  const url = new URL(INDEX_URL, ASSETS_ORIGIN);
  if (url.origin !== ASSETS_ORIGIN) throw misconfigured("INDEX_URL must be a path or an https URL");
  return { url, fetch: only(ASSETS_ORIGIN, (input, init) => ASSETS.fetch(input, init)) };
}

/**
 * @param {Env} env
 * @returns {number} requests to the index that a query may make
 */
export function requestsOf({ MAX_REQUESTS = String(MOST_REQUESTS) }) {
  const requests = Number(MAX_REQUESTS);
  if (!Number.isInteger(requests) || requests < 3) throw misconfigured("MAX_REQUESTS must be a whole number of 3 or more");
  return requests;
}

/**
 * @param {Env} env
 * @returns {{ url: URL, fetch: Fetch }}
 */
export function embedderOf({ EMBED_URL }) {
  const url = publicUrl(EMBED_URL, "EMBED_URL");
  return { url, fetch: only(url.origin, fetch) };
}

/**
 * An https URL of a host by name on port 443. What is refused could be a service of the platform or of a private network.
 * @param {string | undefined} text
 * @param {string} name of the variable; messages never show its value, which may hold a signature
 * @returns {URL}
 */
function publicUrl(text, name) {
  let url;
  try {
    url = new URL(text ?? "");
  } catch {
    throw misconfigured(`${name} must be an https URL`);
  }
  const wrong = [
    [url.protocol !== "https:", "must begin with https:"],
    [url.username !== "" || url.password !== "", "must not name a user or a password"],
    [url.port !== "", "must not name a port other than 443"],
    // The parser has written IPv4 addresses of any spelling as four numbers, and IPv6 addresses in brackets.
    [/^[\d.]+$|^\[/.test(url.hostname), "must name a host, not an address"],
    [/(^|\.)(localhost|local|internal)\.?$/.test(url.hostname) || !url.hostname.includes("."), "must name a public host"],
    [url.hash !== "", "must have no fragment"],
  ].find(([is]) => is);
  if (wrong) throw misconfigured(`${name} ${wrong[1]}`);
  return url;
}

/**
 * A `fetch` of one origin. Redirects are handed out as they are and not followed, so that a host cannot lead to another.
 * @param {string} origin
 * @param {Fetch} fetch
 * @returns {Fetch}
 */
function only(origin, fetch) {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) throw new PagevecError("redirect", "a request to a host that is not configured was refused");
    return fetch(url, { ...init, redirect: "manual" });
  };
}

/** @param {string} message */
function misconfigured(message) {
  return new PagevecError("internal", `the worker is not configured: ${message}`);
}
