// A program is killed (SIGKILL) while it writes to a collection in its folder, and the next one opens it: every row that was acknowledged
// is there, whole, and is found. The program prints each batch once its promise has resolved. PAGEVEC_KILLS sets how often.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { openCollection } from "pagevec/collection";

const KILLS = Number(process.env.PAGEVEC_KILLS ?? 10);
const folder = mkdtempSync(join(tmpdir(), "pagevec-killed-"));
after(() => rmSync(folder, { recursive: true }));

/** Flushes and merges happen often. Not each batch has as many rows. */
const OPTIONS = { dim: 16, ids: "number", flush: { rows: 400 } };
/** Far from that of other rows. */
const vector = (n) => Array.from({ length: 16 }, (_, i) => {
  const x = Math.imul((n * 16 + i + 1) ^ 0x5bf03635, 0x9e3779b1);
  return (Math.imul(x ^ (x >>> 15), 0x85ebca6b) >>> 8) / 2 ** 23 - 1;
});
const WRITER = `
import { openCollection } from "pagevec/collection";
import { writeSync } from "node:fs";
const vector = ${vector};
const notes = await openCollection(process.argv[2], ${JSON.stringify(OPTIONS)});
for (let n = Number(process.argv[3]), batch = 1; ; n += batch, batch = 1 + (n * 7) % 40) {
  await notes.upsert(Array.from({ length: batch }, (_, i) => ({ id: n + i, vector: vector(n + i), fields: { n: n + i } })));
  writeSync(1, n + batch + "\\n");
}
`;

/** Writes rows from `from` on until `more` are acknowledged, and is killed; gives how many were by then. */
async function writeAndKill(from, more) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, "-", folder, String(from)], { cwd: new URL(".", import.meta.url), stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  let acked = from;
  for await (const line of createInterface({ input: child.stdout })) {
    acked = Math.max(acked, Number(line));
    if (acked >= from + more) child.kill("SIGKILL"); // what it printed before it ended is read too
  }
  assert.deepEqual((await ended)[1], "SIGKILL");
  return acked;
}

let acked = 0;
for (let kill = 1; kill <= KILLS; kill++) {
  test(`after ${kill} ${kill === 1 ? "kill" : "kills"} all acknowledged rows are there`, { timeout: 55_000 }, async (t) => {
    acked = await writeAndKill(acked, 300 + ((kill * 997) % 600));
    const notes = await openCollection(folder, { create: false });
    const rows = await notes.get(Array.from({ length: acked }, (_, n) => n));
    assert.deepEqual(rows.flatMap((row, n) => (row?.fields.n === n ? [] : [n])), []);
    for (let i = 0; i < 20; i++) {
      const n = Math.floor(((i + 0.5) * acked) / 20);
      assert.equal((await notes.search(vector(n), { k: 1, index: "flat" }))[0].id, n);
    }
    t.diagnostic(`${notes.count} rows in ${notes.stats().segments} segments, ${acked} acknowledged`);
    await notes.close();
  });
}
