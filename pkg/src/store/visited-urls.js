// What each URL had at the last visit: a small file `<key of its content>.<hash of the URL>.url` holds its manifest. Where an index has
// several files, each of the others has an empty file `<its key>.<hash of the URL>.too.url`.
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
  return name ? { key: keyOf(name), bytes: await folder.read(name, 0, 4 << 20) } : undefined;
}

/**
 * Notes what the URL has now. What it had before is removed, unless another URL still has it.
 * @param {Folder} folder
 * @param {string} key of its content
 * @param {string[]} others the keys of its other files
 * @param {string} url
 * @param {Uint8Array} bytes
 */
export async function remember(folder, key, others, url, bytes) {
  const hash = await hashOf(url);
  const name = `${key}.${hash}.url`;
  const marks = others.map((other) => `${other}.${hash}.too.url`);
  const names = await folder.names();
  // What cannot be read, as another tab just replaced or removed it, is written.
  const before = names.includes(name) ? await folder.read(name, 0, bytes.length + 1).catch(() => undefined) : undefined;
  if (!before || !same(before, bytes)) await folder.write(name, [bytes]);
  for (const mark of marks) if (!names.includes(mark)) await folder.write(mark, [new Uint8Array()]);
  const now = new Set([name, ...marks]);
  const old = names.filter((file) => (file.endsWith(`.${hash}.url`) || file.endsWith(`.${hash}.too.url`)) && !now.has(file));
  for (const file of old) await folder.remove(file);
  const left = new Set([...now, ...names.filter((file) => file.endsWith(".url") && !old.includes(file))].map(keyOf));
  const gone = new Set(old.map(keyOf).filter((before) => !left.has(before)));
  for (const pack of packsAmong(names)) if (gone.has(pack.key)) await folder.remove(pack.name);
}

/** @param {string} file */
function keyOf(file) {
  return file.split(".")[0];
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
