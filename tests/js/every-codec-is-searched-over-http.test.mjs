// Codes of every kind, with one to three stages, from a server: the hits are those of the command line over the file.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, oracle, recall, sectionOf } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_CLI: cli } = process.env;
const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
after(() => rm(folder, { recursive: true, force: true }));

/** Options, the codecs of the stages, the least recall@10 by the graph. 48 components have parts of three and of two in pq20. */
const cases = [
  [{ codec: "pq20", metric: "cosine" }, ["pq20", "sq8", undefined], 0.97],
  [{ codec: "pq7", metric: "l2", refine: "f16" }, ["pq7", "f16", undefined], 0.9],
  [{ codec: "sq4", metric: "dot" }, ["sq4", "sq8", undefined], 0.97],
  [{ codec: "f16", metric: "cosine" }, ["f16", undefined, undefined], 0.97],
  [{ codec: "pq20", metric: "cosine", exact: "f32" }, ["pq20", "sq8", "f32"], 0.97],
  [{ codec: "binary", metric: "cosine", refine: "sq8", exact: "f16" }, ["binary", "sq8", "f16"], 0.97],
];

for (const [options, stages, least] of cases) {
  test(JSON.stringify(options), { skip: !cli && "PAGEVEC_CLI is not set" }, async (t) => {
    const f = await fixture({ ...options, efConstruction: 60 });
    const { codec, refine, exact } = f.info;
    assert.deepEqual([codec, refine, exact], stages);
    const file = join(folder, f.file);
    await writeFile(file, f.bytes);
    const server = await serve(f.folder);
    t.after(() => server.close());
    const search = (query, kind) => {
      const args = ["search", file, "--vector", [...query].join(","), "--index", kind, "--json"];
      return JSON.parse(execFileSync(cli, args, { encoding: "utf8" })).hits.map(({ id, score }) => [id, Math.fround(score)]);
    };
    // Half of the file, where codes do not fit beside what lists need, and all of it.
    for (const memoryBudget of [f.bytes.length >> 1, 2 * f.bytes.length]) {
      const index = await open(`${server.url}/words/`, { memoryBudget });
      const kinds = memoryBudget < f.bytes.length ? ["clusters"] : ["clusters", "flat", "hnsw"];
      for (const row of [3, 777, 2999]) {
        for (const kind of kinds) {
          const hits = await index.search(near(f, row), { index: kind });
          assert.deepEqual(hits.map(({ id, score }) => [id, Math.fround(score)]), search(near(f, row), kind), kind);
        }
      }
      await index.close();
    }
    if (options.metric === "cosine") await ranksWell(f, least);
  });
}

async function ranksWell(f, least) {
  const index = await open(f.bytes);
  let found = 0;
  for (let row = 0; row < 60; row++) {
    const query = near(f, row * 50);
    found += recall(await index.search(query, { index: "hnsw" }), oracle(f, query, 10)) / 60;
  }
  assert.ok(found >= least, `${found}`);
  await index.close();
}

test("a first search by clusters reads no codes, and only the finest rows", async (t) => {
  const f = await fixture({ codec: "pq20", exact: "f32", count: 6000 });
  const server = await serve(f.folder);
  t.after(() => server.close());
  const index = await open(`${server.url}/words/`);
  server.reset();
  assert.equal((await index.search(near(f, 9), { index: "clusters" }))[0].id, "word-9");
  const sections = new Set(server.ranges().map(([from, to]) => sectionOf(f.info, from, to - from + 1)));
  assert.deepEqual([...sections].sort(), ["exact rows", "leaves", "lists"]);
  await index.close();
});
