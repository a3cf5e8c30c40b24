import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { vectors } from "../support/fixture.mjs";

const [count, dim] = [1200, 32];
const matrix = vectors(count, dim, 5);
const ids = Array.from({ length: count }, (_, i) => `w${i}`);
const browser = await launch();
after(() => browser.close());

const WORKER = `
  import { build } from ${JSON.stringify(entry)};
  onmessage = async ({ data: { matrix, dim, ids } }) => {
    const phases = new Set();
    const bytes = await build(matrix, { dim, ids, onProgress: ({ phase }) => phases.add(phase) });
    postMessage({ bytes, phases: [...phases] }, [bytes.buffer]);
  };`;

const PAGE = `
  const { open } = await import(${JSON.stringify(entry)});
  const { matrix, ids, dim } = await (await fetch("/input.json")).json();
  const worker = new Worker("/worker.js", { type: "module" });
  const built = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message ?? "the worker failed"));
  });
  worker.postMessage({ matrix: Float32Array.from(matrix), ids, dim });
  const { bytes, phases } = await built;
  const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const hits = [];
  for (const source of [bytes, new File([bytes], "words.bin")]) {
    const index = await open(source);
    hits.push(await index.search(matrix.slice(0, dim)), await index.search(matrix.slice(0, dim), { index: "flat" }));
    await index.close();
  }
  return { hash, hits, phases };`;

test("built in a worker under CSP, opened from bytes and from a File, as in Node", async () => {
  const files = {
    ...pageOf(PAGE),
    "/worker.js": { body: WORKER, type: "text/javascript" },
    "/input.json": { body: JSON.stringify({ matrix: [...matrix], ids, dim }) },
  };
  const pages = await site(files, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src data:");
  const { page, errors } = await visit(browser, `${pages.url}/`);
  const value = await result(page);
  await page.close();
  await pages.close();
  assert.deepEqual(errors, [], JSON.stringify(value.error));

  const bytes = await build(matrix, { dim, ids });
  assert.equal(value.hash, createHash("sha256").update(bytes).digest("hex"));
  assert.ok(value.phases.length > 1);
  const index = await open(bytes);
  const expected = [await index.search(matrix.subarray(0, dim)), await index.search(matrix.subarray(0, dim), { index: "flat" })];
  assert.deepEqual(value.hits, [...expected, ...expected]);
  await index.close();
});
