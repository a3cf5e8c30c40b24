// Writes the table of docs/bundlers.md from the results of a run of all rows, and its first line into README.md. Environment: RESULTS.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const [file, readme] = ["docs/bundlers.md", "README.md"].map((name) => fileURLToPath(new URL(`../../${name}`, import.meta.url)));
const rows = JSON.parse(await readFile(process.env.RESULTS, "utf8"));
const [BEGIN, END] = ["<!-- results -->", "<!-- end of results -->"];

function verdict({ results, line }) {
  const all = Object.values(results);
  const unrun = all.find((what) => what.startsWith("unrun: "));
  if (all.every((what) => what === "ok")) return line ? "works with one line, see below" : "works";
  return unrun ? unrun.replace("unrun: ", "not run: ") : "fails";
}

/** The exact versions, as code: they are names here, not figures. */
const versionOf = ({ packages, major }) => (packages ? Object.entries(packages).map(([name, version]) => `\`${name}@${version}\``).join(", ") : major);
const table = rows.map((row) => `| ${row.stack} | ${versionOf(row)} | ${row.modes.join(", ")} | ${verdict(row)} |`);
const works = rows.filter((row) => verdict(row) === "works").length;
const date = new Date().toISOString().slice(0, 10);
const counted = `Measured on ${date}, \`epyc-2\`: ${works} of ${rows.length} rows work without configuration.`;
const text = `${BEGIN}
${counted}

| stack | installed | modes | result |
|---|---|---|---|
${table.join("\n")}
${END}`;
const old = await readFile(file, "utf8");
await writeFile(file, old.slice(0, old.indexOf(BEGIN)) + text + old.slice(old.indexOf(END) + END.length));
const told = await readFile(readme, "utf8");
await writeFile(readme, told.replace(/^Measured on .* rows work without configuration\.$/m, counted));
