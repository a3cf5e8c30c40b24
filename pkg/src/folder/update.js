// The change of a manifest: read, changed, written. The manifest that is replaced must still be the one that was read, so that what
// another writer has published meanwhile is not lost.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PagevecError } from "../errors.js";
import { MANIFEST_LIMIT, parseManifest } from "../sources/manifest.js";
import { manifestOf } from "./entry.js";
import { ioError, writeFiles } from "./write.js";

export const MANIFEST = "index.json";
/** How often a change begins again, as another writer was faster. */
const TRIES = 20;

/**
 * @typedef {import("./entry.js").Entry} Entry
 * @typedef {{ version: number, generation: number, text: string, segments: Entry[] }} Before the manifest that is replaced
 * @typedef {{ entries: Entry[], files: import("./write.js").Planned[] }} Change the segments of the next manifest, and the files that
 *   must be there before it
 */

/**
 * Replaces the manifest by one of the segments that `change` gives, and returns its generation.
 * @param {string} folder
 * @param {number | undefined} wanted the generation that the folder must have
 * @param {(before: Before | undefined) => Change} change it is given nothing where no manifest is there that can be read
 * @returns {number}
 */
export function update(folder, wanted, change) {
  for (let attempt = 1; ; attempt++) {
    const text = manifestText(folder);
    const before = text === undefined ? undefined : readManifest(text);
    if (wanted !== undefined && wanted !== (before?.generation ?? 0)) throw changed(folder);
    const { entries, files } = change(before);
    const next = manifestOf(entries, before);
    const manifest = { name: MANIFEST, contents: contentsOf(new TextEncoder().encode(next.text)), order: 1 };
    try {
      writeFiles(folder, [...files, manifest], () => {
        if (manifestText(folder) !== text) throw changed(folder);
      });
      return next.generation;
    } catch (error) {
      const again = error instanceof PagevecError && error.code === "changed" && wanted === undefined && attempt < TRIES;
      if (!again) throw error;
    }
  }
}

/** @param {string} folder */
function changed(folder) {
  return new PagevecError("changed", `${join(folder, MANIFEST)}: another writer has changed it since it was read: read the folder again, and publish again`);
}

/**
 * The text of the manifest; undefined where there is none.
 * @param {string} folder
 */
export function manifestText(folder) {
  const path = join(folder, MANIFEST);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = /** @type {{ code?: string }} */ (Object(cause));
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw ioError(path, cause);
  }
}

/**
 * @param {string} text
 * @returns {Before | undefined} undefined if it cannot be read: then it is replaced all the same
 */
function readManifest(text) {
  if (text.length > MANIFEST_LIMIT) return undefined;
  try {
    const { generation } = parseManifest(text, MANIFEST);
    // As they stand there: in that order of fields they are written again.
    const { pagevec: version, segments } = JSON.parse(text);
    return { version, generation, text, segments };
  } catch {
    return undefined;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {import("./write.js").Contents}
 */
export function contentsOf(bytes) {
  return { length: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
