// The server of `cargo xtask bench remote`. Times are compared with times: each bound is one that only a link that is
// not shaped can pass, however slow the machine is.
import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { connect } from "node:http2";
import { test } from "node:test";
import { serveShaped } from "./support/shaped.mjs";
import { until } from "./support/until.mjs";

const body = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251);
const find = (path) => (path === "/file.bin" ? { body } : undefined);

async function shaped(options, use) {
  const server = await serveShaped(find, options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

const part = async (server, from, to) => {
  const response = await fetch(`${server.url}/file.bin`, { headers: { range: `bytes=${from}-${to - 1}` } });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
};

async function timed(action) {
  const from = performance.now();
  await action();
  return performance.now() - from;
}

test("ranges, whole files and what is not there", () =>
  shaped({}, async (server) => {
    const { response, bytes } = await part(server, 1000, 51_000);
    assert.equal(response.status, 206);
    assert.equal(response.headers.get("content-range"), "bytes 1000-50999/300000");
    assert.deepEqual(bytes, body.subarray(1000, 51_000));
    const whole = await fetch(`${server.url}/file.bin`);
    assert.deepEqual([whole.status, new Uint8Array(await whole.arrayBuffer())], [200, body]);
    assert.equal((await fetch(`${server.url}/none`)).status, 404);
    assert.equal((await part(server, 300_000, 300_001)).response.status, 416);
    assert.deepEqual([server.requests, server.bytes], [4, 350_000]);
  }));

test("each request waits a round trip, the first of a connection three", () =>
  shaped({ link: { rtt: 100 } }, async (server) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const request = () => new Promise((resolve) => get(`${server.url}/file.bin`, { agent }, (response) => response.resume().on("end", resolve)));
    const [first, second] = [await timed(request), await timed(request)];
    agent.destroy();
    assert.ok(first >= 295 && second >= 95, `${first} and ${second} ms`);
    assert.equal(server.connections, 1);
    assert.equal(server.waves, 2);
  }));

test("bytes take their time, alone and side by side", () =>
  shaped({ link: { mbit: 8 } }, async (server) => {
    // 1,000 bytes a millisecond.
    const one = await timed(() => part(server, 0, 100_000));
    const three = await timed(() => Promise.all([0, 1, 2].map((i) => part(server, i * 100_000, (i + 1) * 100_000))));
    assert.ok(one >= 99 && three >= 298, `${one} and ${three} ms`);
    server.link = {};
    const free = await timed(() => part(server, 0, 300_000));
    assert.ok(free < three, `${free} ms without a limit`);
  }));

test("a small answer does not wait for a large one to end", () =>
  shaped({ link: { mbit: 8 } }, async (server) => {
    const order = [];
    const large = part(server, 0, 300_000).then(() => order.push("large"));
    await until(() => server.requests === 1);
    await Promise.all([large, part(server, 0, 1000).then(() => order.push("small"))]);
    assert.deepEqual(order, ["small", "large"]);
  }));

test("HTTP/1.1 serves no more at a time than it has connections", () =>
  shaped({ connections: 3, link: { rtt: 20 } }, async (server) => {
    const many = Array.from({ length: 12 }, (_, i) => part(server, i * 10, i * 10 + 10));
    const [{ bytes }] = await Promise.all(many);
    assert.deepEqual(bytes, body.subarray(0, 10));
    assert.deepEqual([server.requests, server.atOnce], [12, 3]);
  }));

test("HTTP/2 serves all of them on one connection", () =>
  shaped({ protocol: "h2", link: { rtt: 20 } }, async (server) => {
    const session = connect(server.url, { rejectUnauthorized: false });
    const ask = (i) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": "/file.bin", range: `bytes=${i * 1000}-${i * 1000 + 999}` });
        const chunks = [];
        stream.on("data", (chunk) => chunks.push(chunk)).on("error", reject);
        stream.on("end", () => resolve(Buffer.concat(chunks)));
      });
    const parts = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(i)));
    session.close();
    assert.deepEqual(new Uint8Array(Buffer.concat(parts)), body.subarray(0, 40_000));
    assert.deepEqual([server.requests, server.atOnce, server.waves, server.connections], [40, 40, 1, 1]);
  }));

test("a client that leaves gives its place to the next", () =>
  shaped({ connections: 1, link: { mbit: 1 } }, async (server) => {
    const leaving = new AbortController();
    const left = fetch(`${server.url}/file.bin`, { signal: leaving.signal }).then((response) => response.arrayBuffer());
    await until(() => server.requests === 1);
    leaving.abort();
    await assert.rejects(left, { name: "AbortError" });
    assert.deepEqual((await part(server, 0, 1000)).bytes, body.subarray(0, 1000));
  }));
