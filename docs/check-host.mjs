// How a host serves an index, seen by the client itself: opens the folder, searches it, and tells what came back.
//
//   npm install pagevec && node check-host.mjs https://example.org/words/
import { open } from "pagevec";

const url = process.argv[2];
if (!url) throw new Error("usage: node check-host.mjs https://example.org/words/");
const PAGE = "https://a-page-elsewhere.example";

/** The first answer for each kind of file, and how many there were of each status. */
const answers = {};
const index = await open(url, {
  fetch: async (address, init) => {
    const response = await fetch(address, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), origin: PAGE } });
    const { pathname } = new URL(address);
    const kind = /index\.json$/.test(pathname) ? "index.json" : /\/(\d+-\d+|dead-\w+)\.bin$/.test(pathname) ? "part" : "segment";
    answers[kind] ??= { headers: response.headers, statuses: {} };
    const { statuses } = answers[kind];
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    return response;
  },
});
const query = Float32Array.from({ length: index.info.dim }, (_, i) => Math.sin(i + 1));
const hits = await index.search(query);
const { requests, bytes } = index.stats();
await index.close();

console.log(`${hits.length} hits; opening and one search: ${requests} requests, ${bytes} bytes of ${index.info.fileLength}`);
for (const [kind, { headers, statuses }] of Object.entries(answers)) {
  const header = (name) => headers.get(name) ?? "";
  const exposed = header("access-control-expose-headers").toLowerCase();
  const count = Object.entries(statuses).map(([status, times]) => `${times} x ${status}`);
  console.log(`${kind}: ${count.join(", ")}; cache-control: ${header("cache-control") || "none"}; etag: ${header("etag") || "none"}`);
  const wrong = [
    !["*", PAGE].includes(header("access-control-allow-origin")) && "pages of other origins may not read it: Access-Control-Allow-Origin",
    kind === "index.json" && /immutable|max-age=[1-9]/.test(header("cache-control")) && "a new index would be noticed late: Cache-Control: no-cache",
    kind !== "index.json" && !/immutable/.test(header("cache-control")) && "asked for again at each visit: Cache-Control: public, max-age=31536000, immutable",
    kind === "segment" && statuses[206] && !exposed.includes("content-range") && "a page elsewhere cannot see it: Access-Control-Expose-Headers: Content-Range",
    kind === "segment" && statuses[200] && "the host ignores Range: publish with `pagevec build --parts`",
    kind === "segment" && header("content-encoding") && "the host compresses: Content-Type: application/octet-stream, Cache-Control: no-transform",
  ];
  for (const message of wrong.filter(Boolean)) console.log(`  - ${message}`);
}
