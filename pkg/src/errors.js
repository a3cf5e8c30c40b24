/**
 * The one error class of the package. `code` is stable and meant for programs; the message is
 * meant for people and says what to do next.
 *
 * Codes of this layer: `argument`, `dimension`, `closed`, `aborted`, `trapped`, `network`, `timeout`,
 * `forbidden`, `not-found`, `status`, `stale`, `redirect`, `range-unsupported`, `not-a-segment`, `manifest`, `io`,
 * `wasm`, `budget`. The core adds its own, for example `checksum` and `unknown-id`.
 */
export class PagevecError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ cause?: unknown, retryAfterMs?: number }} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = "PagevecError";
    /** @type {string} */
    this.code = code;
    /** @type {number | undefined} `network`: how long the host asked to wait (Retry-After) */
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/**
 * An argument that no call accepts.
 * @param {string} message
 * @returns {PagevecError}
 */
export function badArgument(message) {
  return new PagevecError("argument", message);
}

/**
 * @param {unknown} reason `signal.reason`
 * @returns {PagevecError}
 */
export function aborted(reason) {
  return new PagevecError("aborted", "the operation was aborted by its signal", { cause: reason });
}

/**
 * @param {AbortSignal | undefined} signal
 * @returns {void}
 */
export function throwIfAborted(signal) {
  if (signal?.aborted) throw aborted(signal.reason);
}

/** @returns {PagevecError} */
export function closed() {
  return new PagevecError("closed", "the index is closed: call open() again");
}

/**
 * Translates what the wasm module threw. The core's errors carry a string `code`; anything else
 * (a WebAssembly.RuntimeError, a stack overflow) left the instance in an unknown state.
 * @param {unknown} thrown
 * @param {string} [where] the file it was about
 * @returns {PagevecError}
 */
export function fromWasm(thrown, where) {
  if (thrown instanceof PagevecError) return thrown;
  const error = /** @type {{ code?: unknown, message?: unknown }} */ (Object(thrown));
  if (typeof error.code === "string") {
    const message = String(error.message);
    return new PagevecError(error.code, where ? `${where}: ${message}` : message);
  }
  return new PagevecError(
    "trapped",
    "the WebAssembly instance stopped on an internal error; the next call starts a new one. Please report this",
    { cause: thrown },
  );
}

/**
 * Calls a listener of the user. Its exception is the user's: it is reported as uncaught and
 * leaves the operation alone.
 * @template T
 * @param {((event: T) => void) | undefined} listener
 * @param {T} event
 * @returns {void}
 */
export function notify(listener, event) {
  if (!listener) return;
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
