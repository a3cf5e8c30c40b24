// Where a collection is kept in a browser: the private file system of the site, opened in a worker; or memory, and why.
import { PagevecError } from "../../errors.js";
import { MemoryDir } from "../dirs/memory.js";
import { OpfsDir } from "../dirs/opfs.js";
import { startBuilder } from "../host/builder.js";
import { starter } from "../host/glue.js";
import { mergeElsewhere } from "./merge.js";

/** The folder of all collections of a site. */
const ROOT = "pagevec-collections";

/**
 * Whether nothing can be kept here. A file system that fails is no reason: then it is an error, as an empty collection in the place of
 * one that is there is worse than none.
 * @param {import("../messages.js").HostSettings} settings
 * @returns {Promise<string | undefined>} why
 */
export async function whyMemory({ memory }) {
  if (memory) return "`memory: true` was given";
  if (!globalThis.isSecureContext) return "this page is not in a secure context: serve it by https";
  if (!navigator.storage?.getDirectory || !("createSyncAccessHandle" in globalThis.FileSystemFileHandle.prototype)) return "this browser has no private file system for workers";
  try {
    await navigator.storage.getDirectory();
    return undefined;
  } catch (error) {
    const { name } = /** @type {Error} */ (Object(error));
    if (["SecurityError", "NotAllowedError", "NotSupportedError"].includes(name)) return `this browser refuses its private file system (${name}), as it does in some private windows`;
    throw refused(error);
  }
}

/**
 * @param {import("../../core/module.js").Own} own
 * @param {import("../../core/module.js").Own} ownBuilder
 * @param {import("./merge.js").StartThread | undefined} startThread undefined: merges are made in the worker itself
 * @returns {import("../host/host.js").Place}
 */
export function browserPlace(own, ownBuilder, startThread) {
  return {
    start: (wasm) => starter(own, wasm),
    builder: () => startBuilder(ownBuilder),
    async openStorage(settings, load) {
      const why = await whyMemory(settings);
      if (why) return { dir: new MemoryDir(), persistent: false, why };
      const folder = await folderOf(settings.name, settings.create);
      const dir = await OpfsDir.open(folder);
      const elsewhere = startThread && mergeElsewhere(startThread, load, folder);
      return { dir, persistent: true, elsewhere, estimate };
    },
  };
}

/**
 * Files of a thread that merges. It reads through Blobs, as the host has the only handles.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {import("./merge.js").Files}
 */
export function mergeFiles(folder) {
  return {
    async input(name) {
      const file = await (await folder.getFileHandle(name)).getFile();
      // Only workers have it, and the types of pages do not.
      const reader = new /** @type {any} */ (globalThis).FileReaderSync();
      return {
        length: file.size,
        read(into, offset) {
          const bytes = new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + into.length)));
          into.set(bytes);
          return bytes.length;
        },
      };
    },
    output: (name) => OpfsDir.create(folder, name),
  };
}

/**
 * @param {string} name
 * @param {boolean} create
 */
async function folderOf(name, create) {
  try {
    const root = await navigator.storage.getDirectory();
    const all = await root.getDirectoryHandle(ROOT, { create });
    return await all.getDirectoryHandle(encodeURIComponent(name), { create });
  } catch (error) {
    if (/** @type {Error} */ (error)?.name === "NotFoundError") throw new PagevecError("not-found", `there is no collection "${name}" in this browser: leave out \`create: false\``, { cause: error });
    throw refused(error);
  }
}

/** @param {unknown} cause */
function refused(cause) {
  const { name, message } = /** @type {Error} */ (Object(cause));
  return new PagevecError("io", `the browser's private file system failed (${name}: ${message}). Nothing is lost: load the page again, or pass \`memory: true\` to go on without it`, { cause });
}

async function estimate() {
  const { usage, quota } = await navigator.storage.estimate();
  return { usage, quota, persisted: await navigator.storage.persisted?.() };
}
