// The examples in README.md and docs/.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const { PAGEVEC_ROOT: root } = process.env;

/** Name of the document and its text. */
export const documents = new Map();
if (root) {
  const docs = (await readdir(join(root, "docs"))).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`);
  for (const name of ["README.md", ...docs]) documents.set(name, await readFile(join(root, name), "utf8"));
}

/** The code block after `<!-- example: name -->`, in any document. */
export function example(name) {
  const block = new RegExp(`<!-- example: ${name} -->\\n\`\`\`\\w+\\n([^]*?)\\n\`\`\``);
  const found = [...documents.values()].map((text) => block.exec(text)).filter(Boolean);
  assert.equal(found.length, 1, `examples ${name}`);
  return found[0][1];
}
