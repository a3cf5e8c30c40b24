import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 4001, dim: 128, clusters: false });
const server = await serve(f.folder);
after(() => server.close());

test("progress grows to its total; each byte is delivered once", async () => {
  const progress = [];
  const pieces = [];
  server.pieces = 50_001;
  const index = await open(`${server.url}/words/`, {
    onProgress: (event) => event.phase === "load" && progress.push(event),
    onFetch: (extent) => pieces.push(extent),
  });
  pieces.length = 0;
  const { hits, bytes, requests, waves } = await index.explain(f.row(8));
  server.pieces = 0;
  assert.equal(hits[0].id, "word-8");
  assert.equal(waves, 1);
  assert.ok(progress.length > 5, `${progress.length} events`);
  progress.forEach(({ done, total }, i) => {
    assert.equal(total, bytes);
    assert.ok(done > (progress[i - 1]?.done ?? 0));
  });
  assert.equal(progress.at(-1).done, bytes);
  assert.ok(pieces.length > requests, "more pieces than requests");
  pieces.sort((a, b) => a.offset - b.offset);
  let at = 0;
  for (const { offset, length } of pieces) {
    assert.ok(offset >= at, "twice");
    at = offset + length;
  }
  await index.close();
});

test("a connection that breaks goes on where it broke", async () => {
  const index = await open(`${server.url}/words/`);
  const before = index.stats().bytes;
  Object.assign(server, { fault: "reset", only: /bin$/, times: 1 });
  const { hits, bytes } = await index.explain(f.row(8));
  server.fault = undefined;
  assert.equal(hits[0].id, "word-8");
  const again = index.stats().bytes - before - bytes;
  assert.ok(again >= 0 && again < bytes / 4, `${again} bytes came twice`);
  await index.close();
});
