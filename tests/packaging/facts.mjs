// What tools say of the packed package: publint, and whether its types are those of its files. Environment as for run.mjs.
import { join } from "node:path";
import { makeProject } from "./harness/project.mjs";

const { TARBALL, WORK } = process.env;
const packages = { publint: "0.3.25", "@arethetypeswrong/cli": "0.18.5" };
/** These are for pages and workers, which load ES modules only; resolvers from before "exports" do not see them. */
const FOR_PAGES = ["./static", "./build", "./plan", "./inline", "./worker"];
/** These are no modules of JavaScript, so no types can be right in all ways to resolve them. */
const NO_SCRIPTS = ["./pagevec.wasm", "./search.wasm", "./build.wasm", "./pagevec-build.wasm", "./integrity.json"];

const { run } = await makeProject(join(WORK, "facts"), { packages, tarball: TARBALL });
const said = await run("publint", ["run", TARBALL, "--strict"]);
console.log(said);
if (!said.includes("All good!")) throw new Error("publint has something to say");
console.log(await run("attw", [TARBALL, "--no-emoji", "--exclude-entrypoints", ...FOR_PAGES, ...NO_SCRIPTS]));
console.log(await run("attw", [TARBALL, "--no-emoji", "--profile", "esm-only", "--entrypoints", ...FOR_PAGES]));
