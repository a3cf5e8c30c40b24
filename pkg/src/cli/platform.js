// How the command line reads its own modules and the indexes of users.
import { openWith } from "../open.js";
import { modules, node } from "../platform/node.js";
import { openPath } from "../sources/local/file-node.js";

export { modules };

/**
 * @param {string} path
 * @param {import("../open.js").OpenOptions} options
 * @param {boolean} [inParts] whether the part files are read
 */
export function openIndex(path, options, inParts = false) {
  return openWith({ ...node(modules.search), openPath: (input) => openPath(String(input), inParts), openStore: () => undefined }, path, options);
}
