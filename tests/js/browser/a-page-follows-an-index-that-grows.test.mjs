// A page that stays open while the command line appends to the folder that `pagevec serve` serves, merges it and prunes it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { oracle, smooth } from "../support/fixture.mjs";

const { PAGEVEC_CLI: cli } = process.env;
const skip = !cli && "PAGEVEC_CLI is not set";
const DIM = 24;
const matrix = smooth(2100, DIM, 9);
const row = (i) => [...matrix.subarray(i * DIM, (i + 1) * DIM)];
const queries = [3, 1960, 2040, 2095].map(row);

/** The ids of the nearest rows, where the vector of `word-<id>` is the row `vector`. */
function nearest(live) {
  const rows = [...live];
  const all = { ids: rows.map(([id]) => `word-${id}`), matrix: Float32Array.from(rows.flatMap(([, vector]) => row(vector))), count: rows.length, dim: DIM };
  return queries.map((query) => oracle(all, query, 5));
}

for (const form of [[], ["--parts=only"]]) {
  test(`${form[0] ?? "one file"}: the open index goes on or says stale, a new one has the new rows`, { skip }, async (t) => {
    const place = await mkdtemp(join(tmpdir(), "pagevec-"));
    const run = (...args) => promisify(execFile)(cli, args);
    const lines = async (pairs) => {
      const path = join(place, "rows.jsonl");
      await writeFile(path, pairs.map(([id, vector]) => `${JSON.stringify({ id: `word-${id}`, vector: row(vector) })}\n`).join(""));
      return path;
    };
    const live = new Map(Array.from({ length: 2000 }, (_, i) => [i, i]));
    const more = Array.from({ length: 100 }, (_, i) => [1950 + i, 2000 + i]);
    const index = join(place, "words");
    await run("build", await lines([...live]), "--codec", "f32", ...form, "-o", index);

    const server = spawn(cli, ["serve", place, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const host = await new Promise((resolve) => server.stdout.once("data", (data) => resolve(/http:\S+\//.exec(String(data))[0])));
    const pages = await site(pageOf(`
      const { open } = await import(${JSON.stringify(entry)});
      window.indexes = [];
      window.reopen = async () => {
        const index = await open(${JSON.stringify(`${host}words/`)}, { cache: false });
        return { at: window.indexes.push(index) - 1, count: index.info.count, segments: index.info.segments.length };
      };
      window.search = async (at, queries, options) => {
        const hits = [];
        for (const query of queries) hits.push((await window.indexes[at].search(query, options)).map(({ id }) => id));
        return hits;
      };
      return "ready";`));
    const browser = await launch();
    t.after(async () => {
      server.kill();
      await Promise.all([browser.close(), pages.close(), rm(place, { recursive: true })]);
    });
    const { page } = await visit(browser, `${pages.url}/`);
    assert.equal(await result(page), "ready");
    const reopen = () => page.evaluate(() => window.reopen());
    const search = (at, asked = queries, options = { k: 5, index: "flat" }) => page.evaluate(([at, asked, options]) => window.search(at, asked, options).catch(({ code, message }) => ({ code, message })), [at, asked, options]);

    const before = nearest(live);
    assert.deepEqual(await reopen(), { at: 0, count: 2000, segments: 1 });
    assert.deepEqual(await search(0), before);
    await run("build", await lines(more), "--append", "-o", index);
    more.forEach(([id, vector]) => live.set(id, vector));
    assert.deepEqual(await search(0), before, "the open index is as it was");
    assert.deepEqual(await reopen(), { at: 1, count: 2050, segments: 2 });
    assert.deepEqual(await search(1), nearest(live));

    const { at: cold } = await reopen();
    await run("merge", index);
    assert.deepEqual([await search(0), await search(1)], [before, nearest(live)]);
    await run("merge", index, "--prune");
    const { code, message } = await search(cold, [row(77)], { k: 5, index: "clusters" });
    assert.equal(code, "stale", message);
    assert.match(message, /Open the index again/);
    assert.deepEqual(await reopen(), { at: 3, count: 2050, segments: 1 });
    assert.deepEqual(await search(3), nearest(live));
  });
}
