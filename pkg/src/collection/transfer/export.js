// What leaves a collection as an index: one segment of all rows, and the index.json that names it. The module of the collection writes the
// rows, and that of builds, which is loaded when it is first needed, adds graph and clusters.
import { fromWasm, notify, throwIfAborted } from "../../errors.js";
import { fileEntryOf, manifestAt } from "../../folder/entry.js";

/**
 * @typedef {object} ExportedIndex an index folder, as its two files
 * @property {string} name that the segment's file must have: `seg-….bin`
 * @property {Blob} segment which `open` also takes as it is
 * @property {Blob} manifest the file `index.json`, which names the segment: upload it last
 */

/**
 * @param {import("../host/core.js").Core} core
 * @param {() => Promise<import("../host/builder.js").Builder>} start
 * @param {string | undefined} model that made the vectors
 * @param {AbortSignal} signal
 * @param {import("../host/upkeep.js").OnProgress} onProgress
 * @returns {Promise<ExportedIndex>}
 */
export async function exportIndex(core, start, model, signal, onProgress) {
  const builder = await start();
  throwIfAborted(signal);
  /** @type {import("../host/core.js").Report} */
  const report = (phase, done, total) => (notify(onProgress, { phase, done, total }), signal.aborted);
  const rows = pieces();
  core.read((module) => module.export_rows(rows.keep, report));
  // The sequence rises with each change, as a generation must. It is that of these rows: writes may come from here on.
  const { sequence } = core.stats();
  const file = new Uint8Array(await rows.whole().arrayBuffer());
  throwIfAborted(signal);
  const index = pieces();
  const { contentId, ...info } = indexed(builder, file, index.keep, report);
  const entry = fileEntryOf(info, contentId, model);
  const manifest = new Blob([manifestAt(sequence, [entry])], { type: "application/json" });
  return { name: entry.file, segment: index.whole(), manifest };
}

/**
 * @param {import("../host/builder.js").Builder} builder
 * @param {Parameters<import("../host/builder.js").Builder["indexSegment"]>} order
 */
function indexed(builder, ...order) {
  try {
    return builder.indexSegment(...order);
  } catch (thrown) {
    throw fromWasm(thrown);
  }
}

/** The pieces of a file, as Blobs: a browser may keep their bytes elsewhere than in memory. */
function pieces() {
  /** @type {Blob[]} */
  const all = [];
  return {
    keep: (/** @type {Uint8Array} */ bytes) => void all.push(new Blob([/** @type {BlobPart} */ (bytes)])),
    whole: () => new Blob(all, { type: "application/octet-stream" }),
  };
}
