// A page with a collection, which takes the rows of the harness's index, is closed and opened again, and tells what it finds. Where the
// URL ends in #own-worker the page starts the package's worker itself.
import { openCollection } from "pagevec/collection";
import { hostOf, tell } from "./check.js";

const worker = location.hash === "#own-worker" ? () => new Worker(new URL("pagevec/collection-worker", import.meta.url), { type: "module" }) : undefined;

async function check(host) {
  const { queries } = await fetch(`${host}/cases.json`).then((response) => response.json());
  const first = await openCollection("cases", { dim: queries[0].length, flush: { rows: 1000 }, worker });
  await first.import(`${host}/index/`);
  await first.compact();
  const { persistent, why, segments } = first.stats();
  // What is in memory alone is gone with it.
  if (persistent) await first.close();
  const cases = persistent ? await openCollection("cases", { create: false, worker }) : first;
  const answers = await cases.searchBatch(queries, { k: 10 });
  return { collection: { count: cases.count, persistent, why, segments, answers } };
}

tell(location.search, check(hostOf(location.search)));
