// A host over files that fail: a write that failed is an error, reads go on, the next write opens the collection again over what is there,
// and nothing that was acknowledged is lost. Writes that wait together share a sync. Files that refuse to go are tried again.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test as one } from "node:test";
import { instantiate as inJs } from "./support/collection-engine.mjs";
import { internal } from "./support/internal.mjs";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const module = skip ? undefined : await WebAssembly.compile(await readFile(join(root, "pkg/wasm/collection/pagevec_wasm_bg.wasm")));
const inWasm = async () => (await internal("collection/host/glue.js")).start(module);
/** Makes what a test is about: the module, or a class in JS with the same calls. */
let instantiate;

/** A test of both. */
function test(name, options, run) {
  for (const [what, make] of Object.entries({ "the module": inWasm, "a class in JS": inJs })) {
    one(`${what}: ${name}`, options, (t) => {
      instantiate = make;
      return run(t);
    });
  }
}

const { Host } = skip ? {} : await internal("collection/host/host.js");
const { MemoryDir } = skip ? {} : await internal("collection/dirs/memory.js");
const { dirError, full } = skip ? {} : await internal("collection/dirs/dir.js");

/** A folder in memory that counts, and fails where it is told to. */
class FaultyDir extends (MemoryDir ?? Object) {
  counts = { write: 0, flush: 0, open: 0 };
  /** Called with the operation and the name of the file before it; throws to fail. */
  fault = () => {};

  open(name, access) {
    this.counts.open += 1;
    this.fault("open", name);
    const file = super.open(name, access);
    for (const call of ["write", "flush"]) {
      const own = file[call].bind(file);
      file[call] = (...given) => {
        this.counts[call] += 1;
        this.fault(call, name, (bytes) => own(bytes, given[1]), given);
        return own(...given);
      };
    }
    return file;
  }

  remove(name) {
    this.fault("remove", name);
    super.remove(name);
  }
}

const vector = (n) => Float32Array.of(1, n, n * n, Math.sin(n));
const settings = { name: "x", dim: 4, create: true, readOnly: false, durability: "strict", memory: false };
const none = () => {};

async function hosted(t, dir = new FaultyDir(), more = {}) {
  const events = [];
  const glue = more.glue ?? (await instantiate());
  const place = { start: () => ({ load: none, instantiate: async () => glue }), openStorage: async () => ({ dir, persistent: true, elsewhere: more.elsewhere }) };
  const host = await Host.open(place, { ...settings, ...more.settings }, (event) => events.push(event));
  t.after(() => host.close().catch(none));
  let last = more.from ?? 0;
  const call = (call, origin = { client: 1n, request: ++last }, signal = new AbortController().signal) => host.call(call, origin, signal, none);
  const upsert = (...ids) => call({ call: "upsert", ids, vectors: Float32Array.from(ids.flatMap((n) => [...vector(n)])), fields: null });
  const ids = () => call({ call: "ids", after: null, limit: 1e6 });
  return { host, dir, call, upsert, ids, events };
}

for (const [name, error, code] of [
  ["a full disk", () => full("wal-0"), "quota"],
  ["a broken disk", () => dirError("other", "wal-0: it broke"), "io"],
]) {
  for (const operation of ["write", "flush"]) {
    test(`${name} at a ${operation}: an error, reads go on, and the next write is fine`, { skip }, async (t) => {
      const { dir, upsert, ids, call, events } = await hosted(t);
      await upsert(1, 2);
      let fail = true;
      dir.fault = (what, file, write, given) => {
        if (!fail || what !== operation || !file.startsWith("wal-")) return;
        // Half of it arrives.
        if (what === "write") write(given[0].subarray(0, given[0].length >> 1));
        throw error();
      };
      await assert.rejects(upsert(3), { code, message: /do it again|room|broke/ });
      const found = await ids();
      assert.ok(found.includes(1) && found.includes(2));
      assert.equal((await call({ call: "search", queries: vector(2), request: { k: 1 } }))[0][0].id, 2);
      await assert.rejects(upsert(4), { code });
      fail = false;
      await upsert(5);
      const now = await ids();
      assert.deepEqual(now.filter((id) => ![3, 4].includes(id)), [1, 2, 5]);
      const told = events.filter(({ event }) => event === "change").flatMap(({ detail }) => detail.upserted);
      assert.deepEqual(told, [1, 2, 5], "only what is durable is told");
      const again = await hosted(t, dir, { from: 100 });
      assert.deepEqual((await again.ids()).filter((id) => ![3, 4].includes(id)), [1, 2, 5]);
    });
  }
}

test("every operation of a workload fails once: what was acknowledged is there afterwards", { skip }, async (t) => {
  let operations = 0;
  for (let failing = 1; failing <= (operations || 1); failing++) {
    const dir = new FaultyDir();
    const { host, upsert, call } = await hosted(t, dir);
    const acked = new Map();
    let seen = 0;
    dir.fault = (what) => {
      if (what === "remove") return;
      seen += 1;
      if (seen === failing) throw dirError("other", `operation ${seen} (${what})`);
    };
    for (let n = 0; n < 12; n++) {
      await upsert(n, n + 100).then(() => acked.set(n, true), () => acked.delete(n));
      if (n % 4 === 3) await call({ call: "flush" }).catch(none);
      if (n === 9) await call({ call: "delete", ids: [0] }).then(() => acked.set(0, false), () => acked.delete(0));
    }
    dir.fault = none;
    operations = Math.max(operations, seen);
    await host.close().catch(none);
    const again = await hosted(t, dir, { from: 100 });
    const found = new Set(await again.ids());
    for (const [n, there] of acked) assert.equal(found.has(n), there, `row ${n} after operation ${failing} failed`);
    await again.host.close();
  }
  assert.ok(operations > 30, `${operations} operations`);
});

test("writes that wait together are written and synced once, and each is refused alone", { skip }, async (t) => {
  const { dir, call, upsert, ids } = await hosted(t);
  const before = dir.counts.flush;
  const bad = { call: "upsert", ids: [7], vectors: new Float32Array(3), fields: null };
  const [refused, ...others] = await Promise.allSettled([call(bad), ...Array.from({ length: 40 }, (_, n) => upsert(n))]);
  assert.equal(refused.reason.code, "dimension");
  assert.ok(others.every(({ status }) => status === "fulfilled"));
  assert.equal((await ids()).length, 40);
  assert.ok(dir.counts.flush - before <= 4, `${dir.counts.flush - before} syncs`);
});

test("a request that is sent again is applied once, also by a later host", { skip }, async (t) => {
  const { host, dir, call, ids } = await hosted(t);
  const put = (n) => ({ call: "upsert", ids: [n], vectors: vector(n), fields: null });
  await call(put(1), { client: 5n, request: 10 });
  await call({ call: "delete", ids: [1] }, { client: 6n, request: 1 });
  await call(put(1), { client: 5n, request: 10 });
  assert.deepEqual(await ids(), []);
  await host.close();
  const again = await hosted(t, dir, { from: 100 });
  await again.call(put(1), { client: 5n, request: 10 });
  assert.deepEqual(await again.ids(), []);
  await again.call(put(2), { client: 5n, request: 12 });
  assert.deepEqual(await again.ids(), [2]);
});

test("a merge that fails is told by stats, leaves nothing behind, and compact() does it again", { skip }, async (t) => {
  let fail = true;
  const glue = await instantiate();
  const elsewhere = async () => {
    throw dirError("other", "the thread broke");
  };
  const { dir, upsert, call, host } = await hosted(t, undefined, { glue: { ...glue, merge: (...given) => (fail ? elsewhere() : glue.merge(...given)) }, elsewhere: undefined });
  for (let n = 0; n < 3; n++) {
    await upsert(n);
    await call({ call: "flush" });
  }
  dir.fault = (what, name) => {
    if (fail && what === "write" && name.startsWith("seg-")) throw full(name);
  };
  const broken = await call({ call: "compact" }).catch((error) => error);
  assert.ok(broken.code, "compact() says why");
  fail = false;
  await call({ call: "compact" });
  assert.equal(host.state.segments, 1);
  assert.equal(host.state.failed, undefined);
});

test("a file that refuses to go is tried again, and is no error", { skip }, async (t) => {
  const { dir, upsert, call } = await hosted(t);
  for (let n = 0; n < 2; n++) {
    await upsert(n);
    await call({ call: "flush" });
  }
  let refuse = true;
  const segments = () => dir.list().filter(({ name }) => name.startsWith("seg-")).length;
  dir.fault = (what, name) => {
    if (what === "remove" && refuse && dir.list().some((one) => one.name === name)) throw dirError("would-block", `${name} is open elsewhere`);
  };
  await call({ call: "compact" });
  assert.ok(segments() > 1, "its inputs are still there");
  refuse = false;
  for (let n = 5; segments() > 1 && n < 50; n++) {
    await upsert(n);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(segments(), 1);
});

test("after a trap a new instance opens what is there", { skip }, async (t) => {
  const glue = await instantiate();
  let instances = 0;
  let trap = false;
  const trapping = () => {
    instances += 1;
    return {
      ...glue,
      Collection: { open: (...given) => new Proxy(glue.Collection.open(...given), {
        get: (target, name) => (...args) => {
          if (trap && name === "search") throw new WebAssembly.RuntimeError("unreachable");
          return target[name](...args);
        },
      }) },
    };
  };
  const dir = new FaultyDir();
  const place = { start: () => ({ load: none, instantiate: async () => trapping() }), openStorage: async () => ({ dir, persistent: true }) };
  const host = await Host.open(place, settings, none);
  t.after(() => host.close());
  const call = (what, request) => host.call(what, { client: 1n, request }, new AbortController().signal, none);
  await call({ call: "upsert", ids: [1], vectors: vector(1), fields: null }, 1);
  trap = true;
  await assert.rejects(call({ call: "search", queries: vector(1), request: { k: 1 } }, 2), { code: "trapped" });
  trap = false;
  assert.equal((await call({ call: "search", queries: vector(1), request: { k: 1 } }, 3))[0][0].id, 1);
  await call({ call: "upsert", ids: [2], vectors: vector(2), fields: null }, 4);
  assert.deepEqual([instances, host.state.count], [2, 2]);
});
