// The entry `pagevec/collection` for edge runtimes, which keep no files: it says so.
import { PagevecError } from "../../errors.js";

/**
 * @param {string} name
 * @returns {Promise<never>} rejects with `unsupported`
 */
export async function openCollection(name) {
  throw new PagevecError("unsupported", `the collection "${String(name).slice(0, 40)}" cannot be opened: edge runtimes keep no files. Open it in a browser, or in Node, and search its export here`);
}

export { PagevecError } from "../../errors.js";
