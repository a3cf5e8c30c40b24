// A project of a user: its files, the packages that the matrix pins, and pagevec from its tarball.
import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../sources", import.meta.url));
const QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
const ENV = { NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", DO_NOT_TRACK: "1", CI: "1" };

/**
 * Makes the folder of a project. Installed packages stay for the next run unless their versions change; all else is made anew.
 * @param {string} folder
 * @param {{ packages: Record<string, string>, tarball: string, files?: Record<string, string>, sources?: string, type?: string, path?: string }} how `sources` is
 *   where the shared sources are copied to, `path` where programs are looked for first
 */
export async function makeProject(folder, { packages, tarball, files = {}, sources = "src", type = "module", path }) {
  const manifest = JSON.stringify({ name: "uses-pagevec", private: true, type, dependencies: packages }, null, 2);
  const stamp = join(folder, "node_modules/.installed");
  const fresh = (await readFile(stamp, "utf8").catch(() => "")) === manifest;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), manifest);
  if (!fresh) {
    await rm(join(folder, "node_modules"), { recursive: true, force: true });
    if (Object.keys(packages).length > 0) await run(folder, "npm", ["install", ...QUIET], { seconds: 400 });
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await writeFile(stamp, manifest);
  }
  const own = join(folder, "node_modules/pagevec");
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  await run(folder, "tar", ["xzf", tarball, "--strip-components=1", "-C", own]);
  await cp(SOURCES, join(folder, sources), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return project(folder, path ? { PATH: `${path}:${process.env.PATH}` } : {});
}

function project(folder, own) {
  const bin = (name) => join(folder, "node_modules/.bin", name);
  return {
    folder,
    path: (...parts) => join(folder, ...parts),
    remove: (...names) => Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true }))),
    /** Runs a program of node_modules, or by path, to its end; rejects with what it printed. */
    run: (name, args, options = {}) => run(folder, name.includes("/") ? name : bin(name), args, { ...options, env: { ...own, ...options.env } }),
    /** Starts one that goes on; `stop` ends it with its children. */
    start: (name, args, options = {}) => start(folder, name.includes("/") ? name : bin(name), args, { ...options, env: { ...own, ...options.env } }),
    read: (name) => readFile(join(folder, name), "utf8"),
    write: (name, text) => writeFile(join(folder, name), text),
    list: (name) => readdir(join(folder, name)),
  };
}

/** A process in a group of its own, so that its children end with it. */
export function start(cwd, program, args, { env = {} } = {}) {
  const child = spawn(program, args, { cwd, env: { ...process.env, NODE_ENV: undefined, ...ENV, ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed = (printed + data).slice(-20_000)));
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(`could not start: ${error.message}`));
    child.on("exit", (code, signal) => resolve(code === 0 ? undefined : `${code ?? signal}`));
  });
  const stop = async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {} // it has ended
    await ended;
  };
  return { ended, stop, printed: () => printed };
}

export async function run(cwd, program, args, { env, seconds = 240 } = {}) {
  const child = start(cwd, program, args, { env });
  const timer = setTimeout(child.stop, seconds * 1000);
  const failed = await child.ended;
  clearTimeout(timer);
  if (failed) throw new Error(`${program.split("/").pop()} ${args.slice(0, 3).join(" ")} ended with ${failed}\n${child.printed().trim().slice(-3000)}`);
  return child.printed();
}
