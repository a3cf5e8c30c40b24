// Bits that flip on the way, in each part that a search by clusters reads.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 6000, dim: 128, make: smooth, graph: false });
const files = { ...f.folder };
const server = await serve((path) => files[path]);
after(() => server.close());
const file = `/words/${f.file}`;

/** One bit in every 64 bytes of a section. */
function damaged({ offset, length }, bit) {
  const bytes = f.bytes.slice();
  for (let at = offset + bit; at < offset + length; at += 64) bytes[at] ^= 1 << (bit % 8);
  return { body: bytes };
}

const whole = await open(f.bytes);
const query = near(f, 77);
const expected = await whole.search(query);
after(() => whole.close());

for (const name of ["leaves", "lists", "codes"]) {
  const section = f.info.sections.find((s) => s.name === name);
  for (const bit of [0, 13, 63]) {
    test(`${name}, bit ${bit}: checksum; afterwards the index works`, async () => {
      const index = await open(`${server.url}/words/`);
      files[file] = damaged(section, bit);
      const failed = await Promise.all([query, query, f.row(1)].map((q) => rejected(index.search(q), "checksum")));
      for (const { message } of failed) assert.ok(message.includes(f.file), message);
      files[file] = f.folder[file];
      assert.deepEqual(await index.search(query), expected);
      assert.equal((await index.search(f.row(1)))[0].id, "word-1");
      await index.close();
    });
  }
}

test("a list in the place of another", async () => {
  const { offset, length } = f.info.sections.find((s) => s.name === "lists");
  const bytes = f.bytes.slice();
  bytes.copyWithin(offset + 64, offset, offset + length - 64);
  const index = await open(`${server.url}/words/`);
  files[file] = { body: bytes };
  await rejected(index.search(query), "checksum");
  files[file] = f.folder[file];
  assert.deepEqual(await index.search(query), expected);
  await index.close();
});
