// `open(…, { worker: true })` in a page without a bundler: the hits of the page's own thread, which stays free; one that stops is
// started again, and one that cannot start says why.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";
import { serve } from "../support/server.mjs";

const f = await fixture();
const [browser, host] = await Promise.all([launch(), serve(f.folder)]);
after(() => Promise.all([browser.close(), host.close()]));
const rows = [1, 700, 2500];
const index = await open(f.bytes);
const expected = await Promise.all(rows.map((i) => index.search(f.row(i), { index: "clusters" })));
await index.close();

const worker = entry.replace("browser.js", "worker-browser.js");
const HEAD = `
  const { open } = await import(${JSON.stringify(entry)});
  const url = ${JSON.stringify(`${host.url}/words/`)};
  const queries = ${JSON.stringify(rows.map((i) => [...f.row(i)]))};
  const options = { index: "clusters" };`;

async function run(code, { csp, files = {} } = {}) {
  const pages = await site({ ...pageOf(HEAD + code), ...f.folder, ...files }, csp);
  const { page, errors } = await visit(browser, `${pages.url}/`);
  const value = await result(page);
  await page.close();
  await pages.close();
  return { value, errors, log: pages.log };
}

const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; img-src data:";

for (const csp of [undefined, CSP, `${CSP}; worker-src 'self'`]) {
  test(`the hits of this thread, under ${csp ?? "no policy"}`, async () => {
    const { value, errors } = await run(
      `const index = await open(url, { worker: true, embed: (texts) => texts.map((at) => queries[at]) });
       const hits = [];
       for (const query of queries) hits.push(await index.search(query, options));
       const batch = await index.searchBatch(["0", "1", "2"], options);
       const { requests } = index.stats();
       await index.close();
       const relative = await open("words/", { worker: true });
       const also = await relative.search(queries[1], options);
       await relative.close();
       return { hits, batch, requests, also };`,
      { csp },
    );
    assert.deepEqual(errors, [], JSON.stringify(value));
    assert.deepEqual(value.hits, expected, JSON.stringify(value));
    assert.deepEqual(value.batch, expected);
    assert.deepEqual(value.also, expected[1]);
    assert.ok(value.requests > 2);
  });
}

test("from bytes and a File; the page's thread is free while it searches", async () => {
  const { value, errors } = await run(`
    const bytes = new Uint8Array(await (await fetch(url + ${JSON.stringify(f.file)})).arrayBuffer());
    const out = [];
    for (const source of [bytes, new File([bytes], "words.bin")]) {
      const index = await open(source, { worker: true });
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 1);
      const many = Array.from({ length: 20000 }, (_, i) => queries[i % 3]);
      const flat = Float32Array.from(many.flat());
      last = performance.now();
      const from = performance.now();
      const found = await index.searchBatch(flat, { index: "flat", k: 1 });
      const took = performance.now() - from;
      clearInterval(timer);
      out.push({ first: found.slice(0, 3).map(([{ id }]) => id), took, longest });
      await index.close();
    }
    return out;`);
  assert.deepEqual(errors, [], JSON.stringify(value));
  for (const { first, took, longest } of value) {
    assert.deepEqual(first, rows.map((i) => `word-${i}`));
    assert.ok(longest < took / 2, `it searched for ${took} ms, and the page was blocked for ${longest} ms`);
  }
});

test("the page store works there: a second visit reads nothing", async () => {
  const pages = await site({ ...pageOf(`${HEAD}
    const index = await open(url, { worker: true });
    const hits = await index.search(queries[1], options);
    const { bytes, store } = index.stats();
    await new Promise((done) => setTimeout(done, 500));
    await index.close();
    return { hits, bytes, off: store?.off };`) });
  const context = await browser.newContext();
  const visits = [];
  for (let visit = 0; visit < 2; visit++) {
    const page = await context.newPage();
    await page.goto(`${pages.url}/`);
    visits.push(await result(page));
    await page.close();
  }
  await context.close();
  await pages.close();
  assert.deepEqual(visits.map(({ hits }) => hits), [expected[1], expected[1]], JSON.stringify(visits));
  assert.equal(visits[1].off, undefined);
  assert.ok(visits[1].bytes < 2000, `${visits[1].bytes} bytes: index.json alone`);
});

test("a worker that stops: calls under way fail, the next starts another", async () => {
  const { value } = await run(
    `let started = 0;
     const make = () => (started++, new Worker("/fragile.js", { type: "module" }));
     let broken;
     const index = await open(url, { worker: () => (broken = make()) });
     const hits = [await index.search(queries[0], options)];
     const under = index.load().then(() => "loaded", (error) => error.code);
     broken.postMessage("break");
     const code = await under;
     for (const query of queries.slice(1)) hits.push(await index.search(query, options));
     await index.close();
     return { hits, code, started };`,
    {
      files: {
        "/fragile.js": {
          body: `import ${JSON.stringify(worker)};\nconst receive = self.onmessage;\nself.onmessage = (event) => { if (event.data === "break") throw new Error("out of luck"); if (event.data.call !== "load") receive(event); };`,
          type: "text/javascript",
        },
      },
    },
  );
  assert.deepEqual(value, { hits: expected, code: "worker", started: 2 });
});

test("a policy without workers, and a script that is not there, are errors that say what to do", async () => {
  const { value: policy } = await run("return open(url, { worker: true });", { csp: `${CSP}; worker-src 'none'` });
  assert.equal(policy.error?.code, "worker", JSON.stringify(policy));
  assert.match(policy.error.message, /worker-src 'self'/);
  const { value: missing } = await run(`return open(url, { worker: () => new Worker("/nowhere.js", { type: "module" }) });`);
  assert.equal(missing.error?.code, "worker");
  assert.match(missing.error.message, /pagevec\/worker/);
});
