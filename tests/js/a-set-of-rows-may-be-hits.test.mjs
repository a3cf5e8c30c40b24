// `exclude` and `among` say which rows may be hits, by their ids, and `{ id }` searches by a row. The oracle scans the floats.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, oracle, rejected, smallestBudget } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

// Lengths in UTF-16, in UTF-8 and in characters differ, and one id is empty.
const SCRIPTS = ["word", "wört", "単語", "𝓌𝑜𝓇𝒹", "👩‍🚀"];
const words = (row) => (row === 40 ? "" : `${SCRIPTS[row % 5]}-${row}`);
const COUNT = 700;
const texts = await fixture({ count: COUNT, codec: "f32", ids: words });
const numbers = await fixture({ count: COUNT, codec: "f32", ids: (row) => (row === 40 ? 0 : row * 7 + 2 ** 40), seed: 3 });
const hosts = await Promise.all([serve(texts.folder), serve(numbers.folder)]);
after(() => hosts.map((host) => host.close()));

/** What the oracle says of the rows that `may` be hits. */
function nearest(f, query, k, may) {
  return oracle(f, query, f.count).filter((id) => may.has(id)).slice(0, k);
}

const idsOf = (hits) => hits.map((hit) => hit.id);
const every = (f, step, from = 0) => f.ids.filter((_, row) => row % step === from);

for (const [kind, f, host] of [["texts", texts, hosts[0]], ["numbers", numbers, hosts[1]]]) {
  const sources = [["bytes", f.bytes], ["a host with ranges", `${host.url}/words/`]];
  for (const [source, from] of sources) {
    for (const memoryBudget of [undefined, await smallestBudget(f)]) {
      test(`${kind}, from ${source}${memoryBudget ? ", in the smallest budget" : ""}: the hits of the oracle`, async () => {
        const index = await open(from, { memoryBudget });
        // Only lists fit the smallest budget. All of them, with all rows ranked again, are exact as a scan is.
        const exact = memoryBudget ? { index: "clusters", probes: COUNT, rescore: COUNT } : { index: "flat" };
        const sets = [
          { exclude: every(f, 3) },
          { among: every(f, 2) },
          { among: every(f, 100, 40) },
          { among: every(f, 2), exclude: every(f, 3) },
          { among: every(f, 2), exclude: every(f, 2).slice(3) },
          { among: every(f, 5), exclude: every(f, 5) },
          { among: [...every(f, 9), ...every(f, 9)] },
          { among: f.ids, exclude: [] },
        ];
        for (const set of sets) {
          const may = new Set(set.among ?? f.ids);
          for (const id of set.exclude ?? []) may.delete(id);
          const queries = [3, 333, 699].map((row) => near(f, row));
          for (const k of [1, 10, 1000]) {
            const wanted = queries.map((query) => nearest(f, query, k, may));
            assert.deepEqual((await index.searchBatch(queries, { k, ...set, ...exact })).map(idsOf), wanted);
            assert.deepEqual(idsOf(await index.search(queries[0], { k, ...set, ...exact })), wanted[0]);
          }
          const { hits } = await index.explain(queries[1], { ...set, ...exact });
          assert.deepEqual(idsOf(hits), nearest(f, queries[1], 10, may));

          // By a row, without the row itself, whether it is in the set or not.
          for (const row of [40, 90, 91]) {
            may.delete(f.ids[row]);
            const wanted = nearest(f, f.row(row), 10, may);
            assert.deepEqual(idsOf(await index.search({ id: f.ids[row] }, { ...set, ...exact })), wanted);
            assert.deepEqual(idsOf((await index.explain({ id: f.ids[row] }, { ...set, ...exact })).hits), wanted);
            if (!set.among || set.among.includes(f.ids[row])) if (!set.exclude?.includes(f.ids[row])) may.add(f.ids[row]);
          }
        }
        assert.equal(index.stats().queries, sets.length * (3 * 4 + 1 + 6));
        await index.close();
      });
    }
  }

  test(`${kind}: every index keeps to the set`, async () => {
    const index = await open(f.bytes);
    const among = every(f, 4);
    const exclude = every(f, 8);
    const may = new Set(among.filter((id) => !exclude.includes(id)));
    for (const name of ["flat", "hnsw", "clusters"]) {
      let found = 0;
      for (let row = 0; row < COUNT; row += 50) {
        const hits = idsOf(await index.search(near(f, row), { index: name, among, exclude }));
        assert.equal(new Set(hits).size, 10);
        assert.ok(hits.every((id) => may.has(id)), name);
        const wanted = nearest(f, near(f, row), 10, may);
        found += wanted.filter((id) => hits.includes(id)).length / 140;
      }
      assert.ok(found > 0.9, `${name} found ${found}`);
    }
    await index.close();
  });

  test(`${kind}: an id that no row has is named, and nothing is searched`, async () => {
    const index = await open(`${host.url}/words/`);
    const nobody = kind === "texts" ? "nobody" : 5;
    const other = kind === "texts" ? 5 : "nobody";
    const calls = [(o) => index.search(f.row(0), o), (o) => index.searchBatch([f.row(0)], o), (o) => index.searchBatch(f.matrix, o), (o) => index.explain(f.row(0), o), (o) => index.search({ id: f.ids[1] }, o)];
    for (const call of calls) {
      for (const options of [{ exclude: [nobody] }, { among: [f.ids[3], nobody] }, { among: [], exclude: [nobody] }]) {
        assert.match((await rejected(call(options), "unknown-id")).message, new RegExp(`"${nobody}"`));
      }
      // Texts and numbers are different ids.
      assert.match((await rejected(call({ among: [other] }), "unknown-id")).message, new RegExp(`"${other}"`));
    }
    const { message } = await rejected(index.search(f.row(0), { exclude: [nobody], among: [nobody, nobody] }), "unknown-id");
    assert.match(message, /2 others/);
    for (const id of [nobody, other]) assert.match((await rejected(index.search({ id }), "unknown-id")).message, new RegExp(`"${id}"`));
    assert.equal(index.stats().queries, 0);
    await index.close();
  });

  test(`${kind}: among none there are no hits`, async () => {
    const index = await open(f.bytes);
    for (const among of [[], new Float64Array(), new Uint8Array()]) {
      assert.deepEqual(await index.search(f.row(0), { among }), []);
      assert.deepEqual(await index.searchBatch([f.row(0), f.row(1)], { among }), [[], []]);
      assert.deepEqual((await index.searchBatch(f.matrix, { among })).flat(), []);
      assert.deepEqual(await index.search({ id: f.ids[9] }, { among }), []);
      for (const name of ["flat", "hnsw", "clusters"]) assert.deepEqual((await index.explain(f.row(0), { among, index: name })).hits, []);
    }
    await index.close();
  });
}

test("explain says why few rows are listed or scanned", async () => {
  const f = await fixture({ count: 2000 });
  const index = await open(f.bytes);
  const few = await index.explain(f.row(0), { among: every(f, 100) });
  assert.deepEqual([few.index, few.hits.length, few.rescored, few.distances], ["listed", 10, 20, 0]);
  assert.match(few.plan, /^listed \(few rows may be hits\): /);
  const more = await index.explain(f.row(0), { among: every(f, 2) });
  assert.equal(more.index, "flat");
  assert.match(more.why, /^few rows may be hits, or/);
  await index.close();
});

test("lists are read before anything awaits, of every kind of array", async () => {
  const index = await open(`${hosts[1].url}/words/`);
  const query = numbers.row(11);
  const among = every(numbers, 3);
  const expected = await index.search(query, { among });
  for (const list of [among.slice(), Float64Array.from(among)]) {
    const options = { among: list };
    const search = index.search(query, options);
    list.fill(NaN);
    options.among = [];
    assert.deepEqual(await search, expected);
  }
  const id = { id: numbers.ids[11] };
  const similar = index.search(id);
  id.id = -1;
  assert.deepEqual(idsOf(await similar), idsOf(await index.search(query, { k: 11 })).slice(1));
  await index.close();

  const small = await fixture({ count: 300, dim: 8, ids: (row) => row });
  const near300 = await open(small.bytes);
  const wanted = await near300.search(small.row(0), { exclude: [0, 1, 2] });
  for (const Kind of [Uint8Array, Int16Array, Uint32Array, Float32Array]) {
    assert.deepEqual(await near300.search(small.row(0), { exclude: Kind.of(0, 1, 2) }), wanted);
  }
  assert.equal((await near300.search(small.row(0), { k: 300, exclude: [0, 1, 2] })).length, 297);
  await near300.close();
});

test("lists that are none, and the element that is wrong", async () => {
  const index = await open(texts.bytes);
  const gone = new Float64Array(3);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const name of ["exclude", "among"]) {
    const call = async (list) => (await rejected(index.search(texts.row(0), { [name]: list }), "argument")).message;
    for (const list of [null, 5, "word-1", {}, new Set(["word-0"]), new DataView(new ArrayBuffer(8)), new Promise(() => {})]) {
      assert.match(await call(list), new RegExp(`^${name} must be an array of strings or of numbers, not `));
    }
    await call(gone);
    const wrong = [[["word-0", 5], 1], [[5, "word-0"], 1], [["word-0", "wört-1", null], 2], [[undefined], 0], [[1.5], 0], [[3, -1], 1], [[2 ** 53], 0], [[1n], 0], [BigInt64Array.of(1n), 0], [["a\ud800"], 0], [[["word-0"]], 0], [new Array(3), 0]];
    for (const [list, at] of wrong) assert.ok((await call(list)).startsWith(`${name}[${at}] `), String(list));
  }
  const { message } = await rejected(index.search(texts.row(0), { exclude: ["word-0"], among: [5] }), "argument");
  assert.equal(message, "among[0] is a number, but exclude[0] is a string: use one kind");
  await index.close();
});

test("a query by a row is an id, and nothing else", async () => {
  const index = await open(texts.bytes);
  for (const id of [undefined, null, {}, NaN, 5n, ["word-0"], -1, 1.5]) await rejected(index.search({ id }), "argument");
  assert.match((await rejected(index.search({ id: "word-0", k: 5 }), "argument")).message, /^search\(\{ id \}\) has no option `k`/);
  assert.match((await rejected(index.search({ id: 7, data: Float32Array.of(1), shape: [1] }), "argument")).message, /a tensor/);
  await rejected(index.searchBatch([{ id: "word-0" }]), "argument");
  await index.close();
});

test("a hundred thousand ids are passed in no time", async () => {
  const count = 100_000;
  for (const ids of [(row) => row, (row) => `word-${row}`]) {
    const f = await fixture({ count, dim: 4, ids, graph: false, codec: "f32", clusters: false });
    const index = await open(f.bytes);
    const among = f.ids.slice();
    await index.search(f.row(0), { among });
    const from = performance.now();
    assert.equal((await index.search(f.row(5), { among }))[0].id, f.ids[5]);
    const took = performance.now() - from;
    console.log(`# ${count} ids that are ${typeof among[0]}s: ${took.toFixed(1)} ms`);
    assert.ok(took < 2000, `${took} ms`);
    await index.close();
  }
});
