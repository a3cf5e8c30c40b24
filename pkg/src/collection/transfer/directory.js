// Writes a backup into a directory of a page: one that a person picked, or one of the private file system.
import { describe, isA } from "../../describe.js";
import { badArgument, PagevecError } from "../../errors.js";

/**
 * A FileSystemDirectoryHandle, which the types of Node do not have.
 * @typedef {{ readonly kind: "directory", readonly name: string, getFileHandle: (name: string, options?: { create?: boolean }) => Promise<unknown> }} DirectoryHandle
 */

const MANIFESTS = ["manifest.a", "manifest.b"];

/**
 * @param {unknown} to
 * @returns {FileSystemDirectoryHandle}
 */
export function toDirectory(to) {
  if (!isA(to, "FileSystemDirectoryHandle")) throw badArgument(`backup(): in a page it takes a FileSystemDirectoryHandle, as showDirectoryPicker() gives one, not ${describe(to)}; without one it gives Blobs`);
  return /** @type {FileSystemDirectoryHandle} */ (to);
}

/**
 * @param {FileSystemDirectoryHandle} directory
 * @param {import("./backup.js").BackupFile[]} files
 */
export async function writeInto(directory, files) {
  try {
    for (const name of MANIFESTS) {
      const taken = await directory.getFileHandle(name).then((handle) => handle.getFile(), () => undefined);
      if (taken && taken.size > 0) throw badArgument(`backup(): there is a collection in ${directory.name}: give another directory`);
    }
    for (const { name, blob } of files) {
      const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
      await blob.stream().pipeTo(writable);
    }
  } catch (cause) {
    if (cause instanceof PagevecError) throw cause;
    const { name, message } = /** @type {Error} */ (Object(cause));
    throw new PagevecError(name === "QuotaExceededError" ? "quota" : "io", `backup(): ${directory.name} could not be written (${name}: ${message}): give another directory; the collection stays as it is`, { cause });
  }
}
