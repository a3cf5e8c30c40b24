// `pagevec serve`: a folder over HTTP, as a static host serves it, with the headers that pages need to read ranges: those of the
// native command line. Nothing is compressed, since a range of a compressed body is of no use.
import { statSync } from "node:fs";
import { createServer } from "node:http";
import { isIP } from "node:net";
import { whole } from "../arguments.js";
import { io, usage } from "../failure.js";
import { print } from "../output.js";
import { answerer } from "../serve/answer.js";

/** Ports that are tried after one that is taken. */
const MORE_PORTS = 99;

/** @type {import("../arguments.js").Command} */
export const SERVE = {
  name: "serve",
  about: "Serve a folder over HTTP, with the ranges, CORS and caching that pagevec needs",
  operand: "FOLDER",
  operandHelp: "The folder to serve: an index, or a site that holds indexes",
  options: {
    port: { value: "PORT", parse: whole(0, 65535), help: "The port to listen on; 0 takes a free one, which the first line of the output names. One that is taken is an error; unless given, 8787, or the next that is free" },
    host: { value: "HOST", parse: address, fallback: "127.0.0.1", help: "The address to listen on; with 0.0.0.0 other machines can connect" },
    cors: { value: "CORS", fallback: "*", help: "Which pages may read: * for all, an origin (https://example.org), or none" },
  },
  examples: ["pagevec serve site", "pagevec serve site --host 0.0.0.0 --port 0 --cors https://example.org"],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function serve({ operand: folder, port, host, cors }) {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw usage(`${folder} is not a folder`);
  const plain = /^http/.test(cors) && !cors.endsWith("/") && !/[^\x20-\x7e]/.test(cors);
  if (cors !== "none" && cors !== "*" && !plain) throw usage(`--cors ${cors}: give *, none, or an origin like https://example.org`);
  const server = createServer(answerer(folder, cors));
  const found = await listen(server, host, port);
  // Tests and scripts read this line to learn the port.
  print(`serving ${folder} at http://${isIP(host) === 6 ? `[${host}]` : host}:${found}/`);
  await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  });
  // It does not wait for downloads, since the user wants to stop.
  server.close();
  server.closeAllConnections();
}

/**
 * @param {import("node:http").Server} server
 * @param {string} host
 * @param {number | undefined} wanted
 * @returns {Promise<number>} the port
 */
async function listen(server, host, wanted) {
  const first = wanted ?? 8787;
  for (let port = first; ; port++) {
    try {
      await new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => resolve(server.off("error", reject)));
      });
      return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
    } catch (error) {
      const taken = /** @type {{ code?: string }} */ (error).code === "EADDRINUSE";
      if (!taken || wanted !== undefined || port === first + MORE_PORTS) throw io(`${host}:${port}`, error);
    }
  }
}

/** @param {string} text */
function address(text) {
  if (isIP(text)) return text;
  throw new Error("invalid IP address syntax");
}
