// A static server with Range, CORS and a switch for each fault, which counts what it sends.
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range, Content-Encoding" };

/**
 * What can go wrong. Each takes (request facts, response) and returns true when it answered.
 * `facts` = { path, body, type, range: [from, to] | undefined }
 */
export const faults = {
  "ignore-range": (f, res) => send(res, 200, f.body, { "content-type": f.type }),
  "not-found": (f, res) => send(res, 404, "no such file"),
  forbidden: (f, res) => send(res, 403, "no"),
  "server-error": (f, res) => send(res, 503, "later"),
  html: (f, res) => send(res, 200, "<!doctype html><title>Welcome</title>", { "content-type": "text/html" }),
  "html-206": (f, res) => send(res, 206, "<!doctype html>".padEnd(f.range[1] - f.range[0]), { "content-type": "application/octet-stream", ...contentRange(f) }),
  "short-body": (f, res) => send(res, 206, part(f).subarray(0, -10), { "content-type": f.type, ...contentRange(f) }),
  "empty-body": (f, res) => send(res, 206, "", { "content-type": f.type, ...contentRange(f) }),
  "long-body": (f, res) => send(res, 206, Buffer.concat([part(f), Buffer.alloc(10)]), { "content-type": f.type, ...contentRange(f) }),
  "wrong-start": (f, res) => send(res, 206, part(f), { "content-range": `bytes ${f.range[0] + 1}-${f.range[1]}/${f.body.length}` }),
  "wrong-total": (f, res) => send(res, 206, part(f), { "content-range": `bytes ${f.range[0]}-${f.range[1] - 1}/${f.body.length + 1}` }),
  gzip: (f, res) => send(res, 206, gzipSync(part(f)), { "content-encoding": "gzip", ...contentRange(f) }),
  multipart: (f, res) => send(res, 206, part(f), { "content-type": "multipart/byteranges; boundary=x" }),
  "not-satisfiable": (f, res) => send(res, 416, "", { "content-range": `bytes */${f.body.length}` }),
  reset: (f, res) => {
    const body = part(f);
    res.writeHead(206, { ...CORS, "content-length": body.length, ...contentRange(f) });
    res.write(body.subarray(0, body.length >> 1), () => res.destroy());
    return true;
  },
  refuse: (f, res) => (res.destroy(), true),
  "hidden-range": (f, res) => send(res, 206, part(f), { "content-type": f.type, ...contentRange(f), "access-control-expose-headers": "" }),
  "no-content-range": (f, res) => send(res, 206, part(f), { "content-type": f.type }),
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
    /** Milliseconds before each answer. */
    delay: 0,
    /** Bytes after which a body pauses for `pause` ms, to see it arrive in pieces. */
    pieces: 0,
    redirect: undefined,
    log: [],
    requests: 0,
    bytes: 0,
    /** Answers that the client left before their end. */
    aborted: 0,
    /** First and last byte of each range that was asked for. */
    ranges: () => state.log.map(({ range }) => range.match(/\d+/g).map(Number)),
    reset() {
      Object.assign(state, { log: [], requests: 0, bytes: 0, aborted: 0 });
    },
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
  const server = createServer(async (req, res) => {
    const path = decodeURIComponent(new URL(req.url, "http://x").pathname);
    state.requests += 1;
    state.log.push({ method: req.method, url: req.url, path, range: req.headers.range, headers: req.headers });
    const { write, end } = res;
    res.write = (chunk, ...rest) => ((state.bytes += chunk.length), write.call(res, chunk, ...rest));
    res.end = (chunk, ...rest) => ((state.bytes += chunk?.length ?? 0), end.call(res, chunk, ...rest));
    res.on("close", () => (state.aborted += res.writableFinished ? 0 : 1));
    if (state.delay) await new Promise((resolve) => setTimeout(resolve, state.delay));
    if (state.redirect) return void res.writeHead(302, { ...CORS, location: state.redirect + req.url }).end();
    const file = find(path);
    if (!file) return void send(res, 404, "not found");
    const facts = factsOf(path, file, req.headers.range);
    if (state.fault && state.times > 0 && state.only.test(path) && (facts.range || !/206|range|body|wrong|gzip|multi|reset|satis/.test(state.fault) || state.fault === "ignore-range")) {
      state.times -= 1;
      if (faults[state.fault](facts, res)) return;
    }
    const headers = { "content-type": facts.type, ...file.headers, ...(facts.range && contentRange(facts)) };
    if (facts.range && facts.range[0] >= facts.range[1]) return void send(res, 416, "");
    if (state.pieces) return void drip(res, facts, headers, state.pieces);
    send(res, facts.range ? 206 : 200, part(facts), headers);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}`;
  return state;
}

function factsOf(path, file, range) {
  const body = Buffer.from(file.body);
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  return {
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
  return true;
}

async function drip(res, facts, headers, size) {
  const body = part(facts);
  res.writeHead(facts.range ? 206 : 200, { ...CORS, "content-length": body.length, ...headers });
  for (let at = 0; at < body.length && !res.destroyed; at += size) {
    res.write(body.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  res.end();
}
