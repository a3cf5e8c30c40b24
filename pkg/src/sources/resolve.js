// Finds the sources of bytes, and the manifest where there is one, for what the user passed to open().
import { describe, isA, isBytes } from "../describe.js";
import { badArgument, needs, PagevecError } from "../errors.js";
import { MANIFEST_LIMIT, parseManifest } from "./manifest.js";
import { BlobSource } from "./local/blob.js";
import { BytesSource } from "./local/bytes.js";
import { fetchSmall } from "./http/request.js";
import { Link } from "./http/link.js";
import { HttpSource } from "./http/source.js";
import { nameOf, startedHtml } from "./http/response.js";
import { FallbackSource } from "./fallback.js";
import { PartsSource, wholeFile } from "./parts.js";
import { newTraffic } from "./source.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./manifest.js").Entry} Entry
 *
 * @typedef {object} Segment the sources of one
 * @property {Source} source
 * @property {Source} [dead] its dead-rows file, which is read as a whole
 * @property {Entry} [entry] undefined where no manifest lists it
 *
 * @typedef {object} Resolved
 * @property {string} name of the index, for messages
 * @property {Segment[]} segments whose sources count in one Traffic, and share one Link where there is one
 * @property {number} [generation] of the manifest
 *
 * @typedef {string | URL | Blob | Uint8Array} Input
 * @typedef {import("./http/request.js").HttpOptions & { signal?: AbortSignal, memoryBudget: number, manifest?: ManifestHook }} ResolveOptions
 * @typedef {(name: string, get: () => Promise<Uint8Array | undefined>) => Promise<Uint8Array | undefined>} ManifestHook
 *
 * @typedef {(input: string | URL) => Promise<Resolved> | undefined} OpenPath returns undefined for what is no local path
 */

/**
 * @param {OpenPath} openPath
 * @param {Input} input
 * @param {ResolveOptions} options
 * @returns {Promise<Resolved>}
 */
export async function resolve(openPath, input, options) {
  if (isName(input)) {
    const local = openPath(input);
    if (local) return local;
    const url = toUrl(input);
    needs(["Headers", ...(options.fetch ? [] : ["fetch"])], "; pass `fetch` to open()");
    return openUrl(url, options);
  }
  return alone(isBytes(input) ? new BytesSource(input) : new BlobSource(/** @type {Blob} */ (input)));
}

/**
 * @param {Source} source of a segment that no manifest lists
 * @returns {Resolved}
 */
export function alone(source) {
  return { name: source.name, segments: [{ source }] };
}

/**
 * @param {unknown} input
 * @returns {Input}
 */
export function toInput(input) {
  if (isName(input) || isBytes(input) || isA(input, "Blob") || isA(input, "File")) return /** @type {Input} */ (input);
  if (isA(input, "ArrayBuffer")) return new Uint8Array(/** @type {ArrayBuffer} */ (input));
  const { then, arrayBuffer } = /** @type {{ then?: unknown, arrayBuffer?: unknown }} */ (Object(input));
  const hint = typeof then === "function" ? ": await it first" : typeof arrayBuffer === "function" ? ": pass its URL, or await its arrayBuffer()" : ArrayBuffer.isView(input) || Array.isArray(input) ? ": build() makes an index of vectors" : "";
  throw badArgument(`open() takes a URL, a Uint8Array or ArrayBuffer, a Blob or File, or (in Node) a path, not ${describe(input)}${hint}`);
}

/**
 * @param {unknown} input
 * @returns {input is string | URL}
 */
export function isName(input) {
  return typeof input === "string" || isA(input, "URL");
}

/**
 * @param {string | URL} input
 * @returns {URL}
 */
export function toUrl(input) {
  const { document, location } = /** @type {{ document?: { baseURI: string }, location?: { href: string } }} */ (globalThis);
  /** @type {URL} */
  let url;
  try {
    url = new URL(input, document?.baseURI ?? location?.href);
  } catch (cause) {
    throw new PagevecError("argument", "open(): this is no URL, and no base to resolve it against", { cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw badArgument(`open(): a URL must be http or https, not ${url.protocol}`);
  // fetch would refuse them, with a message that repeats them.
  if (url.username || url.password) throw badArgument("open(): a URL must not hold a user name or password; pass `headers`");
  return url;
}

/**
 * A URL that ends in `.bin` is a segment; any other is a folder with index.json, or that index.json. A query string (a signature,
 * say) is sent with every request in the folder.
 * @param {URL} url
 * @param {ResolveOptions} options
 * @returns {Promise<Resolved>}
 */
async function openUrl(url, options) {
  if (url.pathname.endsWith(".bin")) return alone(new HttpSource(url, undefined, options));
  const manifest = new URL(url);
  if (!/\/index\.json$/.test(url.pathname)) manifest.pathname = `${url.pathname.replace(/\/$/, "")}/index.json`;
  const traffic = newTraffic();
  const get = () => fetchSmall(manifest, options, traffic, MANIFEST_LIMIT, options.signal);
  const bytes = await (options.manifest?.(nameOf(manifest), get) ?? get());
  if (!bytes) throw new PagevecError("manifest", `${nameOf(manifest)} is no pagevec manifest: it is larger than ${MANIFEST_LIMIT} bytes`);
  const { generation, segments } = parseManifest(new TextDecoder().decode(bytes), nameOf(manifest));
  const link = new Link(options.link);
  return { name: nameOf(manifest), generation, segments: segments.map((entry) => segmentOf(entry, manifest, options, traffic, link)) };
}

/**
 * @param {Entry} entry
 * @param {URL} manifest
 * @param {ResolveOptions} options
 * @param {import("./source.js").Traffic} traffic
 * @param {Link} link
 * @returns {Segment}
 */
function segmentOf(entry, manifest, options, traffic, link) {
  const { signal: _, ...settings } = options; // it ends the opening, and parts are read later too
  /** @type {import("./parts.js").LoadPart} */
  const load = (path, length, how) => fetchPart(beside(manifest, path), length, settings, traffic, how);
  const dead = entry.dead && wholeFile(entry.dead, nameOf(beside(manifest, entry.dead.file)), load, traffic);
  const file = entry.file === undefined ? undefined : new HttpSource(beside(manifest, entry.file), entry.length, options, traffic, link);
  if (!entry.parts) return { source: /** @type {HttpSource} */ (file), dead, entry };
  const name = nameOf(beside(manifest, entry.parts.folder));
  const parts = new PartsSource(entry.parts, entry.length, name, load, { traffic, keepBytes: options.memoryBudget / 4 });
  return { source: file ? new FallbackSource(file, parts) : parts, dead, entry };
}

/**
 * The URL of a file in the manifest's folder.
 * @param {URL} manifest
 * @param {string} path of plain names
 */
function beside(manifest, path) {
  const url = new URL(manifest);
  url.pathname = manifest.pathname.replace(/[^/]*$/, path);
  return url;
}

/**
 * @param {URL} url
 * @param {number} length
 * @param {import("./http/request.js").HttpOptions} options
 * @param {import("./source.js").Traffic} traffic
 * @param {Parameters<import("./parts.js").LoadPart>[2]} how
 */
async function fetchPart(url, length, options, traffic, { signal, claim, again }) {
  // A part never changes, so that a cached one is valid unless it was found to be damaged.
  const bytes = await fetchSmall(url, options, traffic, length, signal, again ? "reload" : "default", claim);
  if (bytes?.length === length) return bytes;
  // Hosts of single-page sites answer unknown paths with the start page and status 200.
  if (bytes && /^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))) throw startedHtml(url);
  throw new PagevecError("stale", `${nameOf(url)} has ${bytes ? bytes.length : "more"} bytes, ${length} were published: upload the folder again, and purge caches`);
}
