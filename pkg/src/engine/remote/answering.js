// The worker's side of calls, whatever it serves: each has a number, is ended by that number, and is answered with a value or an error.
import { typed } from "../../errors.js";
import { encodeError } from "./messages.js";

/**
 * @template {object} Call
 * @param {(call: Call, signal: AbortSignal) => Promise<unknown>} run
 * @param {(answer: { id: number } & ({ value: any } | { error: import("./messages.js").ErrorData })) => void} post
 * @returns {(message: (Call & { id: number }) | { abort: number }) => Promise<void>} what to call with each message
 */
export function answering(run, post) {
  /** @type {Map<number, AbortController>} */
  const controllers = new Map();
  return async (message) => {
    if ("abort" in message) return controllers.get(message.abort)?.abort();
    const { id } = message;
    const controller = new AbortController();
    controllers.set(id, controller);
    try {
      post({ id, value: await typed(() => run(message, controller.signal)) });
    } catch (error) {
      post({ id, error: encodeError(/** @type {import("../../errors.js").PagevecError} */ (error)) });
    } finally {
      controllers.delete(id);
    }
  };
}
