// Runs workers in workerd, the runtime of Cloudflare's workers. It resolves modules by names that are listed beforehand, and
// compiles none later.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";

const ENTRY = "pagevec/dist/browser.js";
const WASM = "pagevec/wasm/filter/pagevec_wasm_bg.wasm";

/**
 * Starts a process with one worker for each of `environments`, all of the same modules.
 * @param {object} what
 * @param {string} what.workerd the program
 * @param {string} what.pkg the folder of the package
 * @param {Record<string, string>} what.modules texts by name, the worker first; they import "pagevec" and "pagevec/pagevec.wasm"
 * @param {Record<string, string>[]} [what.environments] of each worker: the texts of its variables
 * @param {string} [what.internet] host and port that answer all requests of the workers, whatever host they name; unless given,
 *   workers reach this machine
 * @param {string} [what.assets] host and port that answer the binding ASSETS; unless given, there is none
 * @param {boolean} [what.inspected]
 * @param {string[]} [what.v8Flags]
 */
export async function run({ workerd, pkg, modules, environments = [{}], internet, assets, inspected = false, v8Flags = [] }) {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  await cp(pkg, join(folder, "pagevec"), { recursive: true, filter: (path) => !/node_modules|\b(node|files|cli|cli-worker|job|workerd|edge-light)\.js/.test(relative(pkg, path)) });
  for (const [name, text] of Object.entries(modules)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, "config.capnp"), await configuration(folder, { names: Object.keys(modules), environments, internet, assets, v8Flags }));
  const flags = ["--control-fd=3", ...(inspected ? ["--inspector-addr=127.0.0.1:0"] : [])];
  const child = spawn(workerd, ["serve", "config.capnp", ...flags], { cwd: folder, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const state = { urls: [], inspector: undefined, pid: child.pid, log: "", close };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (state.log += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  async function close() {
    child.kill();
    await ended;
    await rm(folder, { recursive: true });
  }
  for await (const line of createInterface(child.stdio[3])) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen-inspector") state.inspector = `127.0.0.1:${port}`;
    if (event === "listen") state.urls[Number(socket)] = `http://127.0.0.1:${port}/`;
    if (state.urls.filter(Boolean).length === environments.length && (state.inspector || !inspected)) return state;
  }
  await close();
  throw new Error(`workerd ended before it listened: ${state.log}`);
}

/** What capnp calls a configuration. A text of JSON is one of capnp, for what stands here. */
async function configuration(folder, { names, environments, internet, assets, v8Flags }) {
  const scripts = (await readdir(join(folder, "pagevec"), { recursive: true })).filter((name) => name.endsWith(".js") && !name.endsWith("pagevec_wasm.js"));
  const modules = [
    ...[...names, ...scripts.map((name) => `pagevec/${name}`)].map((name) => `(name = "${name}", esModule = embed "${name}")`),
    `(name = "pagevec", esModule = "export * from \\"./${ENTRY}\\";")`,
    `(name = "pagevec/pagevec.wasm", wasm = embed "${WASM}")`,
  ];
  const external = (name, address) => `(name = "${name}", external = (address = "${address}", http = ()))`;
  const services = [
    internet ? external("internet", internet) : `(name = "internet", network = (allow = ["local", "private"]))`,
    ...(assets ? [external("assets", assets)] : []),
    ...environments.map((_, i) => `(name = "worker${i}", worker = .worker${i})`),
  ];
  const bindings = (variables) => [
    ...Object.entries(variables).map(([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`),
    ...(assets ? [`(name = "ASSETS", service = "assets")`] : []),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${JSON.stringify(v8Flags)},
  services = [${services.join(", ")}],
  sockets = [${environments.map((_, i) => `(name = "${i}", address = "127.0.0.1:0", http = (), service = "worker${i}")`).join(", ")}]);
const modules :List(Workerd.Worker.Module) = [${modules.join(",\n  ")}];
${environments.map((variables, i) => `const worker${i} :Workerd.Worker = (
  modules = .modules, compatibilityDate = "2026-04-01", globalOutbound = "internet", bindings = [${bindings(variables).join(", ")}]);`).join("\n")}
`;
}
