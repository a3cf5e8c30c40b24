import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());

test("searches reject, requests end, later calls say closed", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.delay = 40;
  const searches = [index.search(f.row(1)), index.searchBatch([f.row(2)]), index.vector("word-3"), index.load()];
  const rejections = searches.map((search) => rejected(search, "closed"));
  await until(() => server.now > 0);
  await index.close();
  await Promise.all(rejections);
  server.delay = 0;
  for (const call of ["search", "searchBatch", "explain"]) await rejected(index[call](f.row(1)), "closed");
  for (const call of ["vector", "has"]) await rejected(index[call]("word-1"), "closed");
  await rejected(index.load(), "closed");
  assert.throws(() => index.stats(), { code: "closed" });
  assert.equal(index.info.count, f.count);
});

test("closing twice, at once and later", async () => {
  const index = await open(f.bytes);
  await Promise.all([index.close(), index.close()]);
  await index.close();
});

test("many indexes one after another, each with its own memory", async () => {
  for (let i = 0; i < 50; i++) {
    const index = await open(f.bytes);
    assert.equal((await index.search(f.row(i)))[0].id, `word-${i}`);
    await index.close();
  }
});
