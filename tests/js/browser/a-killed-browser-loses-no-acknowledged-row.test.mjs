// A browser is killed (SIGKILL, all its processes at once) while a page writes to a collection, and started again with the same profile:
// every row that was acknowledged is there, whole, and is found; and it goes on. The page tells the test of each batch once its promise
// has resolved. PAGEVEC_KILLS sets how often each browser is killed.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { programOf, startBrowser } from "../../packaging/harness/browsers.mjs";
import { site } from "../support/browser.mjs";
import { until } from "../support/until.mjs";

const KILLS = Number(process.env.PAGEVEC_KILLS ?? 10);

/** Rows come in batches of several sizes; flushes and merges happen often. A row is of its number, and so is its batch. */
const PAGE = `
import { openCollection } from "/pagevec/dist/collection.js";
const tell = (what, value) => fetch("/told?" + new URLSearchParams({ what, value: JSON.stringify(value) }));
// Far from those of other rows.
const vector = (n) => Array.from({ length: 16 }, (_, i) => { const x = Math.imul((n * 16 + i + 1) ^ 0x5bf03635, 0x9e3779b1); return (Math.imul(x ^ (x >>> 15), 0x85ebca6b) >>> 8) / 2 ** 23 - 1; });
const item = (n) => ({ id: n, vector: vector(n), fields: { n } });
const run = async () => {
  const acked = Number(new URLSearchParams(location.search).get("acked"));
  const notes = await openCollection("killed", { dim: 16, ids: "number", flush: { rows: 400 } });
  const missing = [];
  for (let from = 0; from < acked; from += 500) {
    const ids = Array.from({ length: Math.min(500, acked - from) }, (_, i) => from + i);
    (await notes.get(ids)).forEach((row, i) => row?.fields.n === ids[i] || missing.push(ids[i]));
  }
  const some = Array.from({ length: Math.min(acked, 20) }, (_, i) => Math.floor((i + 0.5) * acked / 20));
  const found = await Promise.all(some.map(async (n) => (await notes.search(vector(n), { k: 1, index: "flat" }))[0]?.id));
  const { persistent, segments } = notes.stats();
  await tell("opened", { count: notes.count, missing, lost: some.filter((n, i) => found[i] !== n), persistent, segments });
  // Rows behind the last one that was acknowledged may be there or not: they are written again.
  for (let n = acked, batch = 1; ; n += batch, batch = 1 + (n * 7) % 40) {
    await notes.upsert(Array.from({ length: batch }, (_, i) => item(n + i)));
    void tell("acked", n + batch);
  }
};
run().catch((error) => tell("failed", error.code + ": " + error.message));
`;

/** The last of each thing that a page told. */
const told = {};
const host = await site({
  "/": { body: '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>' },
  "/main.js": { body: PAGE, type: "text/javascript" },
  get "/told"() {
    const { url } = host.log.at(-1);
    const { what, value } = Object.fromEntries(new URL(url, host.url).searchParams);
    told[what] = what === "acked" ? Math.max(told.acked ?? 0, JSON.parse(value)) : JSON.parse(value);
    return { body: "" };
  },
});
after(() => host.close());

for (const kind of ["chromium", "firefox"]) {
  const program = await programOf(kind);
  describe(kind, { skip: !program && `there is no ${kind} on this machine` }, () => {
    let profile;
    let acked = 0;
    after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));

    for (let kill = 0; kill <= KILLS; kill++) {
      test(kill === 0 ? "it begins" : `after ${kill} ${kill === 1 ? "kill" : "kills"} all acknowledged rows are there`, { timeout: 55_000 }, async (t) => {
        profile ??= await mkdtemp(join(tmpdir(), "pagevec-killed-"));
        Object.assign(told, { opened: undefined, failed: undefined, acked });
        const browser = await startBrowser({ kind, program }, profile, `${host.url}/?acked=${acked}`);
        try {
          await until(() => told.opened || told.failed, 40_000);
          assert.equal(told.failed, undefined);
          const { count, missing, lost, persistent, segments } = told.opened;
          assert.deepEqual([missing, lost, persistent], [[], [], true]);
          assert.ok(count >= acked, `${count} rows, ${acked} were acknowledged`);
          t.diagnostic(`${count} rows in ${segments} segments, ${acked} acknowledged`);
          // Not always at the same moment of a batch.
          const more = acked + 300 + ((kill * 997) % 600);
          await until(() => told.acked > more || told.failed, 40_000);
          assert.equal(told.failed, undefined);
        } finally {
          await browser.stop();
        }
        ({ acked } = told);
      });
    }
  });
}
