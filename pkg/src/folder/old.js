// Files in a folder that its manifest does not name: segments and dead rows of earlier versions.
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseManifest } from "../sources/manifest.js";
import { MANIFEST, manifestText } from "./update.js";
import { ioError } from "./write.js";

/** A file that no manifest names may be one that another writer is about to name; not if it is older than this. */
const PATIENCE_MS = 300_000;

/** @typedef {{ path: string, bytes: number }} Old a file, or the folder of a segment's parts */

/**
 * By name.
 * @param {string} folder
 * @returns {Old[]}
 */
export function oldFiles(folder) {
  const { segments } = parseManifest(manifestText(folder) ?? "", join(folder, MANIFEST));
  const named = new Set(segments.flatMap(({ file, parts, dead }) => [file, parts?.folder, dead?.file]));
  const isOurs = (/** @type {import("node:fs").Dirent} */ entry) => (entry.isDirectory() ? /^seg-[0-9a-f]{32}$/i : /^(seg|dead)-[0-9a-f]{32}\.bin$/i).test(entry.name);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => isOurs(entry) && !named.has(entry.name))
    .map((entry) => ({ path: join(folder, entry.name), bytes: bytesOf(join(folder, entry.name), entry.isDirectory()) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Removes the files of earlier versions, and returns them. Node has no locks of files, so another writer may be at work: what is
 * younger than five minutes stays, unless the manifest that was replaced named it.
 * @param {string} folder
 * @param {string | undefined} replaced the text of that manifest
 * @returns {Old[]}
 */
export function pruneFiles(folder, replaced = "") {
  const isOver = ({ path = "" }) => replaced.includes(basename(path, ".bin")) || Date.now() - statSync(path).mtimeMs > PATIENCE_MS;
  const old = oldFiles(folder).filter(isOver);
  for (const { path } of old) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (cause) {
      throw ioError(path, cause);
    }
  }
  return old;
}

/**
 * @param {string} path
 * @param {boolean} isFolder
 * @returns {number}
 */
function bytesOf(path, isFolder) {
  if (!isFolder) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}
