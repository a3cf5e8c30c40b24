import { aborted } from "../errors.js";
import { join } from "./source.js";

/**
 * The chunks of a stream, as not every browser can iterate over streams. Leaving the loop early cancels the stream.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {AbortSignal} [signal]
 * @param {(next: ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>) => ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>} [wait]
 *   waits for the next chunk; if it throws, the stream is cancelled
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
export async function* chunksOf(stream, signal, wait = (next) => next) {
  const reader = stream.getReader();
  let ended = false;
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await wait(reader.read());
      if (signal?.aborted) throw aborted(signal.reason);
      if (done) {
        ended = true;
        return;
      }
      if (value.length > 0) yield value;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!ended) stop();
  }
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} limit
 * @returns {Promise<Uint8Array | undefined>} undefined: they are more
 */
export async function gather(chunks, limit) {
  /** @type {Uint8Array[]} */
  const all = [];
  let done = 0;
  for await (const chunk of chunks) {
    all.push(chunk);
    done += chunk.length;
    if (done > limit) return undefined;
  }
  return join(all, done);
}
