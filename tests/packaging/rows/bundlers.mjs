// Bundlers as they come: no configuration, except what each needs to make any bundle.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { reachable } from "../harness/host.mjs";

const html = (script) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Uses pagevec</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

/** Fails if what a page loads that only searches holds the builder, which a bundler may put beside it. */
async function loadsNoBuilder(t, folder, loaded) {
  const own = (name) => readFile(t.project.path("node_modules/pagevec", name));
  const builder = await own("wasm/build/pagevec_wasm_bg.wasm");
  const probe = (await own("dist/inlined-build.js")).subarray(1000, 1100);
  for (const path of new Set(loaded)) {
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (bytes?.equals(builder) || bytes?.includes(probe)) throw new Error(`the page loads the builder: ${path}`);
  }
}

async function page(t, folder, { hash } = {}) {
  const site = await t.serve(folder);
  const found = await t.visit(`${site.url}/`, { hash });
  await loadsNoBuilder(t, folder, site.log);
  return found;
}

/** A page with a collection, which must be on a disk. */
async function collection(t, url, how) {
  const found = await t.visit(url, how);
  if (found.collection && !found.collection.persistent) throw new Error(`it is in memory: ${found.collection.why}`);
  return found;
}

/** Visits a page of Vite's development server. */
async function inDevelopment(t, start, visit) {
  const port = await t.port();
  const server = start("vite", ["--port", port, "--strictPort", "--host", "127.0.0.1"]);
  try {
    await reachable(`http://127.0.0.1:${port}/`);
    return await visit(`http://127.0.0.1:${port}/`);
  } finally {
    await server.stop();
  }
}

async function vite(t) {
  const { run, start, path, remove } = await t.make({ files: { "index.html": html("/src/main.js") } });
  // What it bundled of an earlier tarball of the same version.
  await remove("node_modules/.vite");
  await t.mode("dev", () => inDevelopment(t, start, (url) => t.visit(url)));
  await run("vite", ["build"]).then(
    async () => {
      await t.mode("build", () => page(t, path("dist")));
      await t.mode("worker", () => page(t, path("dist"), { hash: "#worker" }));
      await t.mode("worker: true", () => page(t, path("dist"), { hash: "#package-worker" }));
      if (t.modes.includes("collection")) await t.mode("collection", async () => {
        await t.write("index.html", html("/src/collection.js"));
        await run("vite", ["build"]);
        return collection(t, `${(await t.serve(path("dist"))).url}/`);
      });
      if (t.modes.includes("collection in dev")) await t.mode("collection in dev", () => inDevelopment(t, start, (url) => collection(t, url, { hash: "#own-worker" })));
    },
    async (error) => {
      for (const name of ["build", "worker", "worker: true"]) await t.mode(name, () => Promise.reject(error));
    },
  );
}

/** What makes one script of src/main.js, in the folder out. */
const bundled = (tool, args, more = {}) => async (t) => {
  const { run, path, remove } = await t.make({ files: { "out/index.html": html("./main.js"), ...more.files } });
  await t.mode("page", async () => {
    await run(tool, args);
    return page(t, path("out"));
  });
  if (t.modes.includes("worker")) await t.mode("worker", () => page(t, path("out"), { hash: "#worker" }));
  if (t.modes.includes("worker: true")) await t.mode("worker: true", () => page(t, path("out"), { hash: "#package-worker" }));
  if (t.modes.includes("collection")) await t.mode("collection", async () => {
    await remove("out");
    await run(tool, args.map((arg) => arg.replace("main.js", "collection.js")));
    await t.write("out/index.html", html(more.output ?? "./main.js"));
    return collection(t, `${(await t.serve(path("out"))).url}/`);
  });
  await more.then?.(t, { run, path, remove });
};

async function esbuildForNode(t, { run, path }) {
  await t.mode("platform=node", async () => {
    await run("esbuild", ["src/node.js", "--bundle", "--platform=node", "--format=esm", "--outfile=node-out/main.mjs"]);
    return t.ask((where) => run(process.execPath, [path("node-out/main.mjs"), where]));
  });
}

const ROLLUP = `import resolve from "@rollup/plugin-node-resolve";
export default { input: "src/main.js", output: { dir: "out", format: "es" }, plugins: [resolve()] };`;

async function parcel(t) {
  const { run, path } = await t.make({ files: { "index.html": html("./src/main.js") } });
  await t.mode("page", async () => {
    await run("parcel", ["build", "index.html", "--dist-dir", "out", "--no-cache", "--no-source-maps"]);
    return page(t, path("out"));
  });
  await t.mode("worker: true", () => page(t, path("out"), { hash: "#package-worker" }));
}

const WEBPACK = ["build", "--mode", "production", "--entry", "./src/main.js", "--output-path", "out"];

export default {
  "vite-5": vite,
  "vite-6": vite,
  "vite-7": vite,
  "vite-8": vite,
  "webpack-5": bundled("webpack", WEBPACK),
  rspack: bundled("rspack", WEBPACK),
  esbuild: bundled("esbuild", ["src/main.js", "--bundle", "--format=esm", "--outdir=out"], { then: esbuildForNode }),
  rollup: bundled("rollup", ["-c"], { files: { "rollup.config.mjs": ROLLUP } }),
  "parcel-2": parcel,
};
