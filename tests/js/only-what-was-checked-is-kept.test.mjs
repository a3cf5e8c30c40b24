// Bytes of a shared request that nobody waits for any more are dropped by the core without a look at their checksums: the
// page store must not keep them.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { steady, until } from "./support/until.mjs";

const f = await fixture({ count: 5000, dim: 128, make: smooth, graph: false, efConstruction: 40 });
const server = await serve(f.folder);
const url = `${server.url}/words/`;
const folder = await mkdtemp(join(tmpdir(), "pagevec-store-"));
after(() => Promise.all([server.close(), rm(folder, { recursive: true })]));
const lists = f.info.sections.find(({ name }) => name === "lists");
const inLists = (offset) => offset >= lists.offset && offset < lists.offset + lists.length;
const BAD = 0xab;

/** Whether any file of the store holds a run of damaged bytes. */
async function keptDamage() {
  for (const name of await readdir(folder)) {
    if ((await readFile(join(folder, name))).includes(Buffer.alloc(64, BAD))) return true;
  }
  return false;
}

test("a search is aborted whose request another one shares", async () => {
  const wanted = [];
  const few = { index: "clusters", probes: 1, k: 1 };
  const alone = await open(url, { onFetch: (extent) => wanted.push(extent) });
  const expected = await alone.search(near(f, 9), few);
  await alone.close();
  const isWanted = (at) => wanted.some(({ offset, length }) => at >= offset && at < offset + length);

  let release;
  let holding = true;
  let held = 0;
  let damaged = 0;
  const gate = new Promise((resolve) => (release = resolve));
  const damaging = async (input, init) => {
    const range = /(\d+)-(\d+)/.exec(init.headers.get("range") ?? "");
    if (!holding || !range || !inLists(Number(range[1]))) return fetch(input, init);
    held += 1;
    await gate;
    const response = await fetch(input, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    for (let i = 0; i < bytes.length; i++) if (!isWanted(Number(range[1]) + i)) (bytes[i] = BAD), (damaged += 1);
    return new Response(bytes, response);
  };
  // There is room for 16 lists. Round trips are dear, so that many come in one request.
  const least = Math.max(...(await rejected(open(f.bytes, { memoryBudget: f.front }), "budget")).message.match(/\d+/g).map(Number));
  const index = await open(url, { cache: { folder }, fetch: damaging, memoryBudget: least, connection: "h1", link: { rttMs: 1000, mbits: 100 } });
  const abort = new AbortController();
  const many = rejected(index.search(near(f, 9), { index: "clusters", probes: 16, signal: abort.signal }), "aborted");
  await until(() => held > 0);
  const search = index.search(near(f, 9), few);
  // Its leaves are read anew, one by one; then it waits for what is held.
  await steady(() => server.requests);
  abort.abort();
  await many;
  // The room of what is on its way goes to another search.
  holding = false;
  await index.search(near(f, 4000), { index: "clusters", probes: 10, k: 1 });
  release();
  assert.deepEqual(await search, expected);
  await index.close();
  assert.ok(damaged > 1000, `${damaged} damaged bytes came`);
  assert.equal(await keptDamage(), false);
  // What was checked is kept.
  const later = await open(url, { cache: { folder } });
  server.reset();
  assert.deepEqual(await later.search(near(f, 9), few), expected);
  // But for lists that came in one piece with what was not.
  const inAll = wanted.filter(({ offset }) => inLists(offset)).length;
  assert.ok(server.log.length <= inAll, `${server.log.length} requests for ${inAll} lists`);
  await later.close();
});
