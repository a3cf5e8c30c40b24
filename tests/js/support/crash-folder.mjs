// A folder of a collection that loses power: whatever was not flushed is kept, lost, torn or reordered, each write and each name on its
// own, as FileSystemSyncAccessHandles and file systems may. `crash` gives the folder as it may be found afterwards.

/** Numbers from a seed: xorshift. */
export function random(seed) {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const failure = (kind, name) => Object.assign(new Error(`${name}: ${kind}`), { kind, code: "io" });
/** Bytes that a disk writes at once. */
const SECTOR = 512;

class File {
  /** What a crash leaves, and what is seen. */
  durable = new Uint8Array(0);
  seen = new Uint8Array(0);
  /** Writes that are not flushed. */
  pending = [];

  write(bytes, offset) {
    this.#apply(bytes.slice(), offset);
  }

  /** Writes of nothing set the length. */
  #apply(bytes, offset) {
    this.pending.push([bytes, offset]);
    this.seen = patched(this.seen, bytes, offset);
  }

  truncate(length) {
    // A cut is kept or lost with what was written before.
    this.pending.push([undefined, length]);
    this.seen = resized(this.seen, length);
  }

  flush() {
    this.durable = this.seen.slice();
    this.pending = [];
  }

  /** What may be found of it. */
  crashed(below) {
    let found = this.durable.slice();
    const all = below(4);
    for (const [bytes, offset] of this.pending) {
      // All, none, or each by itself: whole, torn within its sectors, or not at all.
      const kept = all === 0 ? 3 : all === 1 ? 0 : below(4);
      if (kept === 0) continue;
      if (bytes === undefined) found = resized(found, offset);
      else if (kept === 1) found = torn(found, bytes, offset, below);
      else found = patched(found, bytes, offset);
    }
    return found;
  }
}

function resized(bytes, length) {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, length));
  return out;
}

function patched(bytes, part, offset) {
  const out = offset + part.length > bytes.length ? resized(bytes, offset + part.length) : bytes.slice();
  out.set(part, offset);
  return out;
}

/** The length is there, and some of the sectors. */
function torn(bytes, part, offset, below) {
  let out = resized(bytes, Math.max(bytes.length, offset + (below(2) ? part.length : below(part.length + 1))));
  for (let at = 0; at < part.length; at += SECTOR) {
    const end = Math.min(at + SECTOR, part.length, out.length - offset);
    if (end > at && below(2)) out = patched(out, part.subarray(at, end), offset + at);
  }
  return out;
}

export class CrashFolder {
  #files = new Map();
  /** Names that a crash leaves. */
  #durable = new Map();
  /** Called before each operation that changes something. */
  onOperation = () => {};

  open(name, access) {
    let file = this.#files.get(name);
    if (access === "create") {
      if (file) throw failure("already-exists", name);
      this.onOperation();
      this.#files.set(name, (file = new File()));
    }
    if (!file) throw failure("not-found", name);
    const change = (action) => (this.onOperation(), action());
    return {
      length: () => file.seen.length,
      read: (into, offset) => {
        const part = file.seen.subarray(Math.min(offset, file.seen.length), Math.min(offset + into.length, file.seen.length));
        into.set(part);
        return part.length;
      },
      write: (bytes, offset) => change(() => (file.write(bytes, offset), bytes.length)),
      truncate: (length) => change(() => file.truncate(length)),
      flush: () => change(() => file.flush()),
      close: () => {},
    };
  }

  remove(name) {
    this.onOperation();
    this.#files.delete(name);
  }

  list() {
    return [...this.#files].map(([name, { seen }]) => ({ name, length: seen.length })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  sync() {
    this.onOperation();
    this.#durable = new Map(this.#files);
  }

  lock() {
    return true;
  }

  async prepare() {}

  async discard(name) {
    this.remove(name);
  }

  async adopt() {}

  close() {}

  /** The folder as it may be found after the power was lost now. */
  crash(seed) {
    const below = random(seed);
    const after = new CrashFolder();
    for (const name of new Set([...this.#files.keys(), ...this.#durable.keys()])) {
      const [now, before] = [this.#files.get(name), this.#durable.get(name)];
      const file = now === before || below(2) ? now : before;
      if (!file) continue;
      const found = new File();
      found.durable = file.crashed(below);
      found.seen = found.durable.slice();
      after.#files.set(name, found);
    }
    after.#durable = new Map(after.#files);
    return after;
  }
}
