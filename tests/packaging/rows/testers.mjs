// Test runners, whose environments look like a page and run in Node. Where one has no fetch, the index is opened by its path.

const vitest = (environment) => async (t) => {
  const test = `import { expect, test } from "vitest";
import { open } from "pagevec";
import { report } from "./src/check.js";
test("finds what the command line finds", async () => {
  expect(typeof document).toBe("${environment === "node" ? "undefined" : "object"}");
  await report(open, process.env.WHERE);
}, 60_000);
`;
  const { run } = await t.make({ files: { "search.test.js": test } });
  await t.mode(environment, () => t.ask((where) => run("vitest", ["run", "--environment", environment], { env: { WHERE: where } })));
};

/** Jest runs CommonJS unless told otherwise; its jsdom has no fetch. */
const jest = (environment) => async (t) => {
  const test = `const { open } = require("pagevec");
const { readFileSync, writeFileSync } = require("node:fs");
const { CASES, ANSWER } = process.env;
test("finds what the command line finds", async () => {
  expect(typeof document).toBe("${environment === "node" ? "undefined" : "object"}");
  const index = await open(CASES + "/index");
  const inMemory = await open(new Uint8Array(readFileSync(CASES + "/index/" + JSON.parse(readFileSync(CASES + "/index/index.json", "utf8")).segments[0].file)));
  const { queries } = JSON.parse(readFileSync(CASES + "/cases.json", "utf8"));
  const answers = {};
  for (const name of ["flat", "hnsw", "clusters"]) {
    answers[name] = [];
    for (const query of queries) {
      answers[name].push(await index.search(query, { k: 10, index: name }));
      expect(await inMemory.search(new Float32Array(query), { k: 10, index: name })).toEqual(answers[name].at(-1));
    }
  }
  await index.close();
  await inMemory.close();
  writeFileSync(ANSWER, JSON.stringify({ answers }));
}, 60_000);
`;
  const { run, path, read, remove } = await t.make({ type: "commonjs", files: { "search.test.js": test } });
  await t.mode(environment, async () => {
    await remove("answer.json");
    await run("jest", ["--env", environment], { env: { CASES: t.cases, ANSWER: path("answer.json") } });
    return JSON.parse(await read("answer.json"));
  });
};

export default {
  "vitest-node": vitest("node"),
  "vitest-jsdom": vitest("jsdom"),
  "vitest-happy-dom": vitest("happy-dom"),
  "jest-node": jest("node"),
  "jest-jsdom": jest("jsdom"),
};
