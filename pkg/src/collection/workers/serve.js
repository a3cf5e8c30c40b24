// The worker's side of ../messages.js: one collection, opened by the first call.
import { answering } from "../../engine/remote/answering.js";
import { PagevecError } from "../../errors.js";
import { LocalLink } from "../local.js";
import { Tab } from "../tabs/tab.js";
import { importing } from "../transfer/rows.js";

/** @typedef {import("../messages.js").TabCall} TabCall */

/**
 * @param {import("../host/host.js").Place} place
 * @param {(settings: import("../messages.js").HostSettings) => Promise<string | undefined>} whyMemory
 * @param {(message: object) => void} post
 * @returns {(message: (TabCall & { id: number }) | { abort: number }) => Promise<void>} what to call with each message
 */
export function serveCalls(place, whyMemory, post) {
  /** @type {Pick<Tab, "close" | "show"> & { call: import("../calls/calls.js").Link["call"] } | undefined} */
  let tab;
  const send = (/** @type {string} */ event) => (/** @type {unknown} */ detail) => post({ event, detail });

  /**
   * @param {import("../messages.js").OpenCall} call
   * @returns {Promise<import("../messages.js").State>}
   */
  const open = async ({ settings, visible }) => {
    const { instantiate } = place.start(settings.wasm);
    // What is in memory is this tab's own: there are no files that tabs could share.
    if ((await whyMemory(settings)) === undefined) {
      const opened = await Tab.open(place, settings, visible, { change: send("change"), state: send("state") });
      const { tab: of } = opened;
      tab = { call: importing((asked, ends, onProgress = () => {}) => of.call(asked, ends, onProgress), instantiate), close: () => of.close(), show: (...how) => of.show(...how) };
      return opened.state;
    }
    const link = await LocalLink.open(place, settings, { onChange: send("change"), onState: send("state") });
    tab = { call: importing(link.call, instantiate), close: () => link.close(), show: () => {} };
    return link.state;
  };

  /**
   * @param {TabCall & { watched?: number }} call
   * @param {AbortSignal} signal
   */
  const run = async ({ watched, ...call }, signal) => {
    if (call.call === "open") return open(call);
    if (!tab) throw new PagevecError("internal", "the worker was called before it opened a collection: please report it");
    if (call.call === "close") return tab.close();
    if (call.call === "visible") return tab.show(call.visible, call.frozen);
    return tab.call(call, signal, (progress) => post({ event: "progress", detail: { watched, progress } }));
  };

  return answering(run, post);
}
