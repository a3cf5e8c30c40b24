// The answer to a request for a file: ranges, ETags, preconditions, CORS and caching.
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { etagOf, failsPrecondition, isUnchanged, rangeOf } from "./conditions.js";

const TYPES = /** @type {Record<string, string>} */ ({
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".ico": "image/x-icon",
  ".txt": "text/plain",
  ".md": "text/markdown",
  ".xml": "text/xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
});
/** Where the files of the explorer are served; they lie in the package, beside the folder of this code once it is bundled. */
const EXPLORER = "/_pagevec/";
const PACKAGE = fileURLToPath(new URL("../", import.meta.url));
const FOR_GOOD = "public, max-age=31536000, immutable, no-transform";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/**
 * @param {string} folder
 * @param {string} cors `*`, an origin, or `none`
 * @returns {(request: Request, response: Response) => void}
 */
export function answerer(folder, cors) {
  return (request, response) => {
    if (cors !== "none") {
      response.setHeader("access-control-allow-origin", cors);
      if (cors !== "*") response.setHeader("vary", "origin");
    }
    if (request.method === "OPTIONS" && cors !== "none") return preflight(response);
    if (cors !== "none") response.setHeader("access-control-expose-headers", "accept-ranges,content-length,content-range,etag");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-cache");
    answer(folder, request, response).catch(() => (response.headersSent ? response.destroy() : end(response, 500)));
  };
}

/**
 * What a browser asks before a request with headers of the page.
 * @param {Response} response
 */
function preflight(response) {
  response.setHeader("access-control-allow-methods", "GET,HEAD");
  response.setHeader("access-control-allow-headers", "range,if-match,if-none-match,if-range");
  response.setHeader("access-control-max-age", "86400");
  end(response, 200);
}

/**
 * @param {string} folder
 * @param {Request} request
 * @param {Response} response
 */
async function answer(folder, request, response) {
  const { method, url = "/" } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET,HEAD");
    return end(response, 405);
  }
  const [path] = url.split("?", 1);
  const file = isHidden(path) ? undefined : ((await fileOf(folder, path)) ?? (await ofExplorer(path)));
  if (!file) {
    if (isHidden(path) || !path.endsWith("/") || !(await fileOf(folder, `${path}index.json`))) return end(response, 404);
    // A folder that is an index, and has no page of its own.
    response.setHeader("location", `${EXPLORER}explorer/?index=${path.replace(/[%&+]/g, encodeURIComponent)}`);
    return end(response, 307);
  }
  if (file.redirect) {
    response.setHeader("location", `${path}/`);
    return end(response, 307);
  }
  send(file, path, request, response);
}

/**
 * Whether the path names a hidden file, or has an encoded separator (`%2f`, `%5c`), which no honest client sends.
 * @param {string} path
 */
export function isHidden(path) {
  const lower = path.toLowerCase();
  return /%2f|%5c|\\|%00/.test(lower) || lower.split("/").some((name) => name.startsWith(".") || name.startsWith("%2e"));
}

/**
 * The file of a path; of a folder its index.html.
 * @param {string} folder
 * @param {string} path
 * @returns {Promise<{ name: string, size: number, modified: number, redirect: boolean } | undefined>}
 */
async function fileOf(folder, path) {
  try {
    const root = await realpath(folder);
    const name = join(root, decodeURIComponent(path));
    if (name !== root && !name.startsWith(root + sep)) return undefined;
    const found = await stat(name);
    if (found.isDirectory() && !path.endsWith("/")) return { name, size: 0, modified: 0, redirect: true };
    const file = found.isDirectory() ? join(name, "index.html") : name;
    const { size, mtimeMs } = found.isDirectory() ? await stat(file) : found;
    // A file has no path with a slash at its end.
    if (!found.isDirectory() && path.endsWith("/")) return undefined;
    return { name: file, size, modified: mtimeMs, redirect: false };
  } catch {
    return undefined;
  }
}

/**
 * A file of the explorer, a page that searches an index and shows what it reads. What the served folder has comes first.
 * @param {string} path
 */
async function ofExplorer(path) {
  const name = path.startsWith(EXPLORER) ? path.slice(EXPLORER.length) : "";
  return /^(explorer|dist|wasm)\//.test(name) ? fileOf(PACKAGE, `/${name}`) : undefined;
}

/**
 * @param {{ name: string, size: number, modified: number }} file
 * @param {string} path
 * @param {Request} request
 * @param {Response} response
 */
function send({ name, size, modified }, path, { method, headers }, response) {
  const etag = etagOf(size, modified);
  const lastModified = new Date(modified).toUTCString();
  response.setHeader("etag", etag);
  response.setHeader("last-modified", lastModified);
  if (failsPrecondition(headers, etag, modified)) return end(response, 412);
  if (isNamedByContent(path)) response.setHeader("cache-control", FOR_GOOD);
  if (isUnchanged(headers, etag, modified)) return end(response, 304);
  response.setHeader("accept-ranges", "bytes");
  const range = rangeOf(headers, size, etag, lastModified);
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${size}`);
    response.setHeader("cache-control", "no-cache");
    return end(response, 416);
  }
  const { from, to } = range ?? { from: 0, to: size };
  response.setHeader("content-type", TYPES[extname(name).toLowerCase()] ?? "application/octet-stream");
  if (range) response.setHeader("content-range", `bytes ${from}-${to - 1}/${size}`);
  response.setHeader("content-length", to - from);
  response.writeHead(range ? 206 : 200);
  if (method === "HEAD" || to === from) return void response.end();
  const stream = createReadStream(name, { start: from, end: to - 1 });
  // A file that is cut meanwhile must not end as if it were whole.
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.destroy());
  stream.pipe(response);
}

/**
 * `seg-<hash>.bin`, a part of it: `seg-<hash>/0-65535.bin`, dead rows: `dead-<hash>.bin`, and wasm with a hash in its name.
 * @param {string} path
 */
export function isNamedByContent(path) {
  return /\/(?:(?:seg|dead)-[0-9a-f]{8,}|seg-[0-9a-f]{8,}\/\d+-\d+)\.bin$/i.test(path) || /[-._][0-9a-f]{8,}\.wasm$/i.test(path) || /\/[0-9a-f]{8,}\.wasm$/i.test(path);
}

/**
 * @param {Response} response
 * @param {number} status
 */
function end(response, status) {
  if (status !== 304) response.setHeader("content-length", 0);
  response.writeHead(status);
  response.end();
}
