// From what the user passed to a source of bytes, and the manifest's entry where there is one.
import { badArgument, PagevecError } from "./errors.js";
import { MANIFEST_LIMIT, parseManifest } from "./manifest.js";
import { BlobSource } from "./sources/blob.js";
import { BytesSource } from "./sources/bytes.js";
import { fetchSmall, HttpSource } from "./sources/http.js";
import { nameOf } from "./sources/http-response.js";
import { newTraffic } from "./sources/source.js";

/**
 * @typedef {import("./sources/source.js").Source} Source
 * @typedef {import("./manifest.js").Entry} Entry
 * @typedef {{ source: Source, entry: Entry | undefined }} Located
 *
 * @typedef {object} Platform what differs between browsers and Node
 * @property {import("./wasm.js").Compile} compile
 * @property {(input: string | URL) => Promise<Located> | undefined} openPath undefined: it is no local path
 */

/**
 * @param {Platform} platform
 * @param {unknown} input
 * @param {import("./sources/http.js").HttpOptions & { signal?: AbortSignal }} options
 * @returns {Promise<Located>}
 */
export async function locate(platform, input, options) {
  if (typeof input === "string" || input instanceof URL) {
    return platform.openPath(input) ?? openUrl(toUrl(input), options);
  }
  if (typeof Blob === "function" && input instanceof Blob) return { source: new BlobSource(input), entry: undefined };
  return { source: new BytesSource(toBytes(input)), entry: undefined };
}

/**
 * @param {unknown} input
 * @returns {Uint8Array}
 */
function toBytes(input) {
  if (input instanceof Uint8Array) return input;
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw badArgument("open() takes a URL, a Uint8Array or ArrayBuffer, a Blob or File, or (in Node) a path");
}

/**
 * @param {string | URL} input
 * @returns {URL}
 */
function toUrl(input) {
  const { document, location } = /** @type {{ document?: { baseURI: string }, location?: { href: string } }} */ (globalThis);
  /** @type {URL} */
  let url;
  try {
    url = new URL(input, document?.baseURI ?? location?.href);
  } catch (cause) {
    throw new PagevecError("argument", "open(): this is no URL, and no base to resolve it against", { cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw badArgument(`open(): a URL must be http or https, not ${url.protocol}`);
  // fetch refuses them, in a message that would repeat them.
  if (url.username || url.password) throw badArgument("open(): a URL must not hold a user name or password; pass `headers`");
  return url;
}

/**
 * `….bin` is a segment; anything else is a folder with index.json, or that index.json. A query
 * string (a signature, say) goes with every request in the folder.
 * @param {URL} url
 * @param {import("./sources/http.js").HttpOptions & { signal?: AbortSignal }} options
 * @returns {Promise<Located>}
 */
async function openUrl(url, options) {
  if (url.pathname.endsWith(".bin")) return { source: new HttpSource(url, undefined, options), entry: undefined };
  const manifest = new URL(url);
  if (!/\/index\.json$/.test(url.pathname)) manifest.pathname = `${url.pathname.replace(/\/$/, "")}/index.json`;
  const traffic = newTraffic();
  const bytes = await fetchSmall(manifest, options, traffic, MANIFEST_LIMIT, options.signal);
  if (!bytes) throw new PagevecError("manifest", `${nameOf(manifest)} is no pagevec manifest: it is larger than ${MANIFEST_LIMIT} bytes`);
  const entry = parseManifest(new TextDecoder().decode(bytes), nameOf(manifest));
  const segment = new URL(manifest);
  segment.pathname = manifest.pathname.replace(/[^/]*$/, entry.file);
  return { source: new HttpSource(segment, entry.length, options, traffic), entry };
}
