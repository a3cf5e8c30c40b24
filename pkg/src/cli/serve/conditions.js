// What the headers of a request ask for: a range, and a version of the file.

/** @typedef {import("node:http").IncomingHttpHeaders} Headers */

/**
 * A strong tag: of a file that is replaced or changed, size or time differ.
 * @param {number} size
 * @param {number} modified
 */
export function etagOf(size, modified) {
  return `"${size.toString(16)}-${Math.round(modified * 1000).toString(16)}"`;
}

/**
 * @param {Headers} headers
 * @param {string} etag
 * @param {number} modified
 */
export function failsPrecondition(headers, etag, modified) {
  const wanted = headers["if-match"];
  if (wanted !== undefined) return !lists(wanted, etag);
  const since = Date.parse(headers["if-unmodified-since"] ?? "");
  return Math.floor(modified / 1000) * 1000 > since;
}

/**
 * @param {Headers} headers
 * @param {string} etag
 * @param {number} modified
 */
export function isUnchanged(headers, etag, modified) {
  const known = headers["if-none-match"];
  if (known !== undefined) return lists(known, etag);
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return Math.floor(modified / 1000) * 1000 <= since;
}

/**
 * The range that is asked for: one, of bytes. Others are no reason not to send the whole file.
 * @param {Headers} headers
 * @param {number} size
 * @param {string} etag
 * @param {string} lastModified
 * @returns {{ from: number, to: number } | "unsatisfiable" | undefined}
 */
export function rangeOf(headers, size, etag, lastModified) {
  const version = headers["if-range"];
  // If the file has changed the whole is sent, since the client would otherwise combine ranges of two versions.
  if (headers.range === undefined || (version !== undefined && version !== etag && version !== lastModified)) return undefined;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headers.range.trim()) ?? [];
  if (first === undefined || (first === "" && last === "")) return /^bytes=.*,/.test(headers.range) ? undefined : "unsatisfiable";
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return from < to ? { from, to } : "unsatisfiable";
}

/**
 * @param {string} header
 * @param {string} etag
 */
function lists(header, etag) {
  return header.trim() === "*" || header.split(",").some((one) => one.trim() === etag);
}
