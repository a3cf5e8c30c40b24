// HTTP: a static server with ranges, and what takes the answers of the projects.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json", ".css": "text/css" };
const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range" };

/**
 * Serves a folder.
 * @param {string} folder
 * @param {{ headers?: Record<string, string>, answer?: (request, path: string) => Promise<boolean> }} [options] `headers` of every
 *   answer; `answer` takes what is no file
 */
export async function serve(folder, { headers = {}, answer = async () => false } = {}) {
  const log = [];
  const server = createServer(async (req, res) => {
    if (req.method === "OPTIONS") return void res.writeHead(204, { ...CORS, "access-control-allow-headers": "*", "access-control-allow-methods": "*" }).end();
    const path = decodeURIComponent(new URL(req.url, "http://x").pathname);
    log.push(path);
    if (await answer(req, path)) return void res.writeHead(204, CORS).end();
    const file = join(folder, normalize(path.endsWith("/") ? `${path}index.html` : path));
    const body = await readFile(file).catch(() => undefined);
    if (!body) return void res.writeHead(404, CORS).end("not found");
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range ?? "") ?? [];
    const end = Math.min(Number(to) + 1, body.length);
    const range = from !== undefined && { "content-range": `bytes ${from}-${end - 1}/${body.length}` };
    const part = range ? body.subarray(Number(from), end) : body;
    res.writeHead(range ? 206 : 200, { ...CORS, "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": part.length, ...range, ...headers });
    res.end(part);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, log, close: () => (server.close(), server.closeAllConnections()) };
}

/** The host of the cases, to which every project posts what it found. */
export async function serveCases(folder) {
  const waiting = new Map();
  let next = 0;
  const answer = async (req, path) => {
    const [, id] = /^\/answer\/(.+)$/.exec(path) ?? [];
    if (id === undefined) return false;
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    waiting.get(id)?.(text ? JSON.parse(text) : { error: "an empty answer was posted" });
    return true;
  };
  const server = await serve(folder, { answer });
  /** A place for one answer: its id, and the answer once it was posted. */
  const expectAnswer = (seconds = 60) => {
    const id = `${process.pid}-${next++}`;
    const where = `?host=${encodeURIComponent(server.url)}&id=${id}`;
    let timer;
    const posted = new Promise((resolve, reject) => {
      waiting.set(id, resolve);
      timer = setTimeout(() => reject(new Error(`nothing was posted in ${seconds} s`)), seconds * 1000);
    }).finally(() => clearTimeout(timer));
    posted.catch(() => {});
    return { id, where, posted };
  };
  return { ...server, expectAnswer };
}

/** Waits until a server answers. */
export async function reachable(url, seconds = 90) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (await fetch(url).then((r) => r.status < 500, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} did not answer in ${seconds} s`);
}
