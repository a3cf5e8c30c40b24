// The worker's side of ../messages.js: one collection, opened by the first call.
import { PagevecError, typed } from "../../errors.js";
import { encodeError } from "../../engine/remote/messages.js";
import { LocalLink } from "../local.js";
import { Tab } from "../tabs/tab.js";

/** @typedef {import("../messages.js").TabCall} TabCall */

/**
 * @param {import("../host/host.js").Place} place
 * @param {(settings: import("../messages.js").HostSettings) => Promise<string | undefined>} whyMemory
 * @param {(message: object) => void} post
 * @returns {(message: (TabCall & { id: number }) | { abort: number }) => Promise<void>} what to call with each message
 */
export function serveCalls(place, whyMemory, post) {
  /** @type {Pick<Tab, "call" | "close" | "show"> | undefined} */
  let tab;
  /** @type {Map<number, AbortController>} */
  const controllers = new Map();
  const send = (/** @type {string} */ event) => (/** @type {unknown} */ detail) => post({ event, detail });

  /**
   * @param {import("../messages.js").OpenCall} call
   * @returns {Promise<import("../messages.js").State>}
   */
  const open = async ({ settings, visible }) => {
    // What is in memory is this tab's own: there are no files that tabs could share.
    if ((await whyMemory(settings)) === undefined) {
      const opened = await Tab.open(place, settings, visible, { change: send("change"), state: send("state") });
      tab = opened.tab;
      return opened.state;
    }
    const link = await LocalLink.open(place, settings, { onChange: send("change"), onState: send("state") });
    tab = { call: link.call, close: () => link.close(), show: () => {} };
    return link.state;
  };

  /**
   * @param {TabCall} call
   * @param {AbortSignal} signal
   * @param {number} id
   */
  const run = async (call, signal, id) => {
    if (call.call === "open") return open(call);
    if (!tab) throw new PagevecError("internal", "the worker was called before it opened a collection: please report it");
    if (call.call === "close") return tab.close();
    if (call.call === "visible") return tab.show(call.visible, call.frozen);
    return tab.call(call, signal, (progress) => post({ event: "progress", detail: { id, progress } }));
  };

  return async (message) => {
    if ("abort" in message) return controllers.get(message.abort)?.abort();
    const { id } = message;
    const controller = new AbortController();
    controllers.set(id, controller);
    try {
      post({ id, value: await typed(async () => run(message, controller.signal, id)) });
    } catch (error) {
      post({ id, error: encodeError(/** @type {PagevecError} */ (error)) });
    } finally {
      controllers.delete(id);
    }
  };
}
