/**
 * The one error class of the package. `code` is stable and meant for programs; the message is
 * meant for people and says what to do next.
 *
 * Codes of this layer: `argument`, `dimension`, `closed`, `aborted`, `trapped`, `network`, `timeout`,
 * `forbidden`, `not-found`, `status`, `stale`, `redirect`, `range-unsupported`, `not-a-segment`, `manifest`, `io`,
 * `wasm`, `budget`, `unsupported`, `out-of-memory`, `internal`. The core adds its own, for example `checksum` and
 * `unknown-id`.
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

/**
 * What a call may reject with: a PagevecError, whatever was thrown.
 * @param {unknown} thrown
 * @returns {PagevecError}
 */
export function toPagevec(thrown) {
  if (thrown instanceof PagevecError) return thrown;
  if (isMemory(thrown)) return new PagevecError("out-of-memory", `there is not enough memory (${thrown.message}): lower memoryBudget, close indexes, or pass fewer rows at a time`, { cause: thrown });
  const { message } = /** @type {Error} */ (Object(thrown));
  return new PagevecError("internal", `pagevec's own state is wrong (${message}): please report it`, { cause: thrown });
}

/**
 * @param {unknown} thrown
 * @returns {thrown is RangeError}
 */
function isMemory(thrown) {
  return thrown instanceof RangeError && /allocat|memory|(array|typed array|buffer) length/i.test(thrown.message);
}

/**
 * Every call that users make goes through here.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function typed(action) {
  try {
    return await action();
  } catch (thrown) {
    throw toPagevec(thrown);
  }
}

/**
 * Reads what users passed: what their getters and proxies throw is about an argument.
 * @template T
 * @param {() => T} read
 * @returns {T}
 */
export function reading(read) {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof PagevecError || isMemory(thrown)) throw toPagevec(thrown);
    const { message } = /** @type {Error} */ (Object(thrown));
    throw new PagevecError("argument", `what was passed in could not be read (${message})`, { cause: thrown });
  }
}

/**
 * @param {string[]} names of what the platform must have
 * @param {string} [instead]
 */
export function needs(names, instead = "") {
  const missing = names.filter((name) => !(name in globalThis));
  if (missing.length > 0) throw new PagevecError("unsupported", `this runtime has no ${missing.join(", ")}${instead}: pagevec runs in browsers, workers, and Node 20 or newer`);
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
