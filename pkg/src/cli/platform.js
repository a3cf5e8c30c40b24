// How the command line reads its own modules and the indexes of users.
import { readFile } from "node:fs/promises";
import { opener } from "../engine/node.js";
import { openWith } from "../open.js";
import { openPath } from "../sources/local/file-node.js";

/** @param {URL} url */
export const compile = async (url) => WebAssembly.compile(await readFile(url));

/**
 * @param {string} path
 * @param {import("../open.js").OpenOptions} options
 * @param {boolean} [inParts] whether the part files are read
 */
export function openIndex(path, options, inParts = false) {
  return openWith({ ...opener, openPath: (input) => openPath(String(input), inParts), openStore: () => undefined }, path, options);
}
