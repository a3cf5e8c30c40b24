// The recipes of docs/embedding.md, as they stand there: each embeds a thousand texts, and a search for a text in other words finds it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { example } from "../support/documents.mjs";
import { rejected } from "../support/fixture.mjs";
import { installTransformers, makeProject, skip } from "../support/model.mjs";
import { documents, paraphrases } from "../support/paraphrases.mjs";

/** How many of the hundred must come first. */
const ENOUGH = 90;
const KEY = "of-the-test";
const MODEL = "minilm-of-the-test";

let folder, api;
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const pagevec = (line, env) => promisify(execFile)(process.execPath, [join(folder, "node_modules/pagevec/bin/pagevec.js"), ...line.split(" ")], { cwd: folder, env: { ...process.env, ...env } });

before(async () => {
  if (skip) return;
  folder = await makeProject();
  await mkdir(join(folder, "node_modules"));
  await symlink(dirname(createRequire(import.meta.url).resolve("pagevec/package.json")), join(folder, "node_modules/pagevec"));
  await installTransformers(folder);
  await writeFile(join(folder, "docs.jsonl"), documents.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await writeFile(join(folder, "embed.mjs"), example("transformers"));
  await writeFile(join(folder, "by-api.mjs"), example("api"));
});
after(() => api?.close());

/** How many paraphrases find their text first. */
async function found(index) {
  const hits = await index.searchBatch(paraphrases.map(({ query }) => query), { k: 1, fields: ["title"] });
  return hits.filter(([{ fields }], i) => fields.title === paraphrases[i].title).length;
}

test("Transformers.js", { skip }, async (t) => {
  await pagevec("build docs.jsonl --embed ./embed.mjs -o docs/");
  const { embed } = await load("embed.mjs");
  const { open } = await load("node_modules/pagevec/dist/node.js");
  const index = await open(join(folder, "docs/"), { embed });
  assert.equal(index.info.count, 1000);
  assert.equal(index.info.model, "Xenova/all-MiniLM-L6-v2");
  const first = await found(index);
  t.diagnostic(`${first} of ${paraphrases.length} paraphrases find their text first`);
  assert.ok(first >= ENOUGH, `${first}`);
  await index.close();

  // The example of how both are used together.
  const code = example("byText").replace("https://example.org/docs/", join(folder, "docs/"));
  await writeFile(join(folder, "by-text.mjs"), `${code}\nexport default hits;\n`);
  const hits = (await load("by-text.mjs")).default;
  assert.equal(hits.length, 5);
  assert.equal(hits[0].fields.title, "Flat tyre");
  await rejected(open(join(folder, "docs/"), { embed, model: "other" }), "argument");
  await rejected(open(join(folder, "docs/"), { model: "other" }), "model");
});

test("an HTTP API", { skip }, async (t) => {
  const { embed: model } = await load("embed.mjs");
  const calls = [];
  api = createServer((request, response) => void answer(request, response, model, calls)).listen(0, "127.0.0.1");
  await new Promise((resolve) => api.once("listening", resolve));
  const env = { EMBED_URL: `http://127.0.0.1:${api.address().port}/v1/embeddings`, EMBED_MODEL: MODEL, EMBED_KEY: KEY };
  await pagevec("build docs.jsonl --embed ./by-api.mjs -o by-api/", env);
  assert.deepEqual(calls.slice(0, 2), [429, 64], "it was told to wait, and asked again");
  assert.equal(calls.slice(1).reduce((sum, texts) => sum + texts), 1000);

  Object.assign(process.env, env);
  const { embed } = await load("by-api.mjs");
  const { open } = await load("node_modules/pagevec/dist/node.js");
  const index = await open(join(folder, "by-api/"), { embed });
  assert.equal(index.info.model, MODEL);
  const first = await found(index);
  t.diagnostic(`${first} of ${paraphrases.length} paraphrases find their text first`);
  assert.ok(first >= ENOUGH, `${first}`);
  await index.close();

  const refused = await pagevec("build docs.jsonl --embed ./by-api.mjs -o refused/", { ...env, EMBED_KEY: "wrong" }).catch((error) => error);
  assert.match(refused.stderr, /by-api\.mjs: `embed` failed: http.*status 401/);
});

/** As such APIs answer: in any order, each vector with the number of its text. The first call is one too many. */
async function answer(request, response, model, calls) {
  const chunks = await request.toArray();
  const json = (status, value, headers = {}) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  if (request.method !== "POST" || request.url !== "/v1/embeddings") return json(404, { error: { message: "no such path" } });
  if (request.headers.authorization !== `Bearer ${KEY}`) return json(401, { error: { message: "wrong key" } });
  if (calls.length === 0) return calls.push(429), json(429, { error: { message: "later" } }, { "retry-after": "0" });
  const asked = JSON.parse(Buffer.concat(chunks));
  if (asked.model !== MODEL || asked.encoding_format !== "float") return json(400, { error: { message: "not the model" } });
  calls.push(asked.input.length);
  const vectors = await model(asked.input);
  const data = vectors.tolist().map((embedding, index) => ({ object: "embedding", index, embedding }));
  json(200, { object: "list", model: MODEL, data: data.reverse(), usage: { prompt_tokens: 0, total_tokens: 0 } });
}
