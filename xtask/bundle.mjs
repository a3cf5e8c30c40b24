// Bundles pkg/src into the few files of pkg/dist: `node xtask/bundle.mjs`. A page without a bundler loads an entry and the code that
// all entries share; the builder, what few pages call, and the scripts that have a module inside are loaded when they are called for.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const pkg = fileURLToPath(new URL("../pkg", import.meta.url));
const dist = join(pkg, "dist");
const src = (name) => join(pkg, "src", name);
/** These share their code. */
const SHARED = { browser: src("browser.js"), static: src("entries/static.js"), build: src("entries/build.js"), plan: src("entries/plan.js"), "plan-node": src("entries/plan-node.js"), node: src("node.js"), "worker-node": src("worker/node.js"), collection: src("collection/entries/browser.js"), "collection-node": src("collection/entries/node.js"), "collection-merge": src("collection/workers/node-merge.js"), cli: src("cli/main.js"), "cli-worker": src("cli/build/worker.js") };
/** Each of these is one file: their runtimes take no other, or compile what they are given at once. */
const ALONE = {
  inline: ["entries/inline.js", "es"],
  "worker-browser": ["worker/browser.js", "es"],
  "collection-worker": ["collection/workers/browser.js", "es"],
  "collection-edge": ["collection/entries/edge.js", "es"],
  workerd: ["entries/workerd.js", "es"],
  "edge-light": ["entries/edge-light.js", "es"],
  commonjs: ["entries/commonjs.js", "cjs"],
};

/** `import text from "….wasm?inline"`: the file gzipped, in base64. Modules that the runtime loads stay imports, relative to dist. */
const wasm = {
  name: "wasm",
  resolveId(source, importer) {
    const [path, query] = source.split("?");
    if (!path.endsWith(".wasm")) return undefined;
    const file = `wasm/${path.split("/wasm/")[1]}`;
    return query === "inline" ? `${join(pkg, file)}?inline` : { id: `../${file}${query ? `?${query}` : ""}`, external: true };
  },
  async load(id) {
    if (!id.endsWith("?inline")) return undefined;
    const zipped = gzipSync(await readFile(id.slice(0, -"?inline".length)), { level: 9 });
    return { code: `export default "${zipped.toString("base64")}";`, moduleType: "js" };
  },
};

/**
 * Pages load `core.js` with their entry, and `store.js` beside the module. `remote.js` starts workers and asks them, `few.js` is what
 * few pages call, and `files.js` what Node and the command line have alone. `rows.js` is what collections have everywhere, and `host.js`
 * what owns their files, in Node.
 */
const groups = [
  { name: "store", test: /src\/(store\/(?!folder-node)|platform\/opfs-store)/ },
  { name: "remote", test: /src\/(engine\/remote\/(?!answering)|platform\/web-(worker|port))/ },
  { name: "few", test: /src\/(engine\/(extras|memory|rows)|core\/explain|texts\/vectors)/ },
  { name: "files", test: /src\/(platform\/node\.|sources\/local\/file-node|store\/folder-node|folder\/)/ },
  { name: "glue", test: /wasm\/build\/instance/ },
  { name: "rows", test: /src\/collection\/((arguments|client|messages|open|reader|settings)\.js|calls\/|transfer\/(files|import))/ },
  { name: "host", test: /src\/collection\/(dirs|host|transfer\/(backup|export|rows)|workers\/merge)|wasm\/collection\/instance/ },
  { name: "core", test: /src\/(?!browser|node|entries|plan|worker\/|engine\/(extras|memory|remote|rows)|core\/explain|texts\/vectors|platform\/(node|opfs|web-(worker|port))|sources\/local\/file-node|store\/|folder\/|cli\/|collection\/|wasm)|wasm\/filter\/instance/, priority: 1 },
];

/** Scripts with a module inside are named by it, and what import() loads of the builder as what it is. */
const chunkName = ({ name, facadeModuleId: id }) => (id?.endsWith("?inline") ? `inlined-${basename(dirname(id))}.js` : name === "instance" ? "builder.js" : `${name}.js`);

/** What rolldown says of a slow machine; all else that it says is an error. */
const BUSY = "PLUGIN_TIMINGS";

/** Some bundlers look for string literals only. */
const quoted = (code) => code.replace(/(\bnew URL\(|\bimport\()`([^`$"\\]+)`/g, '$1"$2"');

async function bundle(input, platform, output) {
  const bundle = await rolldown({ input, platform, plugins: [wasm], external: /^node:/, treeshake: { moduleSideEffects: false }, onLog: (_, { code, message }) => code === BUSY || fail(message) });
  const { output: files } = await bundle.generate({ minify: true, comments: false, ...output });
  await bundle.close();
  await Promise.all(files.map(({ fileName, code }) => writeFile(join(dist, fileName), quoted(code))));
}

function fail(message) {
  throw new Error(message);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
await bundle(SHARED, "neutral", { format: "es", chunkFileNames: chunkName, codeSplitting: { groups } });
for (const [name, [file, format]] of Object.entries(ALONE)) {
  const [platform, extension] = format === "cjs" ? ["node", "cjs"] : ["neutral", "js"];
  await bundle({ [name]: src(file) }, platform, { format, entryFileNames: `[name].${extension}`, codeSplitting: false });
}

// What a page may pin: `integrity` of scripts, of an import map, and of a fetch of the modules.
const digests = {};
const files = [...(await readdir(dist)).map((name) => `dist/${name}`), ...["search", "filter", "build", "collection"].map((which) => `wasm/${which}/pagevec_wasm_bg.wasm`)];
for (const file of files.sort()) digests[file] = `sha384-${createHash("sha384").update(await readFile(join(pkg, file))).digest("base64")}`;
await writeFile(join(dist, "integrity.json"), `${JSON.stringify(digests, null, 2)}\n`);
