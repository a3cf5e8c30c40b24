// Folders that the command line appends to, merges and prunes, behind `pagevec serve`. An index that was open before goes on with the
// files that it knows, or says `stale` once they are gone; one that is opened anew has every row.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { open, PagevecError } from "pagevec";
import { oracle, rejected, smooth } from "./support/fixture.mjs";

const { PAGEVEC_CLI: cli } = process.env;
const skip = !cli && "PAGEVEC_CLI is not set";
const DIM = 24;
const K = 8;
const matrix = smooth(2300, DIM, 5);
const place = skip ? "" : await mkdtemp(join(tmpdir(), "pagevec-"));
const row = (i) => matrix.subarray(i * DIM, (i + 1) * DIM);

/** The rows that live, as `oracle` takes them: those of the last writing of each id. */
class Rows {
  #rows = new Map();

  /** Writes `count` rows from `first` on, of the vectors from `from` on, as JSON lines; returns the path. */
  async write(first, count, from = first) {
    const lines = [];
    for (let i = 0; i < count; i++) {
      this.#rows.set(`word-${first + i}`, row(from + i));
      lines.push(`${JSON.stringify({ id: `word-${first + i}`, vector: [...row(from + i)] })}\n`);
    }
    const path = join(place, `${first}-${count}-${from}.jsonl`);
    await writeFile(path, lines.join(""));
    return path;
  }

  nearest(query) {
    const all = { ids: [...this.#rows.keys()], matrix: Float32Array.from([...this.#rows.values()].flatMap((one) => [...one])), count: this.#rows.size, dim: DIM };
    return oracle(all, query, K);
  }

  get count() {
    return this.#rows.size;
  }
}

async function pagevec(...args) {
  return JSON.parse((await promisify(execFile)(cli, [...args, "--json"])).stdout);
}

const server = skip ? undefined : spawn(cli, ["serve", place, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const base = server && (await new Promise((resolve) => server.stdout.once("data", (data) => resolve(/http:\S+\//.exec(String(data))[0]))));
after(async () => {
  server?.kill();
  if (place) await rm(place, { recursive: true });
});

/** Queries near rows of each writing. */
const queries = [3, 1905, 1990, 2085, 2180].map(row);
const search = async (index, query) => (await index.search(query, { k: K, index: "flat" })).map(({ id }) => id);
const all = (index) => Promise.all(queries.map((query) => search(index, query)));

for (const form of [[], ["--parts"], ["--parts=only"]]) {
  const told = form[0] ?? "one file";
  for (const from of ["http", "path"]) {
    test(`${told}, by ${from}: open before and after two appends, a merge and a prune`, { skip }, async () => {
      const folder = join(place, `index${form.join()}-${from}`);
      const source = from === "http" ? `${base}index${form.join()}-${from}/` : folder;
      const rows = new Rows();
      const wanted = () => queries.map((query) => rows.nearest(query));
      /** Each with the hits of its time. */
      const opened = [];
      const reopen = async (segments) => {
        const index = await open(source);
        assert.deepEqual([index.info.segments.length, index.info.count], [segments, rows.count]);
        assert.deepEqual(await all(index), wanted());
        opened.push({ index, hits: wanted() });
      };
      const check = async () => {
        for (const { index, hits } of opened) assert.deepEqual(await all(index), hits, "it answers as when it was opened");
      };

      await pagevec("build", await rows.write(0, 2000), "--codec", "f32", ...form, "-o", folder);
      await reopen(1);
      const second = await pagevec("build", await rows.write(1950, 100, 2000), "--append", "-o", folder);
      assert.deepEqual([second.rows, second.replaced, second.index_rows], [100, 50, 2050]);
      await check();
      await reopen(2);
      const third = await pagevec("build", await rows.write(2040, 110, 2100), "--append", "-o", folder);
      assert.deepEqual([third.segments, third.replaced, third.index_rows], [3, 10, 2150]);
      await check();
      await reopen(3);
      await rejected(open(source, { expect: { generation: third.generation + 1 } }), "stale");

      // One that has read nothing but what opening reads.
      const cold = await open(source);
      const merged = await pagevec("merge", folder);
      assert.deepEqual([merged.merged, merged.dropped, merged.rows], [3, 60, 2150]);
      await check();
      await reopen(1);
      assert.equal(opened.at(-1).index.info.generation, merged.generation);

      const { old_segments: removed } = await pagevec("merge", folder, "--prune");
      assert.ok(removed.length >= 5, "three segments and the dead rows of two");
      const error = await cold.search(row(77), { index: "clusters" }).then(() => undefined, (thrown) => thrown);
      if (error) {
        assert.ok(error instanceof PagevecError);
        assert.equal(error.code, "stale", error.message);
        assert.match(error.message, /not there any more.*[Oo]pen the index again/);
        assert.equal(error.cause.code, "not-found");
      }
      // Whoever serves over HTTP has removed them; an open file is there until it is closed.
      assert.equal(error !== undefined, from === "http" || form[0] === "--parts=only");
      await cold.close();
      await reopen(1);
      await Promise.all(opened.map(({ index }) => index.close()));
    });
  }
}

test("an append while an index is opened again and again is seen whole or not at all", { skip }, async () => {
  const folder = join(place, "busy");
  const rows = new Rows();
  await pagevec("build", await rows.write(0, 400), "-o", folder);
  const counts = new Set([rows.count]);
  const appends = [];
  for (let i = 0; i < 4; i++) {
    appends.push(await rows.write(390 + 20 * i, 30, 500 + 30 * i));
    counts.add(rows.count);
  }
  let busy = true;
  const writing = (async () => {
    for (const path of appends) await pagevec("build", path, "--append", "-o", folder);
  })().finally(() => (busy = false));
  let opens = 0;
  while (busy) {
    const index = await open(`${base}busy/`);
    assert.ok(counts.has(index.info.count), `${index.info.count} rows`);
    assert.equal((await index.search(row(7), { k: 3 })).length, 3);
    await index.close();
    opens += 1;
  }
  await writing;
  const index = await open(`${base}busy/`);
  assert.deepEqual([index.info.count, index.info.segments.length], [rows.count, 5]);
  await index.close();
  assert.ok(opens > 1, `${opens} opens`);
  const { generation } = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
  assert.equal(index.info.generation, generation);
});
