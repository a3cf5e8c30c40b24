// Queries and truths in .npy files, and recall.
import { readFile } from "node:fs/promises";

/**
 * @param {{ name: string, about: string, folder: string, queries: string, truth: string, queriesAtMost: number }} set
 */
export async function load(set) {
  const queries = await npy(set.queries, set.queriesAtMost);
  const truth = await npy(set.truth, set.queriesAtMost);
  return { ...set, dim: queries.columns, count: Math.min(queries.rows, truth.rows), queries: queries.data, truth };
}

/** The share of the ten nearest rows among the hits. */
export function recall(searches, truth, k = 10) {
  let found = 0;
  for (const { number, ids } of searches) {
    const near = truth.data.subarray(number * truth.columns, number * truth.columns + k);
    found += ids.filter((id) => near.includes(id)).length;
  }
  return found / (k * searches.length);
}

async function npy(path, limit) {
  const file = await readFile(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString("latin1", 10, start);
  const [, kind] = /'descr': '([^']+)'/.exec(header);
  const [, total, columns] = /\((\d+), (\d+)\)/.exec(header).map(Number);
  const rows = Math.min(total, limit);
  const read = {
    "<f2": (at) => half(file.readUInt16LE(start + 2 * at)),
    "<f4": (at) => file.readFloatLE(start + 4 * at),
    "<i4": (at) => file.readInt32LE(start + 4 * at),
  }[kind];
  if (!read) throw new Error(`${path}: ${kind} is none of <f2, <f4, <i4`);
  const data = new (kind === "<i4" ? Int32Array : Float32Array)(rows * columns);
  for (let at = 0; at < data.length; at++) data[at] = read(at);
  return { rows, columns, data };
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}
