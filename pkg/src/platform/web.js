// What pages, workers and edge runtimes have in common, wherever the WebAssembly module and the page store come from.
import { badArgument } from "../errors.js";

/**
 * @param {import("../core/module.js").Own} search gives the module that an index opens with
 * @param {(bytes: number) => Promise<import("../store/store.js").Store>} openStore
 * @param {Pick<import("../engine/open.js").Platform, "filter" | "loadExtras" | "openInWorker">} more what an entry may load when it is called for
 * @returns {import("../engine/open.js").Platform}
 */
export function web(search, openStore, more) {
  return {
    ...more,
    search,
    openPath: () => undefined,
    openStore({ folder, bytes }) {
      if (folder !== undefined) throw badArgument("open(): cache.folder is for Node; pages keep their store in the browser");
      return openStore(bytes);
    },
  };
}
