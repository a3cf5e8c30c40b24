// A project that has Transformers.js installed, and in its cache the model that a first run downloads: MODULES names the folder with the
// package, MODEL the one with the model.
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

const { MODULES, MODEL } = process.env;
export const skip = !(MODULES && MODEL) && "there is no embedding model: `cargo xtask test embedding` fetches it where there is Python";

/** Why it must be copied: it looks for its cache and its dependencies beside itself. */
const COPIED = ["@huggingface"];
const LINKED = ["onnxruntime-node", "onnxruntime-web", "onnxruntime-common", "sharp"];
const NAME = "Xenova/all-MiniLM-L6-v2";

const made = [];
after(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))));

/** @returns {Promise<string>} a folder, removed in the end */
export async function makeProject() {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-embedding-"));
  made.push(folder);
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  return folder;
}

/** After npm, which would remove what it did not install. */
export async function installTransformers(folder) {
  const modules = join(folder, "node_modules");
  for (const name of COPIED) await cp(join(MODULES, name), join(modules, name), { recursive: true });
  for (const name of LINKED) await symlink(join(MODULES, name), join(modules, name));
  await symlink(MODEL, join(modules, "@huggingface/transformers/.cache"));
}

/**
 * What lies at a URL of the hosts that Transformers.js asks in a page.
 * @param {string} url
 * @returns {Promise<Buffer | undefined>}
 */
export async function hosted(url) {
  const { version } = JSON.parse(await readFile(join(MODULES, "@huggingface/transformers/package.json"), "utf8"));
  const places = {
    // The file that its package.json names for this host.
    [`https://cdn.jsdelivr.net/npm/@huggingface/transformers@${version}`]: join(MODULES, "@huggingface/transformers/dist/transformers.min.js"),
    [`https://huggingface.co/${NAME}/resolve/main`]: join(MODEL, NAME),
  };
  const runtime = /^https:\/\/cdn\.jsdelivr\.net\/npm\/onnxruntime-web@[^/]+(.+)$/.exec(url);
  if (runtime) return readFile(join(MODULES, "onnxruntime-web", runtime[1])).catch(() => undefined);
  const [at, path] = Object.entries(places).find(([start]) => url.startsWith(start)) ?? [];
  return path && readFile(path + url.slice(at.length)).catch(() => undefined);
}
