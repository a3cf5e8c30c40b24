// Wherever the power fails, a collection in the origin private file system opens with every write that was acknowledged, each batch whole
// or not at all: the WebAssembly module over handles of which what was not flushed is lost, torn, or happens in another order. It is the
// twin of tests/a_crash_loses_no_acknowledged_write.rs. PAGEVEC_CRASH_IMAGES is how many images to try, PAGEVEC_CRASH_SEED the first
// round of them; a failure prints its round.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { internal } from "./support/internal.mjs";
import { Disk, Folder, LOSSES, random } from "./support/opfs-that-crashes.mjs";

const skip = !process.env.PAGEVEC_ROOT && "PAGEVEC_ROOT is not set";
const IMAGES = Number(process.env.PAGEVEC_CRASH_IMAGES ?? 10_000);
const FIRST = Number(process.env.PAGEVEC_CRASH_SEED ?? 0);
/** A test must end within a minute. */
const PARTS = 5;
/** One of so many images lives on, and is crashed again. */
const AGAIN = 401;
const IDS = 24;
const DIM = 2;
const OPTIONS = { dim: DIM, metric: "l2", codec: "f32", create: true, durability: "relaxed", flush: { rows: 13, bytes: 10 << 10 } };

const { OpfsDir } = skip ? {} : await internal("collection/dirs/opfs.js");
const { instantiate } = skip ? {} : await import(join(process.env.PAGEVEC_ROOT, "pkg/wasm/collection/instance.js"));
const glue = skip ? {} : await instantiate(new WebAssembly.Module(readFileSync(join(process.env.PAGEVEC_ROOT, "pkg/wasm/collection/pagevec_wasm_bg.wasm"))));

async function opened(folder) {
  const dir = await OpfsDir.open(folder, 0);
  try {
    return { dir, core: glue.Collection.open(dir, JSON.stringify(OPTIONS), 1) };
  } catch (error) {
    dir.close();
    throw error;
  }
}

function closed({ dir, core }) {
  core.close();
  core.free();
  dir.close();
}

/** What the host does between groups of calls. */
async function arranged({ dir, core }) {
  await dir.prepare(JSON.parse(core.next_files()));
  for (const name of JSON.parse(core.unused_files())) {
    await dir.discard(name);
    core.forgotten(name);
  }
}

/** Ids with their vectors: the first component of each. */
function rowsOf(core) {
  const ids = JSON.parse(core.ids(null, 1000));
  const [{ hits }] = JSON.parse(core.search(Float32Array.of(0, 1), JSON.stringify({ k: 1000 })));
  assert.deepEqual(hits.map(({ id }) => id).sort((a, b) => a - b), ids, "the hits are all rows, each once");
  const { vectors } = core.get(Float64Array.from(ids), true, false);
  return new Map(ids.map((id, i) => [id, vectors[i * DIM]]));
}

const textOf = (rows) => JSON.stringify([...rows].sort((a, b) => a[0] - b[0]));

/** A life of a collection: what was written, and what was acknowledged when. */
class Life {
  /** The states that may be found, by sequence: one after each batch. */
  states;
  /** After so many operations of the folder, so many of the collection are durable. */
  acknowledged = [];

  constructor(start, states) {
    this.start = start;
    this.states = states;
    this.folder = new Folder(start);
  }

  async live(next, steps) {
    const below = (most) => Math.floor(next() * most);
    const open = await opened(this.folder);
    const { dir, core } = open;
    await arranged(open);
    let { sequence } = JSON.parse(core.stats());
    const rows = new Map(this.states.get(sequence));
    let request = 0n;
    const write = (call) => {
      const written = JSON.parse(call());
      sequence = written.sequence;
      this.states.set(sequence, new Map(rows));
    };
    for (let step = 0; step < steps; step++) {
      const kind = below(12);
      if (kind < 6) {
        // Some batches together, of which each is whole or not there.
        for (let batch = below(3); batch >= 0; batch--) {
          const ids = Float64Array.from({ length: below(7) + 1 }, () => below(IDS));
          const vectors = new Float32Array(ids.length * DIM);
          ids.forEach((id, i) => {
            vectors.set([1 + step * 8 + i + below(9) * 0.125, 1], i * DIM);
            rows.set(id, vectors[i * DIM]);
          });
          write(() => core.upsert(ids, vectors, null, 1n + BigInt(steps), ++request));
        }
      } else if (kind < 8) {
        if (sequence === 0) continue;
        const ids = Float64Array.from({ length: below(3) + 1 }, () => below(IDS));
        for (const id of ids) rows.delete(id);
        write(() => core.delete(ids, 1n + BigInt(steps), ++request));
      } else if (kind === 8) {
        core.flush();
      } else {
        await this.#merge(open, kind === 9);
      }
      core.sync();
      this.acknowledged.push([this.folder.operations.length, sequence]);
      await arranged(open);
    }
    assert.equal(textOf(rowsOf(core)), textOf(rows), "before any crash");
    closed(open);
  }

  /** As the worker that merges does, which has only the files. */
  async #merge({ dir, core }, all) {
    const text = core.plan(all);
    if (!text) return;
    const { id, inputs, output } = JSON.parse(text);
    const sources = inputs.map((name) => dir.open(name, "read")).map((file) => ({ length: file.length(), read: file.read.bind(file) }));
    const file = await OpfsDir.create(this.folder, output);
    const length = glue.merge(core.job(id), sources, file);
    file.close();
    await dir.adopt(output);
    core.commit(id, output, length);
  }

  /** Every operation is followed by a crash of each kind. Gives what is wrong; undefined: nothing. */
  async violation(seed, look, deaf = false) {
    const disk = new Disk(this.start);
    const { operations } = this.folder;
    for (let at = 0; at <= operations.length; at++) {
      if (at > 0) disk.apply(operations[at - 1], deaf);
      const durable = this.acknowledged.reduce((most, [after, sequence]) => (after <= at ? Math.max(most, sequence) : most), 0);
      for (const loss of LOSSES) {
        for (let i = 0; i < (loss === "nothing" || loss === "everything" ? 1 : 2); i++) {
          const image = disk.crash(loss, random((seed * 2 + i) * 7919 + at));
          const { wrong, sequence } = await this.#check(image, durable);
          if (wrong) return `${wrong}; ${loss} is lost after operation ${at} of ${operations.length}, PAGEVEC_CRASH_SEED=${seed}`;
          await look(image, sequence);
        }
      }
    }
  }

  /** Opens an image. It must have a state that was written, no older than what was acknowledged. */
  async #check(image, durable) {
    let open;
    try {
      open = await opened(new Folder(image));
    } catch (error) {
      return { wrong: `it does not open: ${error.code} ${error.message}` };
    }
    const { sequence } = JSON.parse(open.core.stats());
    const found = textOf(rowsOf(open.core));
    closed(open);
    const rows = this.states.get(sequence);
    if (!rows) return { wrong: `half a batch: ${sequence}` };
    if (sequence < durable) return { wrong: `${durable} operations were acknowledged, ${sequence} are there` };
    if (found !== textOf(rows)) return { wrong: `after ${sequence} operations ${found} in place of ${textOf(rows)}` };
    return { sequence };
  }
}

const newLife = () => new Life(new Map(), new Map([[0, new Map()]]));

for (let part = 0; part < PARTS; part++) {
  test(`wherever the power fails, what was acknowledged is there: part ${part + 1} of ${PARTS}`, { skip }, async (t) => {
    let images = 0;
    let again = 0;
    for (let round = FIRST + part; images < IMAGES / PARTS; round += PARTS) {
      const life = newLife();
      const next = random(round ^ 0xc0ffee);
      await life.live(next, 40);
      const lives = [];
      const wrong = await life.violation(round, (image, sequence) => void (++images % AGAIN === 0 && lives.push([image, sequence])));
      assert.equal(wrong, undefined);
      for (const [image, sequence] of lives) {
        const second = new Life(image, new Map([...life.states].filter(([at]) => at <= sequence)));
        await second.live(next, 4);
        assert.equal(await second.violation(round, () => void again++), undefined, "a second life");
      }
    }
    t.diagnostic(`${images} images and ${again} of second lives, none bad`);
  });
}

test("a browser whose flush did nothing is found out", { skip }, async () => {
  for (let round = 0; round < 3; round++) {
    const life = newLife();
    await life.live(random(round ^ 0xdeaf), 20);
    assert.notEqual(await life.violation(round, () => {}, true), undefined);
  }
});
