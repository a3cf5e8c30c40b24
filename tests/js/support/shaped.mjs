// A static server over a link of a given delay and bandwidth, by HTTP/1.1 or by HTTP/2 over TLS, which counts.
//
// A request is answered one round trip after it arrived; the first of a connection two later, as TCP and TLS 1.3 would
// have taken them. Answers share the link's bandwidth in turns. Not modelled: slow start, loss, the way up.
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { selfSigned } from "./certificate.mjs";
import { Pipe } from "./pipe.mjs";

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range, Content-Encoding" };
/** About what the head of an answer takes: text, or HPACK after the first. */
const HEAD = { h1: 250, h2: 60 };
const HANDSHAKES = 2;

/**
 * @typedef {object} Link
 * @property {number} [rtt] milliseconds
 * @property {number} [mbit] megabits a second
 *
 * @typedef {({ body: Uint8Array | string } | { file: string }) & { type?: string, headers?: Record<string, string> }} Served
 */

/**
 * @param {(path: string) => Served | undefined} find
 * @param {object} [options]
 * @param {"h1" | "h2"} [options.protocol]
 * @param {number} [options.connections] requests of HTTP/1.1 under way at a time, the others wait: 6, as in browsers
 * @param {RegExp} [options.counted] paths whose requests are counted
 * @param {Link} [options.link] may be changed at any time
 */
export async function serveShaped(find, { protocol = "h1", connections = 6, counted = /./, link = {} } = {}) {
  /** @type {Map<object, number>} */
  const opened = new Map();
  /** @type {Map<string, Promise<import("node:fs/promises").FileHandle>>} */
  const files = new Map();
  const slots = new Slots(protocol === "h1" ? connections : Infinity);
  const pipe = new Pipe(() => (state.link.mbit ? state.link.mbit * 125_000 : Infinity));
  let active = 0;
  const state = {
    url: "",
    link,
    requests: 0,
    /** Of bodies. */
    bytes: 0,
    /** Requests that began when none was under way. A wave of more requests than connections is more than one. */
    waves: 0,
    /** Most requests under way at a time. */
    atOnce: 0,
    connections: 0,
    reset() {
      Object.assign(state, { requests: 0, bytes: 0, waves: 0, atOnce: 0, connections: 0 });
    },
    /** Ends all connections: who comes next opens its own. */
    disconnect() {
      for (const connection of opened.keys()) /** @type {any} */ (connection).destroy();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      state.disconnect();
      await closed;
      for (const file of files.values()) await (await file).close();
    },
  };

  /** @type {(connection: any) => void} */
  const connected = (connection) => {
    state.connections += 1;
    opened.set(connection, performance.now());
    connection.on("close", () => opened.delete(connection));
  };
  /** @type {(request: any, response: any) => Promise<void>} */
  const answer = async (request, response) => {
    const { rtt = 0 } = state.link;
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const count = counted.test(path);
    const connection = protocol === "h2" ? request.stream.session : request.socket;
    if (count) {
      state.waves += active === 0 ? 1 : 0;
      active += 1;
      state.requests += 1;
    }
    await slots.take();
    state.atOnce = Math.max(state.atOnce, slots.taken);
    try {
      const ready = (opened.get(connection) ?? 0) + HANDSHAKES * rtt - performance.now();
      await pause(rtt + Math.max(0, ready));
      const body = await respond(request, response, find(path), files);
      if (count) state.bytes += body.length;
      await pipe.send(response, body, HEAD[protocol]);
    } catch {
      response.destroy(); // the client left, or the file did
    } finally {
      slots.give();
      if (count) active -= 1;
    }
  };
  const server = protocol === "h2" ? createSecureServer(selfSigned(), answer) : createServer(answer);
  server.on(protocol === "h2" ? "session" : "connection", connected);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  state.url = `${protocol === "h2" ? "https" : "http"}://127.0.0.1:${port}`;
  return state;
}

/** Writes the head; the body is for the link. */
async function respond(request, response, served, files) {
  const head = (status, headers) => response.writeHead(status, { ...CORS, ...headers });
  if (request.method !== "GET" || !served) {
    head(served ? 405 : 404, { "content-length": 0 });
    return Buffer.alloc(0);
  }
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const { length, read } = await content(served, files);
  const type = served.type ?? "application/octet-stream";
  if (!match) {
    head(200, { "content-type": type, "content-length": length, ...served.headers });
    return read(0, length);
  }
  const [from, to] = [Number(match[1]), Math.min(Number(match[2]) + 1, length)];
  if (from >= to) {
    head(416, { "content-length": 0, "content-range": `bytes */${length}` });
    return Buffer.alloc(0);
  }
  head(206, { "content-type": type, "content-length": to - from, "content-range": `bytes ${from}-${to - 1}/${length}` });
  return read(from, to);
}

async function content(served, files) {
  if ("body" in served) {
    const { body } = served;
    const whole = typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return { length: whole.length, read: (from, to) => whole.subarray(from, to) };
  }
  if (!files.has(served.file)) files.set(served.file, open(served.file));
  const file = await files.get(served.file);
  const { size } = await file.stat();
  return {
    length: size,
    async read(from, to) {
      const { buffer } = await file.read({ buffer: Buffer.alloc(to - from), position: from });
      return buffer;
    },
  };
}

/** So many at a time; first come, first served. */
class Slots {
  taken = 0;
  #most;
  #waiting = [];

  constructor(most) {
    this.#most = most;
  }

  async take() {
    if (this.taken < this.#most) this.taken += 1;
    else await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** To the one that waits longest, if there is one. */
  give() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.taken -= 1;
  }
}

const pause = (milliseconds) => (milliseconds > 0 ? new Promise((resolve) => setTimeout(resolve, milliseconds)) : undefined);
