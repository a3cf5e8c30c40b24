// Bytes that are here cost nothing to read: `auto` does not take the clusters, which are for what is far away.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

// Codes and graph take more than the 1 MiB that is always brought whole.
const f = await fixture({ count: 6000, dim: 160, make: smooth, efConstruction: 40 });
const server = await serve(f.folder);
after(() => server.close());
const codesAndGraph = f.info.sections.filter(({ name }) => name === "codes" || name === "graph").reduce((sum, { length }) => sum + length, 0);

async function explained(source, options) {
  const index = await open(source, options);
  const answer = await index.explain(near(f, 77));
  await index.close();
  return answer;
}

test("bytes and blobs: the graph, whose hits are those after a load", async () => {
  assert.ok(codesAndGraph > 1 << 20);
  const remote = await open(`${server.url}/words/`);
  await remote.load();
  const expected = await remote.search(near(f, 77), { index: "hnsw" });
  await remote.close();
  for (const source of [f.bytes, f.bytes.slice().buffer, new Blob([f.bytes])]) {
    const { index, hits } = await explained(source);
    assert.equal(index, "hnsw");
    assert.deepEqual(hits, expected);
  }
});

test("a host that ignores ranges has sent all of it: the graph too", async () => {
  Object.assign(server, { fault: "ignore-range", only: /bin$/, times: Infinity });
  const { index } = await explained(`${server.url}/words/`);
  server.fault = undefined;
  assert.equal(index, "hnsw");
});

test("what is elsewhere, or does not fit: the clusters", async () => {
  assert.equal((await explained(`${server.url}/words/`)).index, "clusters");
  assert.equal((await explained(f.bytes, { memoryBudget: codesAndGraph })).index, "clusters");
  if (typeof File === "function") assert.equal((await explained(new File([f.bytes], "words.bin"))).index, "clusters");
});

test("rescore ranks more candidates again", async () => {
  for (const codec of ["binary", "sq4"]) {
    const g = await fixture({ count: 2000, dim: 96, make: smooth, codec, efConstruction: 40, seed: 3 });
    const index = await open(g.bytes);
    const of = async (rescore, name) => index.explain(near(g, 5), { index: name, k: 10, ...(rescore && { rescore }) });
    for (const name of ["flat", "hnsw", "clusters"]) {
      const [few, many] = [await of(15, name), await of(150, name)];
      // The clusters leave out what a bound shows to be too far.
      assert.ok((name === "clusters" ? few.rescored <= many.rescored : few.rescored < many.rescored) && many.rescored <= 150, `${codec} ${name}: ${few.rescored}, ${many.rescored}`);
      assert.equal(few.hits.length, 10);
      // What is below k is raised to it, what is beyond the rows is cut.
      assert.ok((await of(1, name)).rescored >= 10);
      assert.equal((await of(2 ** 40, name)).hits.length, 10);
    }
    const exact = await index.search(near(g, 5), { index: "flat", rescore: g.count });
    const [first] = (await index.searchBatch([near(g, 5)], { index: "flat", rescore: g.count }));
    assert.deepEqual(first, exact);
    assert.equal(exact[0].id, "word-5");
    await index.close();
  }
});
