import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";
import { serve } from "../support/server.mjs";

const f = await fixture();
const [browser, host] = await Promise.all([launch(), serve(f.folder)]);
after(() => Promise.all([browser.close(), host.close()]));

const index = await open(f.bytes);
const expected = await Promise.all([1, 700, 2500].map((i) => index.search(f.row(i))));
await index.close();
const queries = JSON.stringify([1, 700, 2500].map((i) => [...f.row(i)]));

async function run(code, { csp, url } = {}) {
  const pages = await site(pageOf(code), csp);
  const { page, errors } = await visit(browser, pages.url + (url ?? "/"));
  const value = await result(page);
  await page.close();
  await pages.close();
  return { value, errors, log: pages.log };
}

const SEARCH = `
  const { open } = await import(${JSON.stringify(entry)});
  const index = await open(${JSON.stringify(`${host.url}/words/`)});
  const opened = index.stats();
  const hits = [];
  for (const query of ${queries}) hits.push(await index.search(query));
  const stats = index.stats();
  await index.close();
  return { hits, opened, stats };`;

test("the same hits as in Node, from another origin, in the same requests, none of them a preflight", async () => {
  host.reset();
  const { value, errors, log } = await run(SEARCH);
  assert.deepEqual(value.hits, expected, JSON.stringify(value));
  assert.deepEqual(errors, []);
  assert.equal(value.opened.requests, 2);
  assert.equal(value.opened.bytes, f.front + f.folder["/words/index.json"].body.length);
  assert.ok(host.log.every(({ method }) => method === "GET"), JSON.stringify(host.log));
  assert.deepEqual([value.stats.requests, value.stats.bytes], [host.requests, host.bytes]);
  assert.ok(!log.some(({ path }) => path.startsWith("/pagevec/wasm/build/") && path.endsWith(".wasm")), "a page that searches does not load the builder");
});

const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; img-src data:";

test("among a set of rows, and by a row, as in Node", async () => {
  const options = { index: "clusters", among: f.ids.filter((_, row) => row % 3 === 1), exclude: ["word-1", "word-700"] };
  const batch = [1, 700, 2500].map((i) => [...f.row(i)]);
  const local = await open(f.bytes);
  const wanted = { similar: await local.search({ id: "word-700" }, options), all: await local.searchBatch(batch, options) };
  await local.close();
  const { value, errors } = await run(`
    const { open } = await import(${JSON.stringify(entry)});
    const index = await open(${JSON.stringify(`${host.url}/words/`)});
    const options = ${JSON.stringify(options)};
    const similar = await index.search({ id: "word-700" }, options);
    return { similar, all: await index.searchBatch(${queries}, options) };`);
  assert.deepEqual(value, wanted);
  assert.equal(wanted.all.flat().length, 30);
  assert.deepEqual(errors, []);
});

test("under script-src 'self' 'wasm-unsafe-eval'", async () => {
  const { value, errors } = await run(SEARCH, { csp: CSP });
  assert.deepEqual(value.hits, expected, JSON.stringify(value));
  assert.deepEqual(errors, []);
});

test("under script-src 'self' alone: an error that says what is missing", async () => {
  const { value } = await run(SEARCH, { csp: CSP.replace(" 'wasm-unsafe-eval'", "") });
  assert.equal(value.error?.code, "wasm");
  assert.match(value.error.message, /'wasm-unsafe-eval'/);
});

test("a Content-Range that CORS hides: fine with a manifest, an error that names the header without", async () => {
  host.fault = "hidden-range";
  const { value } = await run(SEARCH);
  assert.deepEqual(value.hits, expected, JSON.stringify(value));
  const direct = await run(SEARCH.replace("/words/", `/words/${f.file}`));
  host.fault = undefined;
  assert.equal(direct.value.error?.code, "range-unsupported");
  assert.match(direct.value.error.message, /Access-Control-Expose-Headers/);
});

test("a host without CORS: network, with the header to set", async () => {
  const bare = await serve(() => ({ body: "{}", headers: { "access-control-allow-origin": "https://elsewhere.example" } }));
  const { value } = await run(SEARCH.replaceAll(host.url, bare.url));
  await bare.close();
  assert.equal(value.error?.code, "network");
  assert.match(value.error.message, /Access-Control-Allow-Origin/);
});

test("a relative URL is resolved against the page", async () => {
  const pages = await site({ ...pageOf(SEARCH.replace(`${host.url}/words/`, "words/")), ...f.folder });
  const { page, errors } = await visit(browser, `${pages.url}/`);
  const value = await result(page);
  await page.close();
  await pages.close();
  assert.deepEqual(value.hits, expected, JSON.stringify(value));
  assert.deepEqual(errors, []);
});
