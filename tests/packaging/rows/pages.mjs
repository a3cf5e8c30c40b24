// Pages without a bundler, and what else a browser runs.
const STRICT = { "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; img-src data:" };
const page = (head, script = "/src/main.js") => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Uses pagevec</title><link rel="icon" href="data:,">${head}<script type="module" src="${script}"></script>`;
const importMap = (file) => `<script type="importmap">${JSON.stringify({ imports: { pagevec: file } })}</script>`;
const BROWSER = "/node_modules/pagevec/dist/browser.js";
/** Requests of the package that a page without a bundler may make. */
const MOST_REQUESTS = 8;

/** A page's module that imports the package by a path. */
const files = (file) => ({ "cdn/main.js": `import { open } from "${file}";\nimport { report } from "/src/check.js";\nreport(open, location.search);\n` });

/** A page with a collection. */
const COLLECTION = { "collection.html": page(`<script type="importmap">${JSON.stringify({ imports: { "pagevec/collection": "/node_modules/pagevec/dist/collection.js" } })}</script>`, "/src/collection.js") };

async function collection(t, folder, how) {
  return t.visit(`${(await t.serve(folder)).url}/collection.html`, how);
}

function fewRequests(site) {
  const made = site.log.filter((path) => path.includes("/pagevec/"));
  if (made.length > MOST_REQUESTS) throw new Error(`${made.length} requests of the package: ${made.join(" ")}`);
  if (made.some((path) => /inlined|build/.test(path))) throw new Error(`more was loaded than a search needs: ${made.join(" ")}`);
}

async function plain(t) {
  const { folder } = await t.make({ files: { "map.html": page(importMap(BROWSER)), "cdn.html": page("", "/cdn/main.js"), ...COLLECTION, ...files(BROWSER) } });
  await t.mode("collection", () => collection(t, folder));
  for (const [mode, path] of [["import map", "/map.html"], ["CDN path", "/cdn.html"]]) {
    await t.mode(mode, async () => {
      const site = await t.serve(folder);
      const found = await t.visit(site.url + path);
      fewRequests(site);
      return found;
    });
  }
}

async function inline(t) {
  const worker = 'import { open } from "/node_modules/pagevec/dist/inline.js";\nimport { report } from "/src/check.js";\nonmessage = ({ data }) => report(open, data);\n';
  const main = 'new Worker("/cdn/worker.js", { type: "module" }).postMessage(location.search);\n';
  const { folder } = await t.make({ files: { "index.html": page(importMap("/node_modules/pagevec/dist/inline.js")), "worker.html": page("", "/cdn/start.js"), "cdn/worker.js": worker, "cdn/start.js": main } });
  for (const [mode, path] of [["page", "/"], ["worker", "/worker.html"]]) {
    await t.mode(mode, async () => {
      const site = await t.serve(folder);
      const found = await t.visit(site.url + path);
      const made = site.log.filter((name) => name.includes("/pagevec/"));
      if (made.length !== 1) throw new Error(`not one request: ${made.join(" ")}`);
      return found;
    });
  }
}

async function serviceWorker(t) {
  const worker = `import { open } from "/node_modules/pagevec/dist/static.js";
import { checkHost, failure } from "/src/check.js";
onmessage = (event) => event.waitUntil(checkHost(open, event.data).catch(failure).then((found) => event.ports[0].postMessage(found)));`;
  const main = `const told = new URLSearchParams(location.search);
await navigator.serviceWorker.register("/worker.js", { type: "module" });
const { active } = await navigator.serviceWorker.ready;
const { port1, port2 } = new MessageChannel();
port1.onmessage = ({ data }) => fetch(told.get("host") + "/answer/" + told.get("id"), { method: "POST", body: JSON.stringify(data) });
active.postMessage(told.get("host"), [port2]);`;
  const { folder } = await t.make({ files: { "index.html": page("", "/main.js"), "worker.js": worker, "main.js": main } });
  t.line('import { open } from "pagevec/static", for the page store; searches work without');
  await t.mode("module", async () => {
    const found = await t.visit(`${(await t.serve(folder)).url}/`);
    if (!found.error && (found.store === undefined || found.store.off)) throw new Error(`the page store is off: ${JSON.stringify(found.store)}`);
    return found;
  });
}

/** An extension's pages need `'wasm-unsafe-eval'` named in its manifest for any WebAssembly. Its service worker opens the page. */
async function extension(t) {
  const policy = { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" };
  const manifest = { manifest_version: 3, name: "Uses pagevec", version: "1", background: { service_worker: "start.js" }, host_permissions: ["http://127.0.0.1/*"], content_security_policy: policy };
  const { folder } = await t.make({ files: { "index.html": page("", "/cdn/main.js"), "manifest.json": JSON.stringify(manifest), ...files(BROWSER) } });
  t.line(`"content_security_policy": ${JSON.stringify(policy)} in manifest.json, as any WebAssembly there`);
  await t.mode("page", async () => {
    const expected = t.expect();
    await t.write("start.js", `chrome.tabs.create({ url: chrome.runtime.getURL("index.html") + ${JSON.stringify(expected.where)} });\n`);
    return t.visit("about:blank", { expected, flags: [`--load-extension=${folder}`, `--disable-extensions-except=${folder}`] });
  });
}

/** Chromium, with what RELIABILITY asks of the package: the least policy that allows WebAssembly, and digests of all files. */
async function chromium(t) {
  const { folder, read } = await t.make({ files: { "index.html": page("", "/cdn/main.js"), ...files(BROWSER) } });
  await t.mode("strict CSP", async () => t.visit(`${(await t.serve(folder, { headers: STRICT })).url}/`));
  await t.mode("integrity", async () => {
    const digests = JSON.parse(await read("node_modules/pagevec/dist/integrity.json"));
    const scripts = Object.fromEntries(Object.entries(digests).filter(([file]) => file.endsWith(".js")).map(([file, digest]) => [`/node_modules/pagevec/${file}`, digest]));
    const main = `import { open } from "pagevec";
import { report } from "/src/check.js";
const module = "wasm/search/pagevec_wasm_bg.wasm";
report((url) => open(url, { wasm: fetch("/node_modules/pagevec/" + module, { integrity: ${JSON.stringify(digests["wasm/search/pagevec_wasm_bg.wasm"])} }) }), location.search);`;
    const pinned = (integrity) => page(`<script type="importmap">${JSON.stringify({ imports: { pagevec: BROWSER }, integrity })}</script>`, "/pinned.js");
    await t.write("pinned.js", main);
    await t.write("pinned.html", pinned(scripts));
    await t.write("changed.html", pinned({ ...scripts, "/node_modules/pagevec/dist/core.js": digests["dist/browser.js"] }));
    const site = await t.serve(folder);
    const refused = await t.visit(`${site.url}/changed.html`, { seconds: 5 }).then(() => false, () => true);
    if (!refused) throw new Error("a script with another digest was run");
    return t.visit(`${site.url}/pinned.html`);
  });
}

async function other(t) {
  const { folder } = await t.make({ files: { "index.html": page("", "/cdn/main.js"), ...COLLECTION, ...files(BROWSER) } });
  await t.mode("page", async () => t.visit(`${(await t.serve(folder)).url}/`, { kind: t.row }));
  await t.mode("collection", async () => {
    const found = await collection(t, folder, { kind: t.row });
    // WebKitGTK's windows under automation are private, and have no file system.
    if (found.collection && !found.collection.persistent && t.row !== "webkit") throw new Error(`it is in memory: ${found.collection.why}`);
    return found;
  });
  await t.mode("strict CSP", async () => t.visit(`${(await t.serve(folder, { headers: STRICT })).url}/`, { kind: t.row }));
}

export default { plain, inline, "service-worker": serviceWorker, extension, chromium, firefox: other, webkit: other };
