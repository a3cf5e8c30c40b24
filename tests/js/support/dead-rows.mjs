// The file of a segment's dead rows, as FORMAT.md describes it under "Position sets", written from that text alone.

const MASK = (1n << 64n) - 1n;
const FOLD = 0x9e3779b97f4a7c15n;
/** Of the checksums of sets. */
const SEED = 0x53455453n;
/** The first 128 bytes of XXH3's secret: inputs of up to 128 bytes need no more. */
const SECRET = view(Buffer.from(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
  "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364",
  "hex",
));

function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const multiply = (a, b) => ((a * b) & MASK) ^ ((a * b) >> 64n);
const rotate = (x, bits) => ((x << bits) | (x >> (64n - bits))) & MASK;

function swapped(x) {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, x);
  return bytes.getBigUint64(0, true);
}

function avalanche(h) {
  h = ((h ^ (h >> 37n)) * 0x165667919e3779f9n) & MASK;
  return h ^ (h >> 32n);
}

/** XXH3-64 of 1 to 128 bytes. */
export function xxh3(seed, bytes) {
  const [data, length] = [view(bytes), bytes.length];
  if (length < 1 || length > 128) throw new Error(`xxh3 of ${length} bytes is not needed here`);
  const at = (offset) => data.getBigUint64(offset, true);
  const secret = (offset) => SECRET.getBigUint64(offset, true);
  if (length <= 3) {
    const all = BigInt(((bytes[length >> 1] << 24) | (bytes[0] << 16) | (length << 8) | bytes[length - 1]) >>> 0);
    let h = all ^ ((BigInt((SECRET.getUint32(0, true) ^ SECRET.getUint32(4, true)) >>> 0) + seed) & MASK);
    h = ((h ^ (h >> 33n)) * 0xc2b2ae3d27d4eb4fn) & MASK;
    h = ((h ^ (h >> 29n)) * 0x165667b19e3779f9n) & MASK;
    return h ^ (h >> 32n);
  }
  if (length <= 8) {
    seed ^= BigInt(swapped32(Number(seed & 0xffffffffn))) << 32n;
    const both = BigInt(data.getUint32(length - 4, true)) + (BigInt(data.getUint32(0, true)) << 32n);
    let h = both ^ (((secret(8) ^ secret(16)) - seed) & MASK);
    h ^= rotate(h, 49n) ^ rotate(h, 24n);
    h = (h * 0x9fb21c651e98df25n) & MASK;
    h ^= (h >> 35n) + BigInt(length);
    h = (h * 0x9fb21c651e98df25n) & MASK;
    return h ^ (h >> 28n);
  }
  if (length <= 16) {
    const low = at(0) ^ (((secret(24) ^ secret(32)) + seed) & MASK);
    const high = at(length - 8) ^ (((secret(40) ^ secret(48)) - seed) & MASK);
    return avalanche((BigInt(length) + swapped(low) + high + multiply(low, high)) & MASK);
  }
  let sum = BigInt(length) * 0x9e3779b185ebca87n;
  const mix = (offset, key) => (sum += multiply(at(offset) ^ ((secret(key) + seed) & MASK), at(offset + 8) ^ ((secret(key + 8) - seed) & MASK)));
  for (let i = Math.ceil(length / 32) - 1; i >= 0; i--) {
    mix(16 * i, 32 * i);
    mix(length - 16 * (i + 1), 32 * i + 16);
  }
  return avalanche(sum & MASK);
}

function swapped32(x) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, x);
  return bytes.getUint32(0, true);
}

/** The file for positions below 65,536 that fit one block of gaps. */
export function encodeDead(fileId, positions) {
  const sorted = [...positions].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((position, i) => position - sorted[i] - 1);
  const width = Math.max(0, ...gaps.map((gap) => 32 - Math.clz32(gap)));
  const chunk = new Uint8Array(3 + Math.ceil((gaps.length * width) / 8));
  view(chunk).setUint16(0, sorted[0], true);
  chunk[2] = width;
  gaps.forEach((gap, i) => {
    for (let bit = 0; bit < width; bit++) if ((gap >> bit) & 1) chunk[3 + ((i * width + bit) >> 3)] |= 1 << ((i * width + bit) & 7);
  });
  const fileSeed = xxh3(0n, Buffer.from(fileId, "hex"));
  const sum = (offset, bytes) => xxh3(((fileSeed ^ SEED) + BigInt(offset) * FOLD) & MASK, bytes);
  const head = new Uint8Array(28);
  const out = view(head);
  out.setUint32(0, 1, true);
  out.setUint16(6, sorted.length - 1, true);
  out.setUint16(8, chunk.length, true);
  out.setBigUint64(12, sum(28, chunk), true);
  out.setBigUint64(20, sum(0, head.subarray(0, 20)), true);
  return new Uint8Array([...head, ...chunk]);
}

/** The positions that rows with these text ids have in the file. */
export function positionsOf(bytes, { count, sections }, ids) {
  const { offset } = sections.find(({ name }) => name === "ids");
  const data = view(bytes);
  const place = (position) => offset + 4 * (count + 1) + data.getUint32(offset + 4 * position, true);
  const text = new TextDecoder();
  const all = Array.from({ length: count }, (_, position) => text.decode(bytes.subarray(place(position), place(position + 1))));
  return ids.map((id) => all.indexOf(id));
}
