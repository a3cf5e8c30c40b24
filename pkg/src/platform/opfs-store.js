// The page store of browsers. It is a file of its own, so that a page can load it beside the WebAssembly module.
import { OpfsFolder } from "../store/opfs.js";
import { Store } from "../store/store.js";

/**
 * @param {number} bytes most bytes of the store
 * @returns {Promise<Store>}
 */
export async function openOpfsStore(bytes) {
  return new Store(OpfsFolder.open(), bytes);
}
