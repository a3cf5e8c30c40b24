// What every folder of a collection must do (pkg/src/collection/dirs/dir.js), as checks that run in Node, in a page and in its worker.
// It imports nothing: a page loads this file too.

/** @typedef {{ fresh: () => Promise<any>, again: (dir: any) => Promise<any> }} Place `again` opens the files of a folder that was closed */

const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (all) => String.fromCharCode(...all);

/** Each check throws where the folder does something else. */
export const CHECKS = {
  async "a file is made once, and found from then on"({ fresh, again }) {
    let dir = await fresh();
    await dir.prepare(["seg-5"]);
    equal(kind(() => dir.open("seg-5", "read")), "not-found");
    equal(kind(() => dir.open("seg-5", "write")), "not-found");
    equal(names(dir), []);
    fill(dir, "seg-5", "five");
    equal(kind(() => dir.open("seg-5", "create")), "already-exists");
    equal(dir.list(), [{ name: "seg-5", length: 4 }]);
    dir.sync();
    dir = await again(dir);
    equal(dir.list(), [{ name: "seg-5", length: 4 }]);
    equal(whole(dir, "seg-5"), "five");
    dir.close();
  },

  async "writes go where they are told, and a gap is zeros"({ fresh }) {
    const dir = await fresh();
    await dir.prepare(["wal-1"]);
    const file = dir.open("wal-1", "create");
    equal(file.length(), 0);
    equal(file.write(bytes("abcdef"), 0), 6);
    file.write(bytes("XY"), 2);
    file.write(bytes("z"), 8);
    equal(file.write(bytes(""), 3), 0);
    file.flush();
    equal(whole(dir, "wal-1"), "abXYef\0\0z");
    file.truncate(3);
    file.truncate(5);
    equal([file.length(), whole(dir, "wal-1")], [5, "abX\0\0"]);
    file.close();
    const later = dir.open("wal-1", "write");
    later.write(bytes("Q"), 4);
    later.close();
    const reader = dir.open("wal-1", "read");
    const two = new Uint8Array(2);
    equal([reader.read(two, 3), text(two)], [2, "\0Q"]);
    equal([reader.read(two, 4), two[0]], [1, 81]);
    equal(reader.read(two, 9), 0);
    equal(reader.read(new Uint8Array(0), 5), 0);
    reader.close();
    dir.close();
  },

  async "a large write arrives whole"({ fresh }) {
    const dir = await fresh();
    await dir.prepare(["seg-9"]);
    const file = dir.open("seg-9", "create");
    const all = new Uint8Array(9_000_001);
    for (let i = 0; i < all.length; i += 977) all[i] = i % 251;
    equal(file.write(all, 5), all.length);
    file.flush();
    const read = new Uint8Array(all.length);
    equal(file.read(read, 5), all.length);
    equal(read.every((one, i) => one === all[i]), true);
    file.close();
    dir.close();
  },

  async "what is removed is gone, and its name may be used again"({ fresh, again }) {
    let dir = await fresh();
    await dir.prepare(["seg-1", "seg-2", "seg-3"]);
    for (const name of ["seg-1", "seg-2", "seg-3"]) fill(dir, name, name);
    dir.remove("seg-1");
    dir.remove("seg-1");
    dir.remove("nothing");
    equal(names(dir), ["seg-2", "seg-3"]);
    equal(kind(() => dir.open("seg-1", "read")), "not-found");
    await dir.discard("seg-2");
    await dir.discard("seg-2");
    await dir.prepare(["seg-1"]);
    fill(dir, "seg-1", "new");
    dir = await again(dir);
    equal(dir.list(), [{ name: "seg-1", length: 3 }, { name: "seg-3", length: 5 }]);
    dir.close();
  },

  async "names stay in the folder, and files that are not ours are left alone"({ fresh }) {
    const dir = await fresh();
    for (const name of ["", ".", "..", "../a", "a/b", "a\\b", "\0", ".hidden", "a".repeat(200)]) {
      equal(code(() => dir.open(name, "create")), "io");
      equal(code(() => dir.open(name, "read")), "io");
    }
    equal(names(dir), []);
    dir.close();
  },

  async "it is locked by whoever has it"({ fresh, again }) {
    let dir = await fresh();
    equal([dir.lock(), dir.lock()], [true, true]);
    dir = await again(dir);
    equal(dir.lock(), true);
    dir.close();
  },
};

function fill(dir, name, content) {
  const file = dir.open(name, "create");
  file.write(bytes(content), 0);
  file.flush();
  file.close();
}

function whole(dir, name) {
  const file = dir.open(name, "read");
  const all = new Uint8Array(file.length());
  equal(file.read(all, 0), all.length);
  file.close();
  return text(all);
}

/** The names but that of the lock, which is a file in some folders. */
const names = (dir) => dir.list().map(({ name }) => name).filter((name) => name !== "lock");
const kind = (action) => thrown(action).kind;
const code = (action) => thrown(action).code;

function thrown(action) {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was thrown by ${action}`);
}

function equal(actual, expected) {
  const [a, b] = [actual, expected].map((one) => JSON.stringify(one));
  if (a !== b) throw new Error(`${a} in place of ${b}`);
}
