// The notes app makes vectors of texts from a table of word vectors, which its site makes of www/data.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const load = (name) => import(pathToFileURL(join(root, "www/notes/words", name)).href);

let cosine, table, words, wordsOf, Words;
before(async () => {
  if (skip) return;
  ({ cosine, Words, wordsOf } = await load("embed.js"));
  const { tableOf } = await load("table.mjs");
  table = tableOf(pathToFileURL(join(root, "www/data/")));
  words = new Words(new URL(`data:application/octet-stream;base64,${Buffer.from(table).toString("base64")}`));
});

const alike = async (a, b) => cosine(await words.embed(a), await words.embed(b));

test("what is about the same is near, in other words", { skip }, async () => {
  const notes = {
    sail: "Boat trip\nWe sail from the harbour to the islands if the wind is right",
    bake: "Sourdough\nFeed the starter with flour and water twice a day, bake on Saturday",
    pay: "Rent\nPay the landlord before the first of the month",
    plant: "Garden\nplant tomatoes and beans in May, water them in the evening",
  };
  for (const [query, wanted] of [["ocean", "sail"], ["bread", "bake"], ["money", "pay"], ["vegetables", "plant"]]) {
    const scores = await Promise.all(Object.entries(notes).map(async ([name, text]) => [await alike(query, text), name]));
    const [[score, name]] = scores.sort(([a], [b]) => b - a);
    assert.equal(name, wanted, query);
    assert.ok(score > 0.5, `${query}: ${score}`);
  }
  // Frequent words say little, and order nothing.
  assert.ok((await alike("the harbour of the island", "harbour island")) > 0.9);
  assert.ok((await alike("dog bites man", "man bites dog")) > 0.9999);
});

test("a word that is not in the list is near itself and no other, and any text has a vector", { skip }, async () => {
  assert.deepEqual(await words.unknown("Anna's zylofurt, don't! zylofurt"), ["zylofurt"]);
  assert.deepEqual(await words.known("Anna's zylofurt"), ["anna"]);
  assert.ok((await alike("zylofurt", "ZYLOFURT")) > 0.9999);
  assert.ok((await alike("zylofurt", "about the zylofurt")) > 0.7);
  for (const other of ["zylofurts", "ocean", "会议", "!?"]) assert.ok((await alike("zylofurt", other)) < 0.3, other);
  for (const text of ["!?", "会议", "🙂", "42"]) assert.ok(Math.abs((await alike(text, text)) - 1) < 1e-6, text);
  assert.deepEqual(wordsOf("Don't: Anna’s café, 5km — ＡＢＣ o'clock"), ["don", "anna", "café", "5km", "abc", "o", "clock"]);
});

test("half a byte for a component is enough", { skip }, async () => {
  const { DIM } = await load("embed.js");
  const { list, vectors } = await words.load();
  assert.equal(list.length, 30_000);
  assert.equal(vectors.length, (list.length * DIM) / 2);
  assert.equal(table.length, 4 + list.join("\n").length + vectors.length);
  const { centred } = await load("table.mjs");
  const rows = centred(pathToFileURL(join(root, "www/data/")));
  for (let word = 0; word < list.length; word += 7) {
    const length = Math.hypot(...rows[word]);
    const score = cosine(await words.embed(list[word]), rows[word]) / length;
    assert.ok(score > 0.97, `${list[word]}: ${score}`);
  }
});

test("a table that did not arrive is asked for again", { skip }, async (t) => {
  const answers = [new Response("", { status: 503 }), new Response(table)];
  t.mock.method(globalThis, "fetch", async () => answers.shift());
  const late = new Words(new URL("http://localhost/"));
  await assert.rejects(late.embed("ocean"), /status 503/);
  assert.deepEqual(await late.known("ocean"), ["ocean"]);
  await Promise.all([late.load(), late.load()]);
  assert.deepEqual(answers, []);
});
