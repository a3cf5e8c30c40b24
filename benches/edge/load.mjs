// The example of an edge worker (examples/edge) in workerd, under load on this machine: errors, times, and the most memory.
//
//   cargo xtask pkg && pagevec build $PAGEVEC_DATA/wordnet/base.f16.npy --codec pq96 -o FOLDER
//   PAGEVEC_DATA=../shared/data node --experimental-websocket benches/edge/load.mjs FOLDER [REQUESTS] [AT_ONCE]
//
// Node 22 needs no flag. The queries are wordnet's own; the package is that of target/pkg/stage. The result is printed as Markdown.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { npyRows } from "../../tests/js/support/npy.mjs";
import { markdown, measure } from "./measure.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const workerd = process.env.WORKERD ?? join(root, `xtask/node_modules/@cloudflare/workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}/bin/workerd`);
const [folder, requests = 10_000, atOnce = 16] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const queries = await npyRows(join(process.env.PAGEVEC_DATA, "wordnet/queries.f16.npy"), 5000);
const environment = { LOAD: "true", MEMORY_BUDGET: "32MiB" };
console.log(markdown(await measure({ root, pkg: join(target, "pkg/stage"), workerd, folder, queries, environment, requests, atOnce })));
