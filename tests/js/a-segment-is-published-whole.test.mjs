// publish() and publication(): the folder that the native command line writes, replaced so that a reader sees the old index or the
// new one.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { build, open, publication, publish } from "pagevec";
import { native, run, skipNative } from "./support/command-lines.mjs";
import { rejected, vectors } from "./support/fixture.mjs";
import { npyFile } from "./support/inputs.mjs";

const room = await mkdtemp(join(tmpdir(), "pagevec-publish-"));
after(() => rm(room, { recursive: true }));
const [count, dim] = [600, 16];
const matrix = vectors(count, dim);
const bytes = await build(matrix, { dim });
const other = await build(matrix, { dim, seed: 7 });
const place = (name) => join(room, name);

test("one file, parts, or both", async () => {
  for (const [form, isFile, hasParts] of [[undefined, true, false], ["file", true, false], ["parts", false, true], ["both", true, true]]) {
    const folder = place(`deep/in/${form}`);
    const published = await publish(folder, bytes, form && { form });
    assert.equal(published.generation, 1);
    const [segment] = JSON.parse(await readFile(join(folder, "index.json"), "utf8")).segments;
    assert.deepEqual([segment.file !== undefined, segment.parts !== undefined, published.parts > 0], [isFile, hasParts, hasParts]);
    assert.deepEqual([segment.contentId, (await stat(published.path)).isFile()], [published.contentId, isFile]);
    const index = await open(folder);
    assert.equal((await index.search(matrix.subarray(0, dim)))[0].id, 0);
    await index.close();
  }
});

test("the folder of the native command line", { skip: skipNative }, async () => {
  await writeFile(place("rows.npy"), npyFile("<f4", `(${count}, ${dim})`, Buffer.from(matrix.buffer)));
  await run(native, ["build", place("rows.npy"), "--parts", "--model", "made up", "-o", place("native")]);
  await publish(place("ours"), bytes, { form: "both", model: "made up" });
  assert.equal(await readFile(place("ours/index.json"), "utf8"), await readFile(place("native/index.json"), "utf8"));
  const names = async (folder) => (await readdir(folder, { recursive: true })).filter((name) => name !== ".lock").sort();
  assert.deepEqual(await names(place("ours")), await names(place("native")));
  assert.equal(JSON.parse((await run(native, ["verify", place("ours"), "--json"])).stdout).ok, true);
});

test("the model's name is kept, and open compares it", async () => {
  await publish(place("named"), bytes, { model: "one" });
  await rejected(open(place("named"), { model: "other" }), "model");
  const index = await open(place("named"), { model: "one" });
  assert.equal(index.info.model, "one");
  await index.close();
  for (const model of ["", 5, "a\nb"]) await rejected(publish(place("named"), bytes, { model }), "argument");
});

test("generations rise with each change, and can be demanded", async () => {
  const folder = place("generations");
  assert.equal((await publish(folder, bytes, { generation: 0 })).generation, 1);
  assert.equal((await publish(folder, bytes)).generation, 1, "nothing has changed");
  assert.equal((await publish(folder, other)).generation, 2);
  const error = await rejected(publish(folder, bytes, { generation: 1 }), "changed");
  assert.match(error.message, /index\.json/);
  assert.equal((await publish(folder, bytes, { generation: 2 })).generation, 3);
  assert.equal((await readdir(folder)).length, 3, "both segments and the manifest");
});

test("a manifest that cannot be read is replaced", async () => {
  const folder = place("damaged");
  await mkdir(folder);
  await writeFile(join(folder, "index.json"), "{");
  assert.equal((await publish(folder, bytes)).generation, 1);
  const index = await open(folder);
  await index.close();
});

test("what fails leaves the old index and nothing else", async () => {
  const folder = place("kept");
  await publish(folder, bytes);
  const before = await readFile(join(folder, "index.json"), "utf8");
  // A folder stands where the segment would.
  const [{ name }] = await publication(other);
  await mkdir(join(folder, name));
  const error = await rejected(publish(folder, other), "io");
  assert.ok(error.message.includes(name), error.message);
  assert.equal(await readFile(join(folder, "index.json"), "utf8"), before);
  assert.deepEqual((await readdir(folder)).filter((left) => left.endsWith(".tmp")), []);
});

test("a publication as a list, for places that are no folder", async () => {
  const files = await publication(bytes, { form: "both" });
  await publish(place("listed"), bytes, { form: "both" });
  assert.deepEqual(files.map(({ order }) => order).sort(), [...Array(files.length - 1).fill(0), 1]);
  for (const file of files) assert.deepEqual(Buffer.from(file.bytes), await readFile(place(`listed/${file.name}`)), file.name);
  assert.equal(files.at(-1).name, "index.json");
});

test("bad arguments", async () => {
  await rejected(publish("", bytes), "argument");
  await rejected(publish(5, bytes), "argument");
  await rejected(publish(place("x"), [1, 2]), "argument");
  await rejected(publish(place("x"), bytes, { form: "file and parts" }), "argument");
  await rejected(publish(place("x"), bytes, { generation: -1 }), "argument");
  assert.match((await rejected(publish(place("x"), bytes, { forms: "parts" }), "argument")).message, /`form`/);
  await rejected(publish(place("x"), bytes.subarray(0, 1000)), "length");
  await rejected(publish(place("x"), new Uint8Array(100)), "not-a-segment");
  await rejected(publication(bytes, { form: 5 }), "argument");
  await assert.rejects(stat(place("x")));
});
