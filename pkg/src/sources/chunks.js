import { aborted } from "../errors.js";

/**
 * The chunks of a stream. (Not every browser has async iteration of streams.) Leaving the loop
 * early cancels the stream.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
export async function* chunksOf(stream, signal) {
  const reader = stream.getReader();
  let ended = false;
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
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
