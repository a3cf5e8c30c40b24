// A static server with Range, CORS and a switch for each fault, which counts what it sends.
import { createServer } from "node:http";
import { brotliCompressSync, gzipSync } from "node:zlib";

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range, Content-Encoding" };

/**
 * What can go wrong. Each takes (facts, response, state) and answers, or leaves the request without an answer.
 * `facts` = { url, path, body, type, range: [from, to] | undefined }
 */
export const faults = {
  "ignore-range": (f, res) => send(res, 200, f.body, { "content-type": f.type }),
  "not-found": (f, res) => send(res, 404, "no such file"),
  unauthorized: (f, res) => send(res, 401, "token expired"),
  forbidden: (f, res) => send(res, 403, "no"),
  "not-modified": (f, res) => void res.writeHead(304, CORS).end(),
  precondition: (f, res) => send(res, 412, ""),
  "server-error": (f, res) => send(res, 503, "later"),
  ...Object.fromEntries(["0", "1", "1000000000", "soon 2099"].map((after) => [`retry-after ${after}`, (f, res) => send(res, 429, "later", { "retry-after": after })])),
  "retry-after date": (f, res) => send(res, 503, "later", { "retry-after": new Date(Date.now() + 9e9).toUTCString() }),
  ...Object.fromEntries([301, 302, 307, 308].flatMap((status) => [
    [`${status} here`, (f, res) => void res.writeHead(status, { ...CORS, location: `${f.url}${f.url.includes("?") ? "&" : "?"}moved` }).end()],
    [`${status} elsewhere`, (f, res, state) => void res.writeHead(status, { ...CORS, location: state.elsewhere + f.url }).end()],
  ])),
  html: (f, res) => send(res, 200, "<!doctype html><title>Welcome</title>", { "content-type": "text/html" }),
  refuse: (f, res) => res.destroy(),
  stall: () => {},
};

/** The same, of answers to ranges. */
export const rangeFaults = {
  "html-206": (f, res) => partial(f, res, Buffer.from("<!doctype html>".padEnd(f.range[1] - f.range[0])), { "content-type": "text/html" }),
  "html-as-bytes": (f, res) => partial(f, res, Buffer.from("<!doctype html>".padEnd(f.range[1] - f.range[0]))),
  "short-body": (f, res) => partial(f, res, part(f).subarray(0, -10)),
  "empty-body": (f, res) => partial(f, res, ""),
  "long-body": (f, res) => partial(f, res, Buffer.concat([part(f), Buffer.alloc(10)])),
  "wrong-start": (f, res) => partial(f, res, part(f), { "content-range": `bytes ${f.range[0] + 1}-${f.range[1]}/${f.body.length}` }),
  "wrong-total": (f, res) => partial(f, res, part(f), { "content-range": `bytes ${f.range[0]}-${f.range[1] - 1}/${f.body.length + 1}` }),
  "total-changing": (f, res, state) => partial(f, res, part(f), { "content-range": `bytes ${f.range[0]}-${f.range[1] - 1}/${f.body.length + state.requests}` }),
  "total-star": (f, res) => partial(f, res, part(f), { "content-range": `bytes ${f.range[0]}-${f.range[1] - 1}/*` }),
  gzip: (f, res) => partial(f, res, gzipSync(part(f)), { "content-encoding": "gzip" }),
  brotli: (f, res) => partial(f, res, brotliCompressSync(part(f)), { "content-encoding": "br" }),
  multipart: (f, res) => send(res, 206, part(f), { "content-type": "multipart/byteranges; boundary=x" }),
  "not-satisfiable": (f, res) => send(res, 416, "", { "content-range": `bytes */${f.body.length}` }),
  "hidden-range": (f, res) => partial(f, res, part(f), { "access-control-expose-headers": "" }),
  "no-content-range": (f, res) => send(res, 206, part(f), { "content-type": f.type }),
  chunked: (f, res) => (res.writeHead(206, { ...CORS, ...contentRange(f) }), res.write(part(f).subarray(0, 9)), res.end(part(f).subarray(9))),
  "length-too-large": (f, res) => raw(f, res, part(f).length + 10, part(f)),
  "length-too-small": (f, res) => raw(f, res, part(f).length - 10, part(f)),
  twice: (f, res) => raw(f, res, part(f).length, part(f), 2),
  "etag-weak": (f, res) => partial(f, res, part(f), { etag: `W/"${Math.random()}"` }),
  "etag-each-its-own": (f, res) => partial(f, res, part(f), { etag: `"${Math.random()}"` }),
  /** Another file of the same length, under an ETag of its own where there are ETags. */
  replaced: (f, res, state) => partial(f, res, part(f).map((byte) => byte ^ 255), state.etag ? { etag: '"other"' } : {}),
  reset: (f, res) => broken(f, res, part(f).length >> 1, (socket) => socket.destroy()),
  "reset-after": (f, res, state) => broken(f, res, state.after, (socket) => socket.destroy()),
  "stall-body": (f, res) => broken(f, res, part(f).length >> 1, () => {}),
  drip: (f, res) => void drip(res, f, contentRange(f), 1, 100),
};

/**
 * @param {Record<string, { body: Uint8Array | string, type?: string }> | ((path: string) => { body, type, headers } | undefined)} files
 */
export async function serve(files) {
  const find = typeof files === "function" ? files : (path) => files[path];
  const state = {
    url: "",
    /** Name of a fault, or undefined; for paths that match `only`, at most `times` times. */
    fault: undefined,
    only: /./,
    times: Infinity,
    /** Milliseconds before each answer, or what gives them for the nth request. */
    delay: 0,
    /** Bytes after which a body pauses for `pause` ms, to see it arrive in pieces. */
    pieces: 0,
    /** For the faults: another origin; the bytes after which "reset-after" breaks off. */
    elsewhere: "",
    after: 0,
    /** Of every answer, if set. */
    etag: undefined,
    log: [],
    requests: 0,
    bytes: 0,
    /** Answers that the client left before their end. */
    aborted: 0,
    /** Requests under way, and the most of them that there were. */
    now: 0,
    most: 0,
    /** First and last byte of each range that was asked for. */
    ranges: () => state.log.map(({ range }) => range.match(/\d+/g).map(Number)),
    reset() {
      Object.assign(state, { log: [], requests: 0, bytes: 0, aborted: 0, most: state.now });
    },
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
  const server = createServer(async (req, res) => {
    const path = decodeURIComponent(new URL(req.url, "http://x").pathname);
    state.requests += 1;
    state.log.push({ method: req.method, url: req.url, path, range: req.headers.range, headers: req.headers, at: performance.now() });
    const { write, end } = res;
    res.write = (chunk, ...rest) => ((state.bytes += chunk.length), write.call(res, chunk, ...rest));
    res.end = (chunk, ...rest) => ((state.bytes += chunk?.length ?? 0), end.call(res, chunk, ...rest));
    state.most = Math.max(state.most, ++state.now);
    res.on("close", () => ((state.now -= 1), (state.aborted += res.writableFinished ? 0 : 1)));
    const delay = typeof state.delay === "function" ? state.delay(state.requests) : state.delay;
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    const file = find(path);
    if (!file) return void send(res, 404, "not found");
    const facts = factsOf(req.url, path, file, req.headers.range);
    const fault = faults[state.fault] ?? (facts.range && rangeFaults[state.fault]);
    if (fault && state.times > 0 && state.only.test(path) && !/[?&]moved/.test(req.url)) {
      state.times -= 1;
      return void fault(facts, res, state);
    }
    const headers = { "content-type": facts.type, ...file.headers, ...(state.etag && { etag: state.etag }), ...(facts.range && contentRange(facts)) };
    if (facts.range && facts.range[0] >= facts.range[1]) return void send(res, 416, "");
    if (state.pieces) return void drip(res, facts, headers, state.pieces);
    send(res, facts.range ? 206 : 200, part(facts), headers);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}`;
  return state;
}

function factsOf(url, path, file, range) {
  // Not copied for each request: bodies may be large.
  const body = typeof file.body === "string" ? Buffer.from(file.body) : Buffer.from(file.body.buffer, file.body.byteOffset, file.body.byteLength);
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  return {
    url,
    path,
    body,
    type: file.type ?? "application/octet-stream",
    range: match ? [Number(match[1]), Math.min(Number(match[2]) + 1, body.length)] : undefined,
  };
}

const part = ({ body, range }) => (range ? body.subarray(range[0], range[1]) : body);
const contentRange = ({ body, range }) => ({ "content-range": `bytes ${range[0]}-${range[1] - 1}/${body.length}` });

function send(res, status, body, headers = {}) {
  const bytes = Buffer.from(body);
  res.writeHead(status, { ...CORS, "content-length": bytes.length, ...headers });
  res.end(bytes);
}

function partial(facts, res, body, headers = {}) {
  send(res, 206, body, { "content-type": facts.type, ...contentRange(facts), ...headers });
}

/** Past Node, which would not send a length that is not so. */
function raw(facts, res, length, body, times = 1) {
  const head = `HTTP/1.1 206 Partial Content\r\naccess-control-allow-origin: *\r\ncontent-length: ${length}\r\ncontent-range: ${contentRange(facts)["content-range"]}\r\n\r\n`;
  // Without a socket the client has left.
  for (let i = 0; i < times; i++) res.socket?.write(Buffer.concat([Buffer.from(head), body]));
  res.socket?.end();
}

/** The first bytes of an answer; then whatever happens to it. */
function broken(facts, res, bytes, then) {
  res.writeHead(206, { ...CORS, "content-length": part(facts).length, ...contentRange(facts) });
  res.flushHeaders();
  if (bytes === 0) return void then(res);
  res.write(part(facts).subarray(0, bytes), () => then(res));
}

async function drip(res, facts, headers, size, pause = 5) {
  const body = part(facts);
  res.writeHead(facts.range ? 206 : 200, { ...CORS, "content-length": body.length, ...headers });
  for (let at = 0; at < body.length && !res.destroyed; at += size) {
    res.write(body.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  res.end();
}
