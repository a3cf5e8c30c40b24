// `npx pagevec serve` answers as the native `pagevec serve` does: status, headers and body of each request of one table.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { native, npx, skipNative as skip, start } from "./support/command-lines.mjs";

const room = await mkdtemp(join(tmpdir(), "pagevec-serve-"));
after(() => rm(room, { recursive: true }));
const segment = "seg-0123456789abcdef0123456789abcdef.bin";
await mkdir(join(room, "site/sub"), { recursive: true });
await writeFile(join(room, "secret.txt"), "secret");
for (const name of [segment, "data.bin", "index.json", "index.html", "main.mjs", "main.js", "plain.wasm", "hashed-0a1b2c3d.wasm", ".env", "sub/index.html", "sub/.hidden", "with space.txt"]) {
  await writeFile(join(room, "site", name), "0123456789".repeat(20));
}
await writeFile(join(room, "site/empty.bin"), "");

/** Headers that must be the same; tags and times are each server's own. */
const HEADERS = ["accept-ranges", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin", "access-control-expose-headers", "access-control-max-age", "cache-control", "content-encoding", "content-length", "content-range", "content-type", "x-content-type-options"];
const origin = { origin: "https://example.org" };
const range = (bytes) => ["GET", "/data.bin", { range: `bytes=${bytes}` }];

const REQUESTS = [
  ...["/", "/index.json", "/index.html", "/main.mjs", "/main.js", "/plain.wasm", "/hashed-0a1b2c3d.wasm", `/${segment}`, "/sub/", "/with%20space.txt", "/data.bin?query", "/empty.bin"].map((path) => ["GET", path, { "accept-encoding": "gzip, br" }]),
  ...["0-9", "10-", "-5", "190-999", "199-199"].map(range),
  ...["200-", "500-600"].map(range),
  ["HEAD", "/data.bin", {}],
  ["GET", `/${segment}`, { ...origin, range: "bytes=0-1" }],
  ["OPTIONS", `/${segment}`, { ...origin, "access-control-request-method": "GET", "access-control-request-headers": "range" }],
  ["POST", "/", {}],
  ["GET", "/data.bin", { range: "bytes=0-9", "if-range": '"other"' }],
  ["GET", "/data.bin", { "if-match": '"other"' }],
  ["GET", "/data.bin", { "if-none-match": '"other"' }],
  ...["/nowhere", "/seg-ffffffffffffffffffffffffffffffff.bin", "/data.bin/"].map((path) => ["GET", path, {}]),
];
/** What is in no folder that is served, or hidden. */
const HIDDEN = ["/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/.%2e/secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "//../secret.txt", "/.env", "/sub/.hidden", "/%2eenv"];

/** A running server: `ask` sends one request, its path exactly as given. */
async function serve(program, more = []) {
  const child = start(program, ["serve", join(room, "site"), "--port", "0", ...more]);
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  const port = Number(/:(\d+)\/$/m.exec(line)[1]);
  const ask = ([method, path, headers]) => new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, path, headers, agent: false }, async (response) => {
      const body = [];
      for await (const chunk of response) body.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(body).toString() });
    }).on("error", reject).end();
  });
  return { ask, stop: () => child.kill() };
}

const sorted = (text) => text?.toLowerCase().split(/\s*,\s*/).sort().join();

for (const cors of ["*", "https://example.org", "none"]) {
  test(`--cors ${cors}`, { skip }, async () => {
    const [ours, theirs] = await Promise.all([serve(npx, ["--cors", cors]), serve(native, ["--cors", cors])]);
    try {
      for (const asked of REQUESTS) {
        const [own, other] = await Promise.all([ours.ask(asked), theirs.ask(asked)]);
        const told = ({ status, headers, body }) => ({ status, body, ...Object.fromEntries(HEADERS.map((name) => [name, sorted(headers[name])])) });
        // An answer without a body may say so or not.
        const same = (reply) => ({ ...told(reply), ...(reply.body === "" && asked[0] !== "HEAD" && { "content-length": "" }) });
        assert.deepEqual(same(own), same(other), JSON.stringify(asked));
      }
      for (const path of HIDDEN) {
        const replies = await Promise.all([ours, theirs].map(({ ask }) => ask(["GET", path, {}])));
        for (const { status, body } of replies) assert.deepEqual([status, body], [404, ""], path);
      }
      const { etag, "last-modified": modified } = (await ours.ask(["GET", "/data.bin", {}])).headers;
      for (const [headers, status] of [[{ "if-none-match": etag }, 304], [{ "if-match": etag }, 200], [{ "if-modified-since": modified }, 304], [{ range: "bytes=0-9", "if-range": etag }, 206], [{ range: "bytes=0-9", "if-range": modified }, 206]]) {
        assert.equal((await ours.ask(["GET", "/data.bin", headers])).status, status, JSON.stringify(headers));
      }
    } finally {
      ours.stop();
      theirs.stop();
    }
  });
}
