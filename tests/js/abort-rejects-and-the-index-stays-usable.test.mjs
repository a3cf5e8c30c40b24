import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());
process.on("unhandledRejection", (error) => {
  throw error;
});

test("a search under way", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.pieces = 1000;
  const abort = new AbortController();
  const reason = new Error("newer query");
  const search = rejected(index.search(f.row(1), { signal: abort.signal }), "aborted");
  await until(() => server.now > 0);
  abort.abort(reason);
  assert.equal((await search).cause, reason);
  await until(() => server.aborted === server.requests); // its requests end too
  server.pieces = 0;
  assert.equal((await index.search(f.row(1)))[0].id, "word-1");
  await index.close();
});

test("a search not begun", async () => {
  const index = await open(f.bytes);
  await rejected(index.search(f.row(1), { signal: AbortSignal.abort() }), "aborted");
  await rejected(index.has("word-1", { signal: AbortSignal.abort() }), "aborted");
  await index.close();
});

test("an opening, before and while it waits", async () => {
  await rejected(open(`${server.url}/words/`, { signal: AbortSignal.abort() }), "aborted");
  for (const waitsFor of [/json$/, /bin$/]) {
    server.reset();
    server.delay = 30;
    const abort = new AbortController();
    const opening = rejected(open(`${server.url}/words/`, { signal: abort.signal }), "aborted");
    await until(() => server.log.some(({ path }) => waitsFor.test(path)));
    abort.abort();
    await opening;
    server.delay = 0;
  }
});

test("the opening's signal does not end searches", async () => {
  const abort = new AbortController();
  const index = await open(`${server.url}/words/`, { signal: abort.signal });
  abort.abort();
  assert.equal((await index.search(f.row(4)))[0].id, "word-4");
  await index.close();
});

test("at each point where something waits: the call, the answer, each piece of its body, each pause", { timeout: 120_000 }, async () => {
  const whole = await open(f.bytes);
  const wanted = await whole.search(f.row(6));
  await whole.close();
  server.pieces = 40_000;
  for (const index of ["clusters", "hnsw"]) {
    let points = 0;
    for (let ended = false; !ended; points++) {
      const abort = new AbortController();
      let passed = 0;
      const point = () => passed++ === points && abort.abort();
      let failures = 2;
      const watched = async (url, init) => {
        if (!armed) return fetch(url, init);
        point();
        if (failures-- > 0) return setTimeout(point, 1), new Response("later", { status: 503 });
        const response = await fetch(url, init);
        point();
        const body = response.body.pipeThrough(new TransformStream({ transform: (chunk, to) => (to.enqueue(chunk), point()) }));
        return new Response(body, response);
      };
      let armed = false;
      const opened = await open(`${server.url}/words/`, { fetch: watched, hedge: 5 });
      armed = true;
      const outcome = await opened.search(f.row(6), { index, signal: abort.signal }).catch((error) => error);
      ended = !abort.signal.aborted;
      if (ended) assert.deepEqual(outcome, wanted);
      else assert.ok(outcome.code === "aborted" || outcome.length === wanted.length, `${points}: ${outcome}`);
      if (outcome.length) assert.deepEqual(outcome, wanted);
      armed = false;
      assert.deepEqual(await opened.search(f.row(6), { index }), wanted);
      await opened.close();
    }
    assert.ok(points > 10, `${points} points`);
  }
  server.pieces = 0;
});
