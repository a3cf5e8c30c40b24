// A collection in JS with the calls of the WebAssembly class `Collection`, for tests of all that stands around that class: it keeps
// rows in a map, scans them, and writes a log, segments and two manifests as JSON, each with its length and a sum. It loses nothing that
// was synced, applies a request once, and knows no memory limits. It imports nothing: pages load this file too.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LOGS = 3;

const failure = (code, message) => Object.assign(new Error(message), { code });

function sum(bytes) {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return hash;
}

/** Length, sum, JSON. */
function frame(value) {
  const body = encoder.encode(JSON.stringify(value));
  const all = new Uint8Array(8 + body.length);
  const view = new DataView(all.buffer);
  view.setUint32(0, body.length);
  view.setUint32(4, sum(body));
  all.set(body, 8);
  return all;
}

/** The value of the frame at `offset`, and where it ends; undefined where none is whole. */
function unframe(file, offset) {
  const head = new Uint8Array(8);
  if (file.read(head, offset) < 8) return undefined;
  const view = new DataView(head.buffer);
  const length = view.getUint32(0);
  if (length === 0 || offset + 8 + length > file.length()) return undefined;
  const body = new Uint8Array(length);
  if (file.read(body, offset + 8) < length || sum(body) !== view.getUint32(4)) return undefined;
  return { value: JSON.parse(decoder.decode(body)), end: offset + 8 + length };
}

/** Opens a file to write, which is made if it is not there. */
function ready(dir, name) {
  try {
    return dir.open(name, "write");
  } catch (error) {
    if (error.kind !== "not-found") throw error;
    const file = dir.open(name, "create");
    dir.sync();
    return file;
  }
}

function readManifest(dir) {
  const found = [];
  for (const name of ["manifest.a", "manifest.b"]) {
    try {
      const file = dir.open(name, "read");
      found.push(unframe(file, 0)?.value);
      file.close();
    } catch (error) {
      if (error.kind !== "not-found") throw error;
    }
  }
  // A crash while it was made left half a manifest, and nothing beside it.
  const isNew = !dir.list().some(({ name, length }) => /^(wal|seg)-/.test(name) && length > 0);
  if (!isNew && !found.some(Boolean)) throw failure("corrupt", "no manifest is valid: restore a backup");
  return found.filter(Boolean).sort((a, b) => b.generation - a.generation)[0];
}

export class Collection {
  #dir;
  #options;
  #manifest;
  #rows = new Map();
  /** Ids that changed since the last flush; null: deleted. */
  #fresh = new Set();
  #log;
  #end = 0;
  #clients = new Map();
  #sequence = 0;
  #poisoned = false;
  #jobs = new Map();
  #unused = new Set();

  static open(dir, text, now) {
    return new Collection(dir, JSON.parse(text), now);
  }

  constructor(dir, options) {
    this.#dir = dir;
    this.#options = options;
    if (!options.readOnly && !dir.lock()) throw failure("locked", "another process writes this collection: end it, or open with readOnly");
    let manifest = readManifest(dir);
    if (!manifest) {
      if (!options.create) throw failure("not-found", "there is no collection here: leave out `create: false`");
      if (!options.dim) throw failure("argument", "a new collection needs `dim`");
      const { dim, metric = "cosine", codec = "sq8", refine, ids } = options;
      manifest = { generation: 0, dim, metric, codec, refine, ids, log: 0, sequence: 0, segments: [], next: 0, clients: [] };
    }
    for (const name of ["dim", "metric", "codec", "refine"]) {
      if (options[name] !== undefined && options[name] !== manifest[name]) throw failure(name === "dim" ? "dimension" : "argument", `this collection has ${name} ${manifest[name]}, not ${options[name]}`);
    }
    this.#manifest = manifest;
    this.#sequence = manifest.sequence;
    this.#clients = new Map(manifest.clients);
    for (const { name } of manifest.segments) {
      const file = dir.open(name, "read");
      const whole = unframe(file, 0);
      if (!whole) throw failure("corrupt", `${name} is damaged: restore a backup`);
      for (const [id, row] of whole.value) this.#rows.set(id, { ...row, vector: Float32Array.from(row.vector) });
      file.close();
    }
    for (const id of manifest.dead ?? []) this.#rows.delete(id);
    this.#replay();
    const named = new Set(manifest.segments.map(({ name }) => name));
    for (const { name } of dir.list()) if (/^seg-\d+$/.test(name) && !named.has(name)) this.#unused.add(name);
    if (options.readOnly) return;
    if (manifest.generation === 0) this.#commit({});
    this.#log = ready(dir, `wal-${this.#manifest.log % LOGS}`);
  }

  #replay() {
    for (let number = this.#manifest.log; ; number++) {
      let file;
      try {
        file = this.#dir.open(`wal-${number % LOGS}`, "read");
      } catch (error) {
        if (error.kind === "not-found") return;
        throw error;
      }
      let at = 0;
      for (let one; (one = unframe(file, at)) && one.value.log === number; at = one.end) this.#apply(one.value);
      file.close();
      if (at === 0) return;
      this.#manifest = { ...this.#manifest, log: number };
      this.#end = at;
    }
  }

  #apply({ sequence, client, request, put = [], remove = [], clear }) {
    this.#sequence = sequence;
    this.#clients.set(client, request);
    if (clear) for (const id of this.#rows.keys()) this.#fresh.add(id);
    if (clear) this.#rows.clear();
    for (const [id, vector, fields] of put) {
      this.#manifest.ids ??= typeof id === "string" ? "text" : "number";
      this.#rows.set(id, { vector: Float32Array.from(vector), fields });
      this.#fresh.add(id);
    }
    for (const id of remove) if (this.#rows.delete(id)) this.#fresh.add(id);
  }

  /** One frame, written; applied if it was. */
  #write(client, request, change) {
    if (this.#options.readOnly) throw failure("read-only", "this collection was opened to read");
    if (this.#poisoned) throw failure("poisoned", "a write failed: open the collection again");
    const [who, number] = [String(client), Number(request)];
    if ((this.#clients.get(who) ?? 0) >= number) return { sequence: this.#sequence, applied: false };
    const entry = { log: this.#manifest.log, sequence: this.#sequence + 1, client: who, request: number, ...change };
    this.#guarded(() => {
      const bytes = frame(entry);
      this.#log.write(bytes, this.#end);
      this.#end += bytes.length;
    });
    this.#apply(entry);
    return { sequence: this.#sequence, applied: true };
  }

  #guarded(action) {
    try {
      return action();
    } catch (error) {
      this.#poisoned = true;
      throw error;
    }
  }

  upsert(ids, vectors, fields, client, request) {
    const { dim } = this.#manifest;
    const kind = typeof ids[0] === "string" ? "text" : "number";
    if (ids.length > 0 && this.#manifest.ids && this.#manifest.ids !== kind) throw failure("argument", `this collection has ids of the kind ${this.#manifest.ids}`);
    if (vectors.length !== ids.length * dim) throw failure("dimension", `${vectors.length} numbers for ${ids.length} rows of ${dim}`);
    const put = Array.from(ids, (id, i) => [id, stored(this.#manifest.metric, vectors.subarray(i * dim, (i + 1) * dim)), fields?.[i] ?? null]);
    return JSON.stringify({ upserted: ids.length, ...this.#write(client, request, { put }) });
  }

  delete(ids, client, request) {
    const remove = [...ids].filter((id) => this.#rows.has(id));
    return JSON.stringify({ deleted: remove.length, ...this.#write(client, request, { remove }) });
  }

  clear(client, request) {
    return JSON.stringify({ deleted: this.#rows.size, ...this.#write(client, request, { clear: true }) });
  }

  search(queries, text) {
    const { dim, metric } = this.#manifest;
    const { k, id, exclude, among, fields } = JSON.parse(text);
    if (id !== undefined && !this.#rows.has(id)) throw failure("unknown-id", `no row has the id ${id}`);
    const all = id === undefined ? queries : this.#rows.get(id).vector;
    const [without, only] = [new Set(exclude), among && new Set(among)];
    const answers = [];
    for (let at = 0; at < all.length; at += dim) {
      const query = all.subarray(at, at + dim);
      const hits = [...this.#rows].filter(([one]) => one !== id && !without.has(one) && (!only || only.has(one))).map(([id, row]) => ({ id, score: score(metric, query, row.vector), row }));
      hits.sort((a, b) => b.score - a.score);
      answers.push({ hits: hits.slice(0, k).map(({ id, score, row }) => ({ id, score, ...(fields && { fields: JSON.parse(row.fields ?? "{}") }) })), stats: {} });
    }
    return JSON.stringify(answers);
  }

  get(ids, vectors, fields) {
    const { dim } = this.#manifest;
    const rows = Array.from(ids, (id) => this.#rows.get(id));
    const out = { found: Uint8Array.from(rows, (row) => (row ? 1 : 0)) };
    if (vectors) {
      out.vectors = new Float32Array(rows.length * dim);
      rows.forEach((row, i) => row && out.vectors.set(row.vector, i * dim));
    }
    if (fields) out.fields = rows.map((row) => row?.fields ?? null);
    return out;
  }

  ids(after, limit) {
    const sorted = [...this.#rows.keys()].sort((a, b) => (a < b ? -1 : 1));
    return JSON.stringify(sorted.filter((id) => after === null || after === undefined || id > after).slice(0, limit));
  }

  count() {
    return this.#rows.size;
  }

  stats() {
    const { dim, metric, codec, refine, ids, segments } = this.#manifest;
    const unindexed = this.#fresh.size + segments.reduce((all, one) => all + (one.indexed ? 0 : one.rows), 0);
    return JSON.stringify({ dim, metric, codec, refine, ids, count: this.#rows.size, sequence: this.#sequence, unindexed, segments: segments.length, dead: 0 });
  }

  sync() {
    if (this.#poisoned) throw failure("poisoned", "a write failed: open the collection again");
    this.#guarded(() => this.#log?.flush());
  }

  tick() {}

  flush() {
    if (this.#fresh.size === 0) return false;
    return this.#guarded(() => {
      this.#log.flush();
      const name = `seg-${this.#manifest.next}`;
      const ids = [...this.#fresh].filter((id) => this.#rows.has(id));
      this.#writeSegment(ready(this.#dir, name), ids.map((id) => [id, this.#rows.get(id)]));
      this.#commit({ segments: [...this.#manifest.segments, { name, rows: ids.length, indexed: false }], next: this.#manifest.next + 1 });
      return true;
    });
  }

  #writeSegment(file, rows) {
    const bytes = frame(rows.map(([id, { vector, fields }]) => [id, { vector: [...vector], fields }]));
    file.write(bytes, 0);
    file.flush();
    file.close();
    return bytes.length;
  }

  /** All that was logged is in segments by now, or named as dead. */
  #commit(more) {
    const manifest = { ...this.#manifest, ...more };
    const rows = new Set(this.#rows.keys());
    manifest.dead = this.#fresh.size > 0 || more.segments ? [...this.#everWritten(manifest.segments)].filter((id) => !rows.has(id)) : manifest.dead;
    Object.assign(manifest, { generation: manifest.generation + 1, sequence: this.#sequence, clients: [...this.#clients], log: manifest.log + 1 });
    const file = ready(this.#dir, manifest.generation % 2 ? "manifest.a" : "manifest.b");
    file.write(frame(manifest), 0);
    file.flush();
    this.#manifest = manifest;
    this.#fresh.clear();
    this.#log = ready(this.#dir, `wal-${manifest.log % LOGS}`);
    this.#end = 0;
  }

  #everWritten(segments) {
    const ids = new Set();
    for (const { name } of segments) {
      const file = this.#dir.open(name, "read");
      for (const [id] of unframe(file, 0).value) ids.add(id);
      file.close();
    }
    return ids;
  }

  plan(all) {
    const { segments } = this.#manifest;
    if (this.#jobs.size > 0) return null;
    if (all && this.#fresh.size > 0) this.flush();
    const now = this.#manifest.segments;
    if (all ? now.length < 2 && now.every(({ indexed }) => indexed) : segments.filter(({ indexed }) => !indexed).length < 4) return null;
    const inputs = now.map(({ name }) => name);
    const id = (this.#jobs.lastId = (this.#jobs.lastId ?? 0) + 1);
    const output = `seg-${this.#manifest.next}`;
    this.#manifest = { ...this.#manifest, next: this.#manifest.next + 1 };
    this.#jobs.set(id, { inputs, output });
    return JSON.stringify({ id, inputs, output, rows: now.reduce((sum, { rows }) => sum + rows, 0), bytes: 0 });
  }

  job(id) {
    return encoder.encode(JSON.stringify({ inputs: this.#jobs.get(id).inputs.length, live: [...this.#rows.keys()] }));
  }

  commit(id, file, length) {
    const { inputs, output } = this.#jobs.get(id);
    const merged = this.#dir.open(file, "read");
    const whole = unframe(merged, 0);
    if (file !== output || merged.length() !== length || !whole) throw failure("corrupt", `${file} is not what was built`);
    merged.close();
    this.#jobs.delete(id);
    this.#guarded(() => {
      // What was written meanwhile is flushed, so that it stands behind the output.
      if (this.#fresh.size > 0) this.flush();
      const rest = this.#manifest.segments.filter(({ name }) => !inputs.includes(name));
      this.#commit({ segments: [{ name: output, rows: whole.value.length, indexed: true }, ...rest] });
    });
    for (const name of inputs) this.#unused.add(name);
    return true;
  }

  abandon(id) {
    this.#unused.add(this.#jobs.get(id)?.output);
    this.#jobs.delete(id);
  }

  export(onPiece, progress) {
    if (progress?.("export", 0, 1)) throw failure("cancelled", "the export was ended");
    const bytes = frame([...this.#rows].map(([id, { vector, fields }]) => [id, { vector: [...vector], fields }]));
    onPiece(bytes.subarray(0, 8), 0, bytes.length);
    onPiece(bytes.subarray(8), 8, bytes.length);
  }

  next_files() {
    return JSON.stringify([0, 1, 2].map((i) => `wal-${i}`).concat([0, 1].map((i) => `seg-${this.#manifest.next + i}`), "manifest.a", "manifest.b"));
  }

  unused_files() {
    return JSON.stringify([...this.#unused]);
  }

  forgotten(name) {
    this.#unused.delete(name);
  }

  close() {
    if (!this.#poisoned && !this.#options.readOnly) this.#log?.flush();
    this.#log = undefined;
  }

  free() {}
}

export function merge(job, inputs, output, progress) {
  const { live } = JSON.parse(decoder.decode(job));
  const keep = new Set(live);
  const rows = new Map();
  inputs.forEach((input, i) => {
    const file = { read: input.read, length: () => input.length };
    for (const [id, row] of unframe(file, 0).value) if (keep.has(id)) rows.set(id, row);
    if (progress?.("merge", i + 1, inputs.length)) throw failure("cancelled", "the merge was ended");
  });
  const bytes = frame([...rows]);
  output.write(bytes, 0);
  output.flush();
  return bytes.length;
}

/** Of unit length under cosine. */
function stored(metric, vector) {
  const length = metric === "cosine" ? Math.hypot(...vector) : 1;
  return Array.from(vector, (one) => one / length);
}

function score(metric, a, b) {
  let [dot, aa, bb, l2] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    l2 += (a[i] - b[i]) ** 2;
  }
  return metric === "l2" ? -l2 : metric === "dot" ? dot : dot / Math.sqrt(aa * bb);
}

/** In the place of the glue that starts a WebAssembly module. */
export async function instantiate() {
  return { Collection, merge, memory: new WebAssembly.Memory({ initial: 1 }) };
}
