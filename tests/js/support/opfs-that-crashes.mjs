// The origin private file system as it may be after the power failed. A folder has the calls of a FileSystemDirectoryHandle, its files
// those of FileSystemSyncAccessHandles, and each call that changes something is noted. What was not flushed may be lost, torn, or
// happen in another order; a file that was never flushed may have no name, and one that was removed may have its name again.

/** Bytes of a disk that are written as a whole. */
const SECTOR = 512;

export const LOSSES = ["nothing", "everything", "some", "torn", "reordered"];

/** Numbers from 0 to 1 by a seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A file's bytes after a change of them. */
function changed(bytes, { at, data, length }) {
  const size = length ?? Math.max(bytes.length, at + data.length);
  const now = size === bytes.length ? bytes : new Uint8Array(size);
  if (now !== bytes) now.set(bytes.subarray(0, size));
  if (data) now.set(data, at);
  return now;
}

const failure = (name, message) => Object.assign(new Error(message), { name });

export class Folder {
  /** What was done, in order. */
  operations = [];
  #files = new Map();
  #made = 0;

  /** @param {Map<string, Uint8Array>} [files] that are there, and durable */
  constructor(files = new Map()) {
    for (const [name, bytes] of files) this.#files.set(name, { number: this.#made++, bytes: bytes.slice() });
  }

  /** The files as programs see them. */
  get files() {
    return new Map([...this.#files].map(([name, { bytes }]) => [name, bytes]));
  }

  async *keys() {
    yield* this.#files.keys();
  }

  async getFileHandle(name) {
    let file = this.#files.get(name);
    if (!file) {
      this.#files.set(name, (file = { number: this.#made++, bytes: new Uint8Array(0) }));
      this.operations.push({ create: name, file: file.number });
    }
    return { createSyncAccessHandle: async () => this.#handle(file) };
  }

  async removeEntry(name) {
    const file = this.#files.get(name);
    if (!file) throw failure("NotFoundError", `there is no ${name}`);
    if (file.open) throw failure("NoModificationAllowedError", `${name} is open`);
    this.#files.delete(name);
    this.operations.push({ remove: name, file: file.number });
  }

  #handle(file) {
    if (file.open) throw failure("NoModificationAllowedError", "another has it open");
    file.open = true;
    const note = (change) => {
      file.bytes = changed(file.bytes, change);
      this.operations.push({ change, file: file.number });
    };
    return {
      getSize: () => file.bytes.length,
      read: (into, { at }) => {
        const part = file.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes, { at }) => (note({ at, data: bytes.slice() }), bytes.length),
      truncate: (length) => note({ length }),
      flush: () => void this.operations.push({ flush: true, file: file.number }),
      close: () => (file.open = false),
    };
  }
}

/** The disk below a folder while its operations happen. */
export class Disk {
  /** By number. */
  #files = new Map();

  /** @param {Map<string, Uint8Array>} files that are there at first, and durable, in the order in which the folder got them */
  constructor(files) {
    for (const [name, bytes] of files) this.#files.set(this.#files.size, { name, bytes: bytes.slice(), pending: [], named: true });
  }

  /** @param {boolean} [deaf] flushes do nothing */
  apply({ create, remove, change, flush, file }, deaf = false) {
    if (create !== undefined) this.#files.set(file, { name: create, bytes: new Uint8Array(0), pending: [], named: false });
    const one = this.#files.get(file);
    if (remove !== undefined) one.removed = true;
    if (change) one.pending.push(change);
    if (!flush || deaf) return;
    for (const change of one.pending.splice(0)) one.bytes = changed(one.bytes.slice(), change);
    one.named = true;
  }

  /** The files that are found after the power failed now. */
  crash(loss, next) {
    const found = new Map();
    // A later file of the same name takes its place.
    for (const file of this.#files.values()) {
      // Of names, what was not made durable happens or not: nothing makes a removal durable.
      const happened = loss === "nothing" || (loss !== "everything" && next() < 0.5);
      if (file.removed ? happened || !file.named : !file.named && !happened) continue;
      let bytes = file.bytes.slice();
      for (const change of pendingOf(file, loss, next)) bytes = changed(bytes, change);
      found.set(file.name, bytes);
    }
    return found;
  }
}

/** What is left of the changes that were not flushed. */
function pendingOf({ pending }, loss, next) {
  if (loss === "nothing") return pending;
  if (loss === "everything") return [];
  const kept = pending.filter(() => next() < 0.6);
  if (loss === "some") return kept;
  if (loss === "reordered") {
    for (let i = kept.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [kept[i], kept[j]] = [kept[j], kept[i]];
    }
    return kept;
  }
  return kept.flatMap((change) => (change.data ? torn(change, next) : [change]));
}

/** Some of the sectors of a write. */
function torn({ at, data }, next) {
  const parts = [];
  for (let from = 0; from < data.length; ) {
    const until = Math.min(data.length, from + SECTOR - ((at + from) % SECTOR));
    if (next() < 0.6) parts.push({ at: at + from, data: data.subarray(from, until) });
    from = until;
  }
  return parts;
}
