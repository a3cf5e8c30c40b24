// The rows of an index that was published or exported, for a collection that takes them: its segments are fetched here, one at a time and
// whole, as every row of them is needed; where the module is, their rows are read and stored (rows.js).
import { describe, isA, isBytes } from "../../describe.js";
import { badArgument, notify } from "../../errors.js";
import { isName, resolve, toInput } from "../../sources/resolve.js";
import { readAll } from "../../sources/source.js";
import { openFolder } from "./files.js";

/** Bytes that are read at a time. */
const PIECE = 4 << 20;
/** Bytes of part files that are held beside a segment. */
const HELD = 32 << 20;
/** Rows that are stored at a time. */
const IMPORTED = 1000;

/**
 * @typedef {import("../calls/calls.js").Link} Link
 * @typedef {import("../../sources/source.js").Source} Source
 * @typedef {import("../../sources/resolve.js").Input} Input
 * @typedef {import("./export.js").ExportedIndex} ExportedIndex
 * @typedef {import("./files.js").Folder} Folder
 * @typedef {import("./files.js").NamedBlob} NamedBlob
 * @typedef {import("../client.js").Collection} Collection
 * @typedef {Iterable<import("../arguments.js").Item> | AsyncIterable<import("../arguments.js").Item> | string | URL | Blob | Uint8Array | ArrayBuffer | ExportedIndex | ArrayLike<NamedBlob> | import("./backup.js").Backup} ImportSource rows;
 *   or an index: its URL or, in Node, path; a segment's bytes; what `export` gave; or all its files, as a person picks them; or a backup: what
 *   `backup` gave, or the files of its folder
 *
 * @typedef {object} ImportOptions
 * @property {(event: import("../calls/calls.js").CompactProgress) => void} [onProgress] called while the rows of a segment are stored
 * @property {Record<string, string> | Headers} [headers] of requests for an index
 * @property {typeof globalThis.fetch} [fetch] in its place
 * @property {AbortSignal} [signal] ends it with `aborted`; the rows before stay stored
 *
 * @typedef {{ signal: AbortSignal | undefined, onProgress: ((event: import("../calls/calls.js").CompactProgress) => void) | undefined, http: import("../../sources/http/request.js").HttpOptions }} How
 */

/**
 * Whether `source` is an index, and not rows.
 * @param {unknown} source
 */
export function isIndex(source) {
  return isName(source) || isBytes(source) || ["ArrayBuffer", "Blob", "File"].some((name) => isA(source, name)) || isExported(source);
}

/**
 * @param {unknown} source
 * @returns {source is ExportedIndex}
 */
function isExported(source) {
  return isA(/** @type {{ segment?: unknown }} */ (Object(source)).segment, "Blob");
}

/**
 * @param {unknown} source
 * @returns {Input}
 */
export function toIndex(source) {
  return toInput(isExported(source) ? source.segment : source);
}

/**
 * @param {Link} link
 * @param {Input | Folder} input
 * @param {How} how
 * @returns {Promise<{ upserted: number }>}
 */
export async function importIndex({ openPath, state, call }, input, { signal, onProgress, http }) {
  const { segments } = await (input instanceof Map ? openFolder(input) : resolve(openPath, input, { ...http, signal, memoryBudget: HELD }));
  let upserted = 0;
  try {
    for (const { source, dead } of segments) {
      const bytes = await wholeOf(source, signal);
      const gone = dead && (await wholeOf(dead, signal));
      const { dim, metric } = state;
      upserted += (await call({ call: "import", segment: bytes, dead: gone, dim, metric }, signal, onProgress)).upserted;
    }
  } finally {
    await Promise.all(segments.flatMap(({ source, dead }) => [source.close(), dead?.close()]));
  }
  return { upserted };
}

/**
 * @param {(items: any[], options: { signal?: AbortSignal }) => Promise<{ upserted: number }>} store
 * @param {unknown} rows
 * @param {AbortSignal | undefined} signal
 */
export async function importRows(store, rows, signal) {
  const given = /** @type {Partial<Iterable<unknown> & AsyncIterable<unknown>>} */ (Object(rows));
  if (!(given[Symbol.asyncIterator] ?? given[Symbol.iterator])) throw badArgument(`import() takes rows that can be iterated, as rows() gives them, or an index: a URL, a path in Node, a Blob or bytes of a segment, its files, or what export() or backup() gives, not ${describe(rows)}`);
  let upserted = 0;
  /** @type {unknown[]} */
  let batch = [];
  for await (const row of /** @type {AsyncIterable<unknown>} */ (rows)) {
    batch.push(row);
    if (batch.length < IMPORTED) continue;
    upserted += (await store(batch, { signal })).upserted;
    batch = [];
  }
  return { upserted: upserted + (await store(batch, { signal })).upserted };
}

/**
 * Stores the rows of a backup, which was opened in memory and is closed by this.
 * @param {Collection} collection
 * @param {Collection} copy
 * @param {How} how
 */
export async function importBackup(collection, copy, { signal, onProgress }) {
  try {
    const { metric } = copy;
    if (metric !== collection.metric) throw badArgument(`the backup to import has the metric ${metric}, the collection ${collection.metric}: open a collection with that of the backup`);
    let done = 0;
    /** @type {Parameters<typeof importRows>[0]} */
    const store = async (items, how) => {
      const stored = await collection.upsert(items, how);
      done += items.length;
      notify(onProgress, { phase: "import", done, total: copy.count });
      return stored;
    };
    return await importRows(store, copy.rows({ vectors: true, signal }), signal);
  } finally {
    await copy.close();
  }
}

/**
 * @param {Source} source
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Uint8Array<ArrayBuffer>>} a copy
 */
async function wholeOf(source, signal) {
  // A segment that no manifest lists has a length once its first byte was read.
  if (source.length === undefined) await readAll(source, 0, 1, signal);
  const { length = 0 } = source;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE) bytes.set(await readAll(source, at, Math.min(PIECE, length - at), signal), at);
  return bytes;
}
