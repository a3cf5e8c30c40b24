// The entry `pagevec/collection` for Node, Deno and Bun: a collection is a folder, written by one process at a time. Its host is in the
// thread of the program; merges have a thread of their own.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { loadGiven } from "../../core/module.js";
import { describe } from "../../describe.js";
import { badArgument, PagevecError } from "../../errors.js";
import { modules, node, readModule } from "../../platform/node.js";
import { MemoryDir } from "../dirs/memory.js";
import { NodeDir } from "../dirs/node.js";
import { startBuilder } from "../host/builder.js";
import { starter } from "../host/glue.js";
import { LocalLink } from "../local.js";
import { openCollectionWith } from "../open.js";
import { importing } from "../transfer/rows.js";
import { mergeElsewhere } from "../workers/merge.js";

/**
 * Milliseconds after which a program that calls without a pause lets others run: answers come without a turn of its event loop, in which
 * the lock is kept fresh and merges end.
 */
const TURN = 50;

const { openPath } = node(modules.search);

/** @type {import("../workers/merge.js").StartThread} */
function startThread(onReport, onFailure) {
  const worker = new Worker(new URL("./collection-merge.js", import.meta.url), { execArgv: [] });
  worker.on("message", onReport);
  worker.on("error", (error) => onFailure(error.message));
  worker.on("exit", (code) => onFailure(`it ended with exit code ${code}`));
  // A merge that nobody waits for does not keep a program alive: it begins again at the next opening.
  worker.unref();
  return { post: (order) => worker.postMessage(order), end: () => void worker.terminate() };
}

/** @type {import("../host/host.js").Place} */
const place = {
  start: (wasm) => starter(() => readModule(new URL("../wasm/collection/pagevec_wasm_bg.wasm", import.meta.url)), wasm),
  builder: () => startBuilder(() => readModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url))),
  async openStorage({ name, memory, create }, load) {
    if (memory) return { dir: new MemoryDir(), persistent: false, why: "`memory: true` was given" };
    const path = resolve(name);
    if (!create && !existsSync(path)) throw new PagevecError("not-found", `there is no collection at ${path}: leave out \`create: false\``);
    return { dir: NodeDir.open(path, create), persistent: true, elsewhere: mergeElsewhere(startThread, load, path), folderAt: (to) => NodeDir.open(to, true) };
  },
};

/** @type {import("../open.js").Connect} */
async function connect({ host, wasm }, wires) {
  const module = wasm === undefined ? undefined : await loadGiven("collection", wasm);
  const link = await LocalLink.open(place, { ...host, wasm: module }, wires);
  const answer = importing(link.call, place.start(module).instantiate);
  let turned = performance.now();
  /** @type {import("../calls/calls.js").Link["call"]} */
  const call = async (...given) => {
    // A program does not end while it waits for an answer.
    const alive = setInterval(() => {}, 2 ** 30);
    try {
      return await answer(...given);
    } finally {
      clearInterval(alive);
      if (performance.now() - turned > TURN) {
        turned = performance.now();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  return {
    get state() {
      return link.state;
    },
    call,
    openPath,
    async backupInto(to, signal) {
      if (typeof to !== "string" || to === "") throw badArgument(`backup(): in Node it takes the path of a folder, not ${describe(to)}; without one it gives Blobs`);
      await call({ call: "backup", to: resolve(to) }, signal);
    },
    persist: () => link.persist(),
    close: () => link.close(),
  };
}

/**
 * Opens a collection, which is made if it is not there. Rejects with `argument`, `dimension`, `not-found`, `locked`, `version`, `corrupt`,
 * `wal-damaged`, `io`, `quota`, `wasm` or `aborted`.
 * @param {string} folder a path
 * @param {import("../settings.js").CollectionOptions} [options]
 * @returns {Promise<import("../client.js").Collection>}
 */
export function openCollection(folder, options) {
  return openCollectionWith(connect, folder, options);
}

export { PagevecError } from "../../errors.js";
export { Collection } from "../client.js";

/**
 * @typedef {import("../settings.js").CollectionOptions} CollectionOptions
 * @typedef {import("../settings.js").FlushOptions} FlushOptions
 * @typedef {import("../arguments.js").Item} Item
 * @typedef {import("../arguments.js").UpsertOptions} UpsertOptions
 * @typedef {import("../calls/calls.js").ChangeEvent} ChangeEvent
 * @typedef {import("../calls/calls.js").CompactOptions} CompactOptions
 * @typedef {import("../calls/calls.js").CompactProgress} CompactProgress
 * @typedef {import("../calls/calls.js").RowOptions} RowOptions
 * @typedef {import("../calls/calls.js").StoredRow} StoredRow
 * @typedef {import("../calls/fields.js").Updated} Updated
 * @typedef {import("../messages.js").State} CollectionStats
 * @typedef {import("../transfer/backup.js").Backup} Backup
 * @typedef {import("../transfer/backup.js").BackupFile} BackupFile
 * @typedef {import("../transfer/export.js").ExportedIndex} ExportedIndex
 * @typedef {import("../transfer/import.js").ImportSource} ImportSource
 * @typedef {import("../transfer/import.js").ImportOptions} ImportOptions
 */
