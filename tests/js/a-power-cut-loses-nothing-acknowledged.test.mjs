// A host over a folder that loses power at every operation of a workload: what was acknowledged is there, a batch is there whole or not at
// all, and opening after a crash may crash too. PAGEVEC_CRASHES sets how many power cuts there are; each leaves two folders that are
// opened. A failure prints its seed.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Collection, merge } from "./support/collection-engine.mjs";
import { CrashFolder, random } from "./support/crash-folder.mjs";
import { internal } from "./support/internal.mjs";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const { Host } = skip ? {} : await internal("collection/host/host.js");
const CRASHES = Number(process.env.PAGEVEC_CRASHES ?? 5000);
/** A test runs so many of them. */
const A_TEST = 500;
/** Crashed folders a workload. */
const EACH = 200;
const BATCH = 3;

const settings = { name: "x", dim: 2, create: true, readOnly: false, degraded: false, durability: "strict", memory: false, flush: { rows: 60, bytes: 16_384 } };
const none = () => {};
const inJs = { Collection, merge };
/** The WebAssembly module: one instance serves all hosts. */
const inWasm = skip ? {} : await (await internal("collection/host/glue.js")).start(await WebAssembly.compile(await readFile(join(root, "pkg/wasm/collection/pagevec_wasm_bg.wasm"))));

/** A host over a folder, which calls the class of `glue`. */
async function hosted(dir, glue, more = {}) {
  const place = { start: () => ({ load: none, instantiate: async () => glue }), openStorage: async () => ({ dir, persistent: true }) };
  const host = await Host.open(place, { ...settings, ...more }, none);
  let last = 0;
  const client = BigInt(Math.floor(Math.random() * 2 ** 50) + 1);
  const signal = new AbortController().signal;
  const call = (call) => host.call(call, { client, request: ++last }, signal, none);
  const upsert = (batch) => {
    const ids = Array.from({ length: BATCH }, (_, i) => batch * 10 + i);
    return call({ call: "upsert", ids, vectors: Float32Array.from(ids.flatMap((id) => [1, id])), fields: ids.map((id) => JSON.stringify({ id })) });
  };
  const batches = async () => new Map(Object.entries(Object.groupBy?.(await call({ call: "ids", after: null, limit: 1e6 }), (id) => Math.floor(id / 10)) ?? group(await call({ call: "ids", after: null, limit: 1e6 }))));
  return { host, call, upsert, batches };
}

function group(ids) {
  const groups = {};
  for (const id of ids) (groups[Math.floor(id / 10)] ??= []).push(id);
  return groups;
}

/** Runs a workload, and opens folders as power cuts at its operations leave them. Returns how many, or throws with the seed. */
async function campaign(seed, crashes, glue) {
  const below = random(seed);
  const dir = new CrashFolder();
  /** Batches that were acknowledged: whether they are there; those under way are in neither. */
  const acked = new Map();
  const cuts = [];
  let operations = 0;
  const every = 1 + below(4);
  const { host, call, upsert } = await hosted(dir, glue);
  dir.onOperation = () => {
    operations += 1;
    if (operations % every === 0 && cuts.length < crashes) cuts.push([seed * 100_003 + operations, dir.crash(seed * 100_003 + operations), new Map(acked)]);
  };
  for (let n = 1; cuts.length < crashes && n < 400; n++) {
    const what = below(10);
    if (what < 6) await Promise.all(Array.from({ length: 1 + below(3) }, (_, i) => upsert(n + 1000 * i).then(() => acked.set(n + 1000 * i, true))));
    else if (what < 8 && n > 1) {
      const gone = 1 + below(n - 1);
      acked.delete(gone);
      await call({ call: "delete", ids: Array.from({ length: BATCH }, (_, i) => gone * 10 + i) });
      acked.set(gone, false);
    } else if (what === 8) await call({ call: "flush" });
    else await call({ call: "compact" });
  }
  dir.onOperation = none;
  await host.close();
  for (const [cut, folder, then] of cuts) await check(cut, folder, then, glue);
  return cuts.length;
}

/** Opens a crashed folder, crashes that opening as well, and looks at what is there. */
async function check(seed, folder, acked, glue) {
  const where = `PAGEVEC_CRASHES, seed ${seed}`;
  const again = folder.crash(seed + 1);
  let found = [];
  for (const one of [folder, again]) {
    const opened = await hosted(one, glue, { create: false }).catch((error) => assert.fail(`${where}: ${error.message}`));
    const batches = await opened.batches();
    for (const [batch, ids] of batches) assert.equal(ids.length, BATCH, `${where}: half of batch ${batch}`);
    for (const [batch, there] of acked) assert.equal(batches.has(String(batch)), there, `${where}: batch ${batch}`);
    await opened.upsert(99_999);
    await opened.host.close();
    found.push(batches.size);
    const reopened = await hosted(one, glue, { create: false });
    assert.equal((await reopened.batches()).has("99999"), true, where);
    await reopened.host.close();
  }
  assert.equal(found[0], found[1], `${where}: opening it changed what is there`);
}

for (const [name, glue, all] of [["the module", inWasm, CRASHES], ["a class in JS", inJs, Math.min(CRASHES, A_TEST)]]) {
  for (let done = 0; done < all; done += A_TEST) {
    test(`${name}: power cuts from ${done} on`, { skip, timeout: 600_000 }, async (t) => {
      const wanted = Math.min(A_TEST, all - done);
      const from = performance.now();
      let crashes = 0;
      for (let seed = 1 + done; crashes < wanted; seed++) crashes += await campaign(seed, Math.min(EACH, wanted - crashes), glue);
      t.diagnostic(`${2 * crashes} folders in ${((performance.now() - from) / 1000).toFixed(1)} s`);
    });
  }
}

test("a power cut while it is made leaves nothing, or a collection", { skip, timeout: 60_000 }, async () => {
  let operations = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const dir = new CrashFolder();
    const cuts = [];
    dir.onOperation = () => cuts.push(dir.crash(seed * 1000 + cuts.length));
    const { host } = await hosted(dir, inJs);
    dir.onOperation = none;
    operations = cuts.length;
    await host.close();
    for (const cut of cuts) {
      const made = await hosted(cut, inJs).catch((error) => assert.fail(`seed ${seed}: ${error.message}`));
      await made.upsert(1);
      await made.host.close();
    }
  }
  assert.ok(operations >= 5, `${operations} operations`);
});

test("a sync of the log that is left out is noticed", { skip, timeout: 60_000 }, async () => {
  const wrong = { ...inWasm, Collection: { open: (...given) => Object.assign(inWasm.Collection.open(...given), { sync: none }) } };
  let noticed;
  for (let seed = 1; seed < 20 && !noticed; seed++) await campaign(seed, 100, wrong).catch((error) => (noticed = error));
  assert.match(noticed?.message ?? "nothing", /seed \d+: batch \d+/);
});
