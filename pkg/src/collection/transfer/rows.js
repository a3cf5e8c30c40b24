// The rows of a segment, stored by as many upserts. It is done where the WebAssembly module is, in an instance of its own, whose memory
// ends with it; the collection sees upserts like any other.
import { fromWasm, notify, PagevecError, throwIfAborted } from "../../errors.js";

/** Rows of an upsert. */
const BATCH = 1000;

/**
 * @typedef {import("../calls/calls.js").Link["call"]} LinkCall
 * @typedef {import("../local.js").HostCall} HostCall
 * @typedef {import("../messages.js").ImportCall} ImportCall
 */

/**
 * A link's `call` that also does imports.
 * @param {HostCall} call
 * @param {import("../host/core.js").Instantiate} instantiate
 * @returns {LinkCall}
 */
export function importing(call, instantiate) {
  return (asked, signal, onProgress) => (asked.call === "import" ? importSegment(asked, call, instantiate, signal, onProgress) : call(asked, signal, onProgress));
}

/**
 * @param {ImportCall} asked
 * @param {HostCall} call
 * @param {import("../host/core.js").Instantiate} instantiate
 * @param {AbortSignal | undefined} signal
 * @param {((event: import("../calls/calls.js").CompactProgress) => void) | undefined} onProgress
 * @returns {Promise<{ upserted: number }>}
 */
async function importSegment({ segment, dead, dim, metric }, call, instantiate, signal, onProgress) {
  const { SegmentRows } = await instantiate();
  const rows = inModule(() => SegmentRows.open(inputOf(segment), dead));
  /** @type {{ count: number, dim: number, metric: string }} */
  const { count, ...facts } = JSON.parse(rows.facts());
  if (facts.metric !== metric) throw new PagevecError("argument", `the index to import has the metric ${facts.metric}, the collection ${metric}: open a collection with that of the index`);
  if (facts.dim !== dim) throw new PagevecError("dimension", `the index to import has vectors of ${facts.dim} numbers, the collection of ${dim}`);
  let upserted = 0;
  for (let from = 0; from < count; ) {
    throwIfAborted(signal);
    const { next, fields, ...batch } = inModule(() => rows.rows(from, BATCH));
    if (batch.ids.length > 0) upserted += (await call({ call: "upsert", ...batch, fields: fields.length > 0 ? fields : null }, signal)).upserted;
    from = next;
    notify(onProgress, { phase: "import", done: from, total: count });
  }
  return { upserted };
}

/**
 * @param {Uint8Array} bytes
 * @returns {import("../host/core.js").Input}
 */
function inputOf(bytes) {
  return {
    length: bytes.length,
    read(into, offset) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}

/**
 * @template T
 * @param {() => T} action
 * @returns {T}
 */
function inModule(action) {
  try {
    return action();
  } catch (thrown) {
    throw fromWasm(thrown);
  }
}
