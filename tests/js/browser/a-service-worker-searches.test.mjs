// Service workers refuse import(): searches need none, and what does need one says so. The entry `pagevec/static` has the page store
// without it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";

const f = await fixture({ count: 500, dim: 16 });
const browser = await launch();
after(() => browser.close());

const STATIC = entry.replace("browser.js", "static.js");

for (const from of [entry, STATIC]) test(`${from}: open, search, load and prefetch work; build is refused with a code`, { timeout: 60_000 }, async () => {
  const worker = `
    import { open, build, PagevecError } from ${JSON.stringify(from)};
    const of = (error) => ({ pagevec: error instanceof PagevecError, code: error.code, message: error.message });
    onmessage = ({ ports: [port], data: query }) => (async () => {
      const index = await open(new URL("/words/", location.href), { prefetch: "all" });
      const [hit] = await index.search(query);
      await index.load();
      const { prefetch, store } = index.stats();
      const built = await build([[0, 1], [1, 0]]).then(() => "built", of);
      await index.close();
      return { hit, prefetch, store, built };
    })().then((out) => port.postMessage(out), (error) => port.postMessage(of(error)));`;
  const pages = await site({
    ...f.folder,
    "/worker.js": { body: worker, type: "text/javascript" },
    ...pageOf(`
      await navigator.serviceWorker.register("/worker.js", { type: "module" });
      const { active } = await navigator.serviceWorker.ready;
      const { port1, port2 } = new MessageChannel();
      active.postMessage(${JSON.stringify([...f.row(7)])}, [port2]);
      return new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));`),
  });
  after(() => pages.close());
  const { page } = await visit(browser, `${pages.url}/`);
  const { hit, prefetch, store, built } = await result(page);
  assert.equal(hit?.id, "word-7", JSON.stringify({ hit, built }));
  assert.notEqual(prefetch.state, "off", prefetch.why);
  if (from === STATIC) assert.equal(store.off, undefined);
  else assert.match(store.off, /service workers refuse import\(\): import "pagevec\/static"/);
  assert.deepEqual([built.pagevec, built.code], [true, "unsupported"]);
  assert.match(built.message, /build in a page or in a Worker/);
  await page.close();
});
