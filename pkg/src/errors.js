/**
 * The error class of the package: every call rejects with one. `code` is stable and meant for programs; the message is meant for
 * people and says what to do next.
 *
 * Codes of the JS: `argument`, `filter`, `dimension`, `closed`, `aborted`, `trapped`, `network`, `timeout`,
 * `forbidden`, `not-found`, `status`, `stale`, `redirect`, `range-unsupported`, `not-a-segment`, `manifest`, `io`, `quota`, `locked`,
 * `wasm`, `budget`, `unsupported`, `out-of-memory`, `embed`, `model`, `worker`, `internal`. The core has others, for example `checksum` and `unknown-id`.
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
    /** @type {number | undefined} of `network`: the milliseconds that the host asked to wait (Retry-After) */
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/**
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
 * A PagevecError of whatever was thrown.
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
  const { name, message } = /** @type {Error} */ (Object(thrown));
  return name === "RangeError" && /allocat|memory|(array|typed array|buffer) length/i.test(message);
}

/**
 * Runs a call of the public API, so that it rejects with a PagevecError only.
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
 * Reads what users passed. Whatever their getters and proxies throw becomes an `argument` error.
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
 * Throws `unsupported` if the runtime lacks a global.
 * @param {string[]} names of the globals
 * @param {string} [instead] what users can do about it
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
 * A PagevecError of what a WebAssembly module threw. The core's errors have a string `code`; anything else (a
 * WebAssembly.RuntimeError, a stack overflow) left the instance in an unknown state.
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
 * Calls a listener of the user. If it throws, the exception is reported as uncaught and the operation goes on.
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
