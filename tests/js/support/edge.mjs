// The example of an edge worker (examples/edge) in workerd, with its hosts on this machine.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./workerd.mjs";

/** The worker, and beside it what its isolate holds, which the worker itself tells nobody. */
const MAIN = `
import worker from "./worker.js";
import { isolate } from "./isolate.js";
export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/stats") return worker.fetch(request, env, ctx);
    const index = await isolate.opened;
    return Response.json({ ...index.stats(), loaded: isolate.loaded });
  },
};`;

export const INDEX_HOST = "index.example.org";
export const EMBED_HOST = "embed.example.org";
export const ASSETS_HOST = "assets.local";
export const KEY = "sk-the-key-that-nobody-sees";
export const ENVIRONMENT = { INDEX_URL: `https://${INDEX_HOST}/index/`, EMBED_URL: `https://${EMBED_HOST}/v1/embeddings`, EMBED_MODEL: "words", EMBED_KEY: KEY };

/**
 * @param {object} what
 * @param {string} what.root of the repository
 * @param {string} what.pkg
 * @param {string} what.workerd
 * @param {string} what.address of `serveHosts`
 * @param {Record<string, string>[]} what.environments each beside ENVIRONMENT
 * @param {boolean} [what.inspected] as of `run`
 * @param {string[]} [what.v8Flags]
 */
export async function runEdge({ root, pkg, workerd, address, environments, ...others }) {
  const folder = join(root, "examples/edge/src");
  const names = await readdir(folder);
  const sources = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")]));
  const modules = { "main.mjs": MAIN, ...Object.fromEntries(sources) };
  return run({ workerd, pkg, modules, environments: environments.map((own) => ({ ...ENVIRONMENT, ...own })), internet: address, assets: address, ...others });
}

/** What the worker at `url` answers: its status, its headers, and its body. */
export async function ask(url, params, init) {
  const response = await fetch(`${url}search?${new URLSearchParams(params)}`, init);
  return { status: response.status, headers: response.headers, ...(await response.json()) };
}

export const statsOf = async (url) => (await fetch(`${url}stats`)).json();
