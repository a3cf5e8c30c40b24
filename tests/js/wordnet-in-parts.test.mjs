// Counters on real vectors: 20,000 of the wordnet set in parts only, its own queries, a server that knows no ranges.
// The bounds are what this build measures; they move only if the lists, the probes or the cuts do.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { open } from "pagevec";
import { npyRows } from "./support/npy.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_DATA: data, PAGEVEC_CLI: cli } = process.env;
const base = join(data ?? "", "wordnet/base.f16.npy");
const skip = !data || !cli || !existsSync(base) ? "PAGEVEC_DATA or PAGEVEC_CLI is not set" : false;

test("requests and bytes of opening, the first search and ten more", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  const { stdout } = await promisify(execFile)(cli, ["build", base, "--limit", "20000", "--parts", "--json", "-o", folder]);
  const files = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === ".lock") continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files[path.replace(folder, "/words").replaceAll("\\", "/")] = { body: await readFile(path) };
  }
  await rm(folder, { recursive: true });
  const whole = Object.keys(files).find((path) => /seg-[^/]*\.bin$/.test(path));
  const oneFile = await open(files[whole].body);
  // As if built with --parts=only.
  const manifest = JSON.parse(files["/words/index.json"].body);
  delete manifest.segments[0].file;
  files["/words/index.json"] = { body: JSON.stringify(manifest) };
  delete files[whole];
  const server = await serve(files);
  assert.equal(Object.keys(files).length, JSON.parse(stdout).parts + 1);

  const index = await open(`${server.url}/words/`);
  const counted = () => ({ requests: server.requests, bytes: server.bytes });
  const steps = [counted()];
  const queries = await npyRows(join(data, "wordnet/queries.f16.npy"), 11);
  for (const query of queries) {
    server.reset();
    assert.deepEqual(await index.search(query), await oneFile.search(query, { index: "clusters" }));
    assert.ok(server.log.every(({ range }) => range === undefined));
    steps.push(counted());
  }
  const [opened, first, ...later] = steps;
  const { requests, bytes } = index.stats();
  assert.deepEqual([requests, bytes], ["requests", "bytes"].map((key) => steps.reduce((sum, step) => sum + step[key], 0)));
  await Promise.all([index.close(), oneFile.close()]);
  await server.close();

  const ten = { requests: later.reduce((sum, step) => sum + step.requests, 0), bytes: later.reduce((sum, step) => sum + step.bytes, 0) };
  console.log(`# ${Object.keys(files).length} files; opening ${JSON.stringify(opened)}, first ${JSON.stringify(first)}, ten more ${JSON.stringify(ten)}`);
  assert.equal(opened.requests, 2);
  assert.ok(opened.bytes <= 11_170, `opening: ${opened.bytes} bytes`);
  assert.ok(first.requests <= 37 && first.bytes <= 615_776, `first: ${JSON.stringify(first)}`);
  assert.ok(ten.requests <= 298 && ten.bytes <= 4_806_000, `ten more: ${JSON.stringify(ten)}`);
});
