// `plan` of pagevec/plan: what it says fits the budget, an index opened as it says keeps to it, and what cannot be planned is refused
// by its name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build, open, PagevecError } from "pagevec";
import { plan } from "pagevec/plan";

const asked = { rows: 1e6, dim: 768, budget: "100MB" };

test("a million vectors in 100 MB are searched by clusters", async () => {
  const planned = await plan(asked);
  assert.deepEqual([planned.suggested, planned.index, planned.residency, planned.graph, planned.clusters, planned.profile], ["binary", "clusters", "pages", false, true, "medium"]);
  const { total, ...parts } = planned.resident;
  assert.equal(total, Object.values(parts).reduce((sum, bytes) => sum + bytes, 0));
  assert.ok(total <= 1e8 && total > 9e7, `${total} bytes`);
  assert.ok(planned.memoryBudget < 1e8 && planned.file > 7e8);
  assert.ok(planned.missed.needed > 1e8 && planned.missed.missing === planned.missed.needed - 1e8);
  assert.ok(planned.expected.recall > 0.9 && planned.expected.set.length > 3);
  assert.ok(planned.why.length >= 3 && planned.why.every((why) => /^[A-Z0-9a-z].*\.$/.test(why)), planned.why.join("\n"));
  assert.deepEqual(planned.walBuffer, [32 << 20, 64 << 20]);
  assert.deepEqual(planned.shares, { hot: 60, warm: 30, cold: 5 });
});

test("more memory gives finer codes, and none more than there is", async () => {
  let last = 0;
  for (const budget of [30, 100, 200, 300, 600, 1000, 2000, 8000].map((megabytes) => megabytes * 1e6)) {
    const { resident, residency, expected } = await plan({ ...asked, budget });
    assert.ok(resident.total <= budget, `${resident.total} of ${budget}`);
    assert.ok(resident.total >= last, `${resident.total} in ${budget}, ${last} before`);
    assert.ok(residency === "pages" || resident.codes > 0);
    assert.ok(expected.recall > 0.9);
    last = residency === "pages" ? resident.total : 0;
  }
});

test("an index is built and opened as it was planned", async () => {
  const [rows, dim] = [3000, 32];
  const matrix = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * i) + Math.cos(i >> 5));
  const { codec, refine, graph, clusters, index: answers, memoryBudget, resident, file } = await plan({ rows, dim, budget: "3MB", codec: "sq4", refine: "f16" });
  const bytes = await build(matrix, { dim, codec, refine, graph, clusters });
  assert.ok(Math.abs(bytes.length / file - 1) < 0.05, `${bytes.length} bytes, ${file} planned`);
  const index = await open(bytes, { memoryBudget });
  await index.load();
  const { plan: said } = await index.explain(matrix.slice(0, dim));
  assert.ok(said.startsWith(answers), said);
  assert.ok(index.stats().resident <= resident.total);
  await index.close();
});

test("what cannot be planned is refused", async () => {
  const refused = async (options, code, words) => {
    const error = await plan(options).then((planned) => assert.fail(JSON.stringify(planned)), (error) => error);
    assert.ok(error instanceof PagevecError, String(error));
    assert.deepEqual([error.code, [words].flat().filter((word) => !error.message.includes(word))], [code, []], error.message);
  };
  await refused(undefined, "argument", "rows: 1e6");
  for (const name of ["rows", "dim"]) {
    for (const value of [0, -1, 1.5, NaN, Infinity, "7", 2 ** 60, undefined]) await refused({ ...asked, [name]: value }, "argument", name);
  }
  for (const budget of [0, -1, NaN, "much", "1e400", undefined, 2 ** 60]) await refused({ ...asked, budget }, "argument", "budget");
  await refused({ ...asked, rows: 2 ** 31 }, "argument", ["rows", "2147483647"]);
  await refused({ ...asked, dim: 65_536 }, "argument", ["dim", "65535"]);
  await refused({ ...asked, codec: "sq9" }, "argument", ["sq9", "did you mean"]);
  await refused({ ...asked, codec: 8 }, "argument", "codec");
  await refused({ ...asked, codec: "pq800" }, "argument", "pq768");
  await refused({ ...asked, refine: "sq4" }, "argument", "refine");
  await refused({ ...asked, payload: ["keywrd:10"] }, "argument", "did you mean keyword?");
  await refused({ ...asked, payload: [7] }, "argument", "payload");
  await refused({ ...asked, payload: "keyword:0" }, "argument", "keyword");
  await refused({ ...asked, ids: "text:many" }, "argument", "ids");
  await refused({ ...asked, codc: "sq8" }, "argument", "codec");
  await refused({ ...asked, budget: "1MB" }, "budget", "give at least");
});

test("the least budget that an error names works", async () => {
  const { message } = await plan({ ...asked, budget: "1MB" }).catch((error) => error);
  const least = Number(/at least (\d+)/.exec(message)[1]);
  const { resident } = await plan({ ...asked, budget: least });
  assert.ok(resident.total <= least && resident.total > least * 0.9, `${resident.total} of ${least}`);
  await assert.rejects(plan({ ...asked, budget: least - 1 }), { code: "budget" });
});
