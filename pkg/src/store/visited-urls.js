// What each URL had at the last visit: small files `<key of its content>.<hash of the URL>.url` hold its manifest.
import { packsAmong } from "./packs.js";

/** @typedef {import("./opfs.js").Folder} Folder */

/**
 * @param {Folder} folder
 * @param {string} url
 * @returns {Promise<{ key: string, bytes: Uint8Array } | undefined>} its content and manifest
 */
export async function recall(folder, url) {
  const hash = await hashOf(url);
  const name = (await folder.names()).find((file) => file.endsWith(`.${hash}.url`));
  return name ? { key: name.split(".")[0], bytes: await folder.read(name, 0, 1 << 20) } : undefined;
}

/**
 * Notes what the URL has now. What it had before is removed, unless another URL still has it.
 * @param {Folder} folder
 * @param {string} key of its content
 * @param {string} url
 * @param {Uint8Array} bytes
 */
export async function remember(folder, key, url, bytes) {
  const hash = await hashOf(url);
  const name = `${key}.${hash}.url`;
  const names = await folder.names();
  const known = names.includes(name) && same(await folder.read(name, 0, bytes.length + 1), bytes);
  if (!known) await folder.write(name, [bytes]);
  for (const old of names.filter((file) => file.endsWith(`.${hash}.url`) && file !== name)) {
    const [before] = old.split(".");
    await folder.remove(old);
    if (names.some((file) => file !== old && file.startsWith(`${before}.`) && file.endsWith(".url"))) continue;
    for (const pack of packsAmong(names)) if (pack.key === before) await folder.remove(pack.name);
  }
}

/** @param {string} url */
async function hashOf(url) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
  return [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
