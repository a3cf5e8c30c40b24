// A server that is several hosts, told apart by their names: static files with ranges, static files without, and an API that
// embeds the texts it knows.
import { createServer } from "node:http";

/**
 * @param {Record<string, (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => void>} hosts
 *   by name; a request to another name is answered with 421
 */
export async function serveHosts(hosts) {
  /** Requests by name of the host, and bytes that were sent to answer them. */
  const traffic = {};
  const server = createServer((request, response) => {
    const name = request.headers.host;
    traffic[name] ??= { requests: 0, bytes: 0 };
    traffic[name].requests += 1;
    const { write, end } = response;
    const count = (body) => (traffic[name].bytes += typeof body === "function" ? 0 : (body?.length ?? 0));
    response.write = (...args) => (count(args[0]), write.apply(response, args));
    response.end = (...args) => (count(args[0]), end.apply(response, args));
    const answer = Object.hasOwn(hosts, name) ? hosts[name] : (_, response) => response.writeHead(421).end();
    answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    hosts,
    traffic,
    reset: () => Object.keys(traffic).forEach((name) => delete traffic[name]),
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}

/**
 * @param {(path: string) => Uint8Array | string | undefined} find
 * @param {{ ranges: boolean }} how
 */
export function files(find, { ranges }) {
  return (request, response) => {
    const body = find(new URL(request.url, "http://host").pathname);
    if (body === undefined) return void response.writeHead(404).end();
    const bytes = Buffer.from(body.buffer ?? body, body.byteOffset, body.byteLength);
    const [, first, last] = (ranges && /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")) || [];
    if (first === undefined) return void response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    const part = bytes.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, { "content-length": part.length, "content-range": `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}` });
    response.end(part);
  };
}

/**
 * An API that takes { input: texts } and answers with { data: [{ embedding }] }.
 * @param {(text: string) => ArrayLike<number> | undefined} vectorOf
 * @param {string} [key] that requests must bring
 */
export function embeddings(vectorOf, key) {
  return async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const answer = (status, body) => {
      const json = JSON.stringify(body);
      response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) }).end(json);
    };
    if (key && request.headers.authorization !== `Bearer ${key}`) return answer(401, { error: `wrong key, not ${key}` });
    const vectors = JSON.parse(text).input.map(vectorOf);
    if (vectors.includes(undefined)) return answer(400, { error: "a text that nobody knows" });
    answer(200, { data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: Array.from(vector) })) });
  };
}
