// The package's types: every public type has a name, every field a text for editors, and projects of several versions of TypeScript
// compile strictly against the installed package, its declarations included.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const tools = root && createRequire(join(root, "xtask/node_modules/"));
const installed = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const folder = await mkdtemp(join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, ".types-"));
after(() => rm(folder, { recursive: true, force: true }));

const NAMES = [
  "BatchOptions", "BuildOptions", "BuildProgress", "BuildWarning", "CacheOptions", "CallOptions", "Codec", "Embed", "Embedded", "Explanation", "Facet", "FacetOptions", "Fields", "Filter", "GeoPoint", "GetOptions", "Hit", "HitArrays", "Id", "Index",
  "IndexChoice", "IndexName", "IndexSource", "Info", "Metric", "Missing", "OpenOptions", "PagevecError", "PrefetchChoice", "Progress", "Query", "Row", "RowOptions", "SearchOptions", "Section", "SegmentInfo",
  "Stats", "StoredRow", "Vector", "WasmSource",
];

for (const entry of ["node", "browser"]) {
  test(`every type of ${entry} has a name, and every field a text`, { skip }, () => {
    const ts = tools("typescript-5.9");
    const file = join(installed, `types/${entry}.d.ts`);
    const program = ts.createProgram([file], { strict: true, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] });
    const checker = program.getTypeChecker();
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
    const names = exported.map(({ name }) => name);
    for (const name of [...NAMES, "open", "build"]) assert.ok(names.includes(name), `${entry}: ${name} is not exported`);
    const bare = new Set();
    const seen = new Set();
    const look = (type, path) => {
      if (seen.has(type)) return;
      seen.add(type);
      if (type.isUnionOrIntersection()) return type.types.forEach((one) => look(one, path));
      for (const argument of checker.getTypeArguments?.(type.objectFlags & ts.ObjectFlags.Reference ? type : { objectFlags: 0 }) ?? []) look(argument, path);
      for (const field of type.getProperties()) {
        const [declaration] = field.declarations ?? [];
        if (!declaration?.getSourceFile().fileName.startsWith(join(installed, "types/")) || field.name.startsWith("__") || field.name.startsWith("#")) continue;
        const text = ts.displayPartsToString(field.getDocumentationComment(checker)) + field.getJsDocTags(checker).map(({ name }) => name);
        if (!text) bare.add(`${path}.${field.name}`);
        look(checker.getTypeOfSymbol(field), `${path}.${field.name}`);
      }
    };
    for (const symbol of exported) look(checker.getDeclaredTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol), symbol.name);
    assert.deepEqual([...bare], [], "fields without a text");
    assert.ok(seen.size > 100, `${seen.size} types were looked at`);
  });
}

/** Each entry but those that have the types of another. */
const VALUES = {
  "node.d.ts": ["Index", "PagevecError", "build", "open", "publication", "publish"],
  "browser.d.ts": ["Index", "PagevecError", "build", "open"],
  "entries/inline.d.ts": ["Index", "PagevecError", "open"],
  "entries/build.d.ts": ["PagevecError", "build"],
  "entries/plan.d.ts": ["PagevecError", "plan"],
  "collection/entries/node.d.ts": ["Collection", "PagevecError", "openCollection"],
  "collection/entries/browser.d.ts": ["Collection", "PagevecError", "openCollection"],
  "commonjs.d.cts": ["Index", "PagevecError", "build", "open", "publication", "publish"],
};

for (const [file, values] of Object.entries(VALUES)) {
  test(`${file} declares what its entry exports`, { skip }, async () => {
    const ts = tools("typescript-5.9");
    const program = ts.createProgram([join(installed, "types", file)], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] });
    const checker = program.getTypeChecker();
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFiles().at(-1)));
    assert.deepEqual(exported.filter(({ flags }) => flags & ts.SymbolFlags.Value).map(({ name }) => name).sort(), values);
    const code = { "node.d.ts": "node.js", "browser.d.ts": "browser.js", "commonjs.d.cts": "commonjs.cjs", "collection/entries/node.d.ts": "collection-node.js", "collection/entries/browser.d.ts": "collection.js" }[file] ?? file.replace(/^entries\/(.*)\.d\.ts$/, "$1.js");
    const loaded = Object.keys(await import(join(installed, "dist", code))).filter((name) => !["default", "module.exports", "__esModule"].includes(name));
    assert.deepEqual(loaded.sort(), values);
  });
}

const USE = `
import { open, build, PagevecError, Index } from "pagevec";
import type { ${NAMES.filter((name) => !["PagevecError", "Index"].includes(name)).join(", ")} } from "pagevec";

const embed: Embed = Object.assign(async (texts: string[]) => texts.map(() => new Float32Array(2)), { model: "two" });
const options: OpenOptions = { memoryBudget: "64MB", embed, worker: true, cache: false, prefetch: "codes", onProgress: ({ phase, done }: Progress) => void [phase, done] };
export async function use(source: IndexSource, signal: AbortSignal): Promise<Hit[]> {
  const built: BuildOptions = { metric: "l2", codec: "pq96", refine: "sq8", onWarning: ({ code }: BuildWarning) => void code };
  const bytes = await build([[1, 2], [3, 4]], built);
  await build(["one", "two"], { embed, signal });
  const index: Index = await open(source, options);
  const info: Info = index.info;
  const metric: Metric = info.metric;
  const codec: Codec = info.codec;
  const search: SearchOptions = { k: 3, offset: 3, minScore: 0.2, index: "clusters", exclude: ["a"], among: new Float64Array([1]), signal };
  const hits: Hit[] = await index.search({ text: "one" }, search);
  const lists: Hit[][] = await index.searchBatch([[1, 2]], { k: 1 });
  const arrays: HitArrays = await index.searchBatch(new Float32Array(4), { arrays: true });
  const query: Query = { id: hits[0]?.id ?? 0 };
  const [row]: (Row | undefined)[] = await index.get([1, 2], { fields: ["title"], signal } satisfies GetOptions);
  const fields: Fields | undefined = row?.fields;
  const { plan, segments }: Explanation = await index.explain(query);
  const stats: Stats = index.stats();
  const file: Blob = await index.save({ signal });
  await index.load();
  const vector: Vector = await index.vector("a");
  const id: Id = hits[0]!.id;
  try {
    await index.close();
  } catch (error) {
    if (error instanceof PagevecError && error.code === "closed") return [];
  }
  // @ts-expect-error
  await index.search(vector, { k: "3" });
  // @ts-expect-error
  await index.search(vector, { index: "ivf" });
  // @ts-expect-error
  await build([[1, 2]], { metric: "euclid" });
  // @ts-expect-error
  await build([[1, 2]], { codec: "sq7" });
  void [bytes, metric, codec, lists, arrays, plan, segments, stats, file, id, fields];
  return hits;
}
`;

const TYPED = `
import { open, type Facet, type Filter, type GeoPoint, type Hit, type Index } from "pagevec";
type Shop = { pos: "n" | "v"; tags: string[]; price: number; at: Date; near: GeoPoint; sold?: boolean };
interface Named { title: string }
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <T extends true>(): T | undefined => undefined;

export async function use(signal: AbortSignal): Promise<void> {
  const index = await open<Shop>("shop/");
  const filter: Filter<Shop> = {
    pos: "n", tags: { $all: ["new", "red"], $nin: ["old"] }, price: { $gte: 10, $lt: 50 }, at: { $gt: new Date(), $lte: "2026-11-26T18:00:00Z" }, sold: { $exists: false },
    near: { $geo: { lat: 52.5, lon: 13.4, radius: 10_000 } }, $or: [{ pos: { $in: ["n", "v"] } }, { $not: { price: 3 } }], $and: [{ near: { $geo: { north: 1, south: 0, west: 179, east: -179 } } }],
  };
  const [named] = await index.search([1, 2], { filter, fields: ["pos", "at", "near"], signal });
  is<Same<typeof named, Hit<Shop, ("pos" | "at" | "near")[]> | undefined>>();
  if (named) {
    const pos: "n" | "v" = named.fields.pos;
    const at: string = named.fields.at;
    const lat: number = named.fields.near.lat;
    // @ts-expect-error
    named.fields.price;
    void [pos, at, lat];
  }
  const [all] = await index.search({ text: "shoes" }, { fields: true });
  const sold: boolean | undefined = all?.fields.sold;
  const tags: string[] | undefined = all?.fields.tags;
  const [bare] = await index.search([1, 2]);
  // @ts-expect-error
  bare!.fields.pos;
  const [list] = await index.searchBatch([[1, 2]], { filter, fields: ["price"] });
  const price: number | undefined = list?.[0]?.fields.price;
  const { hits } = await index.explain([1, 2], { filter, fields: ["price"] });
  const again: number | undefined = hits[0]?.fields.price;
  const [row] = await index.get([1], { fields: ["price"] });
  const [whole] = await index.get([1]);
  const prices: (number | undefined)[] = [row?.fields.price, whole?.fields.price];
  const matches: number = await index.count(filter, { signal }) + await index.count();
  const facets: Facet<string>[] = await index.facets("tags", { filter: { pos: "v" }, limit: 3 });
  const years: Facet<string>[] = await index.facets("at");
  for await (const { id } of index.rows({ filter, sortBy: "price", descending: true, offset: 10, limit: 10, fields: ["pos"] })) void id;
  // @ts-expect-error
  index.rows({ sortBy: "prise" });
  // @ts-expect-error
  await index.search([1, 2], { filter: { prise: 3 } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { price: "3" } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { price: { $lt: "3" } } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { pos: { $gt: "n" } } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { pos: { $in: ["x"] } } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { $or: [{ prise: 3 }] } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { near: 3 } });
  // @ts-expect-error
  await index.search([1, 2], { filter: { price: { $less: 3 } } });
  // @ts-expect-error
  await index.search([1, 2], { fields: ["prise"] });
  // @ts-expect-error
  await index.count({ prise: 3 });
  // @ts-expect-error
  await index.facets("prise");

  const titled: Index<Named> = await open<Named>("docs/");
  const title: string | undefined = (await titled.search([1, 2], { fields: true, filter: { title: { $ne: "x" } } }))[0]?.fields.title;
  const anything: Index = index;
  const loose: Hit[] = await anything.search([1, 2], { filter: { any: { $lt: 3 } }, fields: ["any"] });
  const field: string = loose[0]?.fields?.any;
  const counts: Facet[] = await anything.facets("any");
  void [sold, tags, price, again, prices, matches, facets, years, title, field, counts];
}
`;

const MORE = `
import { open, type Hit, type OpenOptions } from "pagevec/inline";
import { build, type BuildOptions } from "pagevec/build";
import * as fixed from "pagevec/static";
import search from "pagevec/pagevec.wasm";
import "pagevec/worker";
import { Collection, openCollection, type Backup, type ChangeEvent, type CollectionOptions, type CollectionStats, type CompactProgress, type ExportedIndex, type FlushOptions, type ImportOptions, type ImportSource, type Item, type RowOptions, type StoredRow, type Updated, type UpsertOptions } from "pagevec/collection";
import "pagevec/collection-worker";
export async function change(flush: FlushOptions, more: UpsertOptions): Promise<StoredRow[]> {
  const options: CollectionOptions = { dim: 2, metric: "cosine", refine: "f16", schema: { stars: "integer", url: "stored" }, durability: "relaxed", flush };
  const notes: Collection = await openCollection("notes", options);
  const items: Item[] = [{ id: "a", vector: [1, 2], fields: { title: "x" } }];
  const { upserted }: { upserted: number } = await notes.upsert(items);
  await notes.upsert([1, 2], new Float32Array(4), more);
  const updated: Updated = await notes.update("a", { stars: 3, draft: undefined });
  const changed: Promise<Updated> = notes.update([1, 2], [{ stars: 3 }, { stars: null }]);
  const counts: { value: string | number | boolean, count: number }[] = await notes.facets("stars", { filter: { draft: true }, limit: 3 });
  const counted: number = await notes.countMatching({ stars: { $gte: 3 } });
  for await (const row of notes.rows({ filter: { stars: 3 }, sortBy: "stars", descending: true, offset: 1, limit: 2, fields: ["stars"] })) void row.id;
  void [updated.updated, updated.missing, changed, counts, counted];
  const end: () => void = notes.on("change", ({ origin, deleted }: ChangeEvent) => void [origin, deleted]);
  await notes.compact({ onProgress: ({ done }: CompactProgress) => void done });
  const { name, segment, manifest }: ExportedIndex = await notes.export();
  const backup: Backup = await notes.backup();
  const copied: void = await notes.backup("folder");
  const importing: ImportOptions = { headers: { authorization: "x" } };
  for (const source of [segment, "https://example.com/words/"] as ImportSource[]) await notes.import(source, importing);
  await openCollection("again", { from: backup });
  const wanted: RowOptions = { vectors: true };
  const rows: StoredRow[] = [];
  for await (const row of notes.rows(wanted)) rows.push(row);
  await notes.import(rows);
  const { persistent, role }: CollectionStats = notes.stats();
  // @ts-expect-error
  await notes.upsert([{ vector: [1, 2] }]);
  // @ts-expect-error
  await openCollection("notes", { metric: "euclid" });
  void [upserted, end, name, manifest, copied, persistent, role, notes.count];
  return rows;
}
export async function use(options: BuildOptions, wasm: OpenOptions): Promise<Hit[]> {
  const bytes: Uint8Array = await build([[1, 2]], options);
  const index = await (bytes.length > 0 ? open : fixed.open)(bytes, wasm);
  void search;
  return index.search([1, 2], { fields: true });
}
`;

const REQUIRED = `
import pagevec = require("pagevec");
const options: pagevec.OpenOptions = { cache: false };
export const index: Promise<pagevec.Index> = pagevec.open("words/", options);
`;

const DOM = ["ES2022", "DOM", "DOM.Iterable"];
/** Each with and without the DOM, whose types Node's replace. */
const PROJECTS = [
  ["typescript-5.0", "node16", "node16", ["ES2022"]],
  ["typescript-5.0", "esnext", "bundler", DOM],
  ["typescript", "nodenext", "nodenext", ["ES2022"]],
  ["typescript", "esnext", "bundler", DOM],
];

for (const [version, module, moduleResolution, lib] of PROJECTS) {
  test(`${version}, ${moduleResolution}, ${lib.includes("DOM") ? "with" : "without"} DOM: strict, without skipLibCheck`, { skip }, async () => {
    const dom = lib.includes("DOM");
    const project = join(folder, `${version}-${moduleResolution}`);
    await mkdir(join(project, "node_modules/@types"), { recursive: true });
    await symlink(installed, join(project, "node_modules/pagevec"));
    const compilerOptions = {
      strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true, preserveSymlinks: true, target: "ES2022", module, moduleResolution, lib,
      types: dom ? [] : ["node"], typeRoots: [join(root, "xtask/node_modules/@types")], ...(moduleResolution === "bundler" && { customConditions: ["browser"] }),
    };
    await writeFile(join(project, "package.json"), '{ "type": "module" }');
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "*.cts"] }));
    await writeFile(join(project, "use.ts"), USE);
    await writeFile(join(project, "more.ts"), MORE);
    await writeFile(join(project, "typed.ts"), TYPED);
    if (moduleResolution !== "bundler") await writeFile(join(project, "required.cts"), REQUIRED);
    const tsc = join(dirname(tools.resolve(`${version}/package.json`)), "bin/tsc");
    const { stdout = "" } = await promisify(execFile)(process.execPath, [tsc, "-p", project]).catch((error) => error);
    assert.equal(stdout, "");
  });
}
