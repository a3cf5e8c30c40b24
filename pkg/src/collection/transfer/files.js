// Several files for `import`: those of an index folder, or of a backup, as a person picks them or `backup` gives them.
import { isA } from "../../describe.js";
import { badArgument, PagevecError } from "../../errors.js";
import { BlobSource } from "../../sources/local/blob.js";
import { MANIFEST_LIMIT, parseManifest } from "../../sources/manifest.js";
import { PartsSource, wholeFile } from "../../sources/parts.js";
import { alone } from "../../sources/resolve.js";
import { newTraffic } from "../../sources/source.js";

/**
 * @typedef {Map<string, Blob>} Folder files by their path in it
 * @typedef {Blob & { readonly name: string }} NamedBlob a File
 */

/** Files that name the others. */
const NAMING = /(^|\/)(index\.json|manifest\.[ab])$/;

/**
 * @param {unknown} source
 * @returns {Folder | undefined} undefined: it is something else than files
 */
export function toFolder(source) {
  const { files = source } = /** @type {{ files?: unknown }} */ (Object(source));
  if (!Array.isArray(files) && !isA(files, "FileList")) return undefined;
  const all = Array.from(/** @type {ArrayLike<unknown>} */ (files), named).filter((file) => file !== undefined);
  if (all.length === 0 || all.length < /** @type {ArrayLike<unknown>} */ (files).length) return undefined;
  // A directory that was picked may have others in it.
  const [top] = all.map(([path]) => path).filter((path) => NAMING.test(path)).sort((a, b) => a.split("/").length - b.split("/").length);
  if (top === undefined && all.length > 1) throw badArgument(`import(): none of the ${all.length} files is index.json or manifest.b: give all files of an index or of a backup`);
  const folder = top?.slice(0, top.lastIndexOf("/") + 1) ?? "";
  return new Map(all.filter(([path]) => path.startsWith(folder)).map(([path, blob]) => [path.slice(folder.length), blob]));
}

/**
 * @param {unknown} file
 * @returns {[path: string, blob: Blob] | undefined}
 */
function named(file) {
  const { name, webkitRelativePath, blob = file } = /** @type {{ name?: unknown, webkitRelativePath?: unknown, blob?: unknown }} */ (Object(file));
  if (typeof name !== "string" || !(isA(blob, "Blob") || isA(blob, "File"))) return undefined;
  return [typeof webkitRelativePath === "string" && webkitRelativePath !== "" ? webkitRelativePath : name, /** @type {Blob} */ (blob)];
}

/**
 * The files of a backup, if the folder is one, as `from` takes them.
 * @param {Folder} folder
 */
export function backupIn(folder) {
  if (folder.has("index.json") || ![...folder.keys()].some((name) => NAMING.test(name))) return undefined;
  const files = [...folder].map(([name, blob]) => ({ name, blob })).filter(({ blob }) => blob.size > 0);
  // The manifest is the last file that `from` writes.
  return files.sort((a, b) => Number(NAMING.test(a.name)) - Number(NAMING.test(b.name)));
}

/**
 * @param {Folder} folder of an index, or with one segment alone
 * @returns {Promise<import("../../sources/resolve.js").Resolved>}
 */
export async function openFolder(folder) {
  const manifest = folder.get("index.json");
  if (!manifest) return alone(new BlobSource([...folder.values()][0]));
  if (manifest.size > MANIFEST_LIMIT) throw new PagevecError("manifest", `index.json is no pagevec manifest: it is larger than ${MANIFEST_LIMIT} bytes`);
  const { generation, segments } = parseManifest(await manifest.text(), "index.json");
  const traffic = newTraffic();
  /** @type {import("../../sources/parts.js").LoadPart} */
  const load = async (path, length) => new Uint8Array(await fileOf(folder, path, length).arrayBuffer());
  const segmentOf = (/** @type {import("../../sources/manifest.js").Entry} */ entry) => {
    const { file, length, parts } = entry;
    const dead = entry.dead && wholeFile(entry.dead, entry.dead.file, load, traffic);
    if (file !== undefined && (folder.has(file) || !parts)) return { source: new BlobSource(fileOf(folder, file, length)), dead, entry };
    const cut = /** @type {import("../../sources/parts.js").Parts} */ (parts);
    return { source: new PartsSource(cut, length, cut.folder, load, { traffic }), dead, entry };
  };
  return { name: "index.json", generation, segments: segments.map(segmentOf) };
}

/**
 * @param {Folder} folder
 * @param {string} path
 * @param {number} length that it must have
 */
function fileOf(folder, path, length) {
  const file = folder.get(path);
  if (!file) throw new PagevecError("not-found", `${path}, which index.json names, is not among the files: give all files of the folder`);
  if (file.size !== length) throw new PagevecError("stale", `${path} has ${file.size} bytes, index.json says ${length}: copy the folder again`);
  return file;
}
