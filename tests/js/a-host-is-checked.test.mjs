// docs/check-host.mjs against `pagevec serve`, which sets every header, and against servers that do not.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fixture } from "./support/fixture.mjs";
import { inParts } from "./support/parts.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_ROOT: root, PAGEVEC_CLI: cli } = process.env;
const skip = !root || !cli ? "PAGEVEC_ROOT or PAGEVEC_CLI is not set" : false;
const f = await fixture({ count: 6000, dim: 384, codec: "f32", graph: false });
const { folder } = inParts(f, { beside: true, size: 64 << 10 });
// Beside the tests, where it finds the package.
const script = join(dirname(fileURLToPath(import.meta.url)), "check-host-copy.mjs");
const check = async (url) => (await promisify(execFile)(process.execPath, [script, url])).stdout.trim().split("\n");
if (!skip) await copyFile(join(root, "docs/check-host.mjs"), script);
after(() => rm(script, { force: true }));

test("nothing is missing at pagevec serve", { skip }, async () => {
  const place = await mkdtemp(join(tmpdir(), "pagevec-"));
  for (const [path, { body }] of Object.entries(folder)) {
    await mkdir(dirname(join(place, path)), { recursive: true });
    await writeFile(join(place, path), body);
  }
  const server = spawn(cli, ["serve", place, "--port", "0"]);
  const [line] = await new Promise((resolve) => server.stdout.once("data", (data) => resolve(String(data).split("\n"))));
  const lines = await check(`${/http:\S+\//.exec(line)[0]}words/`);
  server.kill();
  await rm(place, { recursive: true });
  assert.match(lines[0], /^10 hits/);
  assert.match(lines[1], /^index\.json: 1 x 200; cache-control: no-cache; etag: "/);
  assert.match(lines[2], /^segment: \d+ x 206; cache-control: public, max-age=31536000, immutable, no-transform; etag: "/);
  assert.equal(lines.length, 3, lines.join("\n"));
});

test("a host that ignores ranges and sets no headers is told so", { skip }, async () => {
  const server = await serve(folder);
  Object.assign(server, { fault: "ignore-range", only: /seg-[^/]*\.bin$/ });
  const text = (await check(`${server.url}/words/`)).join("\n");
  await server.close();
  assert.match(text, /segment: 1 x 200/);
  assert.match(text, /ignores Range: publish with `pagevec build --parts`/);
  assert.match(text, /part: \d+ x 200/);
  assert.match(text, /immutable/);
});
