// The vector store in adapters/langchain, by LangChain's own interface, with its real package.
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const folder = await mkdtemp(join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, ".langchain-"));
after(() => rm(folder, { recursive: true, force: true }));

/** Of a text: how often it has each letter. */
const embedded = (text) => Array.from({ length: 26 }, (_, i) => text.toLowerCase().split(String.fromCharCode(97 + i)).length - 1 + 0.01);
const embeddings = { embedQuery: async (text) => embedded(text), embedDocuments: async (texts) => texts.map(embedded) };
const texts = ["a lazy dog sleeps", "quick brown foxes", "zebras graze", "jumping over fences", "a cat meows"];

async function load() {
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@langchain"), { recursive: true });
  await symlink(dirname(createRequire(import.meta.url).resolve("pagevec/package.json")), join(modules, "pagevec")).catch(() => {});
  await symlink(join(root, "xtask/node_modules/@langchain/core"), join(modules, "@langchain/core")).catch(() => {});
  await cp(join(root, "adapters/langchain"), join(modules, "pagevec-langchain"), { recursive: true });
  const from = (name) => import(pathToFileURL(createRequire(join(folder, "x.mjs")).resolve(name)).href);
  const { PagevecStore } = await from("pagevec-langchain");
  const { VectorStore } = await import(pathToFileURL(join(modules, "@langchain/core/dist/vectorstores.js")).href);
  return { PagevecStore, VectorStore };
}

test("texts are found with their metadata and scores", { skip }, async () => {
  const { PagevecStore, VectorStore } = await load();
  const store = await PagevecStore.fromTexts(texts, texts.map((_, at) => ({ at })), embeddings);
  assert.ok(store instanceof VectorStore);
  for (const [at, text] of texts.entries()) {
    const [found] = await store.similaritySearch(text, 1);
    assert.equal(found.pageContent, text);
    assert.deepEqual(found.metadata, { at });
  }
  const scored = await store.similaritySearchVectorWithScore(embedded("zebras graze"), 3);
  assert.equal(scored.length, 3);
  assert.ok(scored[0][1] > 0.99 && scored.every(([, score], i) => i === 0 || score <= scored[i - 1][1]));
  assert.deepEqual((await store.similaritySearchWithScore("zebras graze", 3)).map(([{ pageContent }]) => pageContent), scored.map(([{ pageContent }]) => pageContent));
  assert.equal((await store.asRetriever(1).invoke("cat meows"))[0].pageContent, "a cat meows");
  await store.index.close();
});

test("documents are filtered by their metadata", { skip }, async () => {
  const { PagevecStore } = await load();
  const store = await PagevecStore.fromTexts(texts, texts.map((_, at) => ({ at, pets: at % 4 === 0 })), embeddings);
  const found = async (store, filter) => (await store.similaritySearch("zebras graze", 5, filter)).map(({ metadata }) => metadata.at).sort();
  assert.deepEqual(await found(store, { pets: true }), [0, 4]);
  assert.deepEqual(await found(store, { at: { $gte: 3 } }), [3, 4]);
  assert.deepEqual(await found(store), [0, 1, 2, 3, 4]);
  const limited = new PagevecStore(embeddings, { index: store.index, documents: (ids) => ids.map((id) => ({ pageContent: "", metadata: { at: id } })), search: { filter: { pets: true } } });
  assert.deepEqual(await found(limited, { at: { $gte: 3 } }), [4]);
  assert.deepEqual(await found(limited), [0, 4]);
  for (const filter of [null, { ta: 1 }, (document) => document.metadata.at > 1]) await assert.rejects(store.similaritySearch("x", 1, filter), { name: "PagevecError", code: "filter" });
  await store.index.close();
});

test("an open index is a store, and what it cannot do says so", { skip }, async () => {
  const { PagevecStore } = await load();
  const made = await PagevecStore.fromTexts(texts, {}, embeddings, { metric: "l2" });
  const store = new PagevecStore(embeddings, { index: made.index, documents: (ids) => ids.map((id) => ({ pageContent: `document ${id}`, metadata: {} })), search: { exclude: [2] } });
  const found = await store.similaritySearch("zebras graze", 5);
  assert.equal(found.length, 4);
  assert.ok(found.every(({ id, pageContent }) => id !== "2" && pageContent === `document ${id}`));
  for (const call of [() => store.addDocuments([]), () => store.addVectors([], [])]) await assert.rejects(call, { name: "PagevecError", code: "argument" });
  await made.index.close();
});
