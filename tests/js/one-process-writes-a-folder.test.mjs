// The file `lock` keeps processes out of each other's folder (pkg/src/collection/dirs/process-lock.js): one of them wins, a lock that
// a dead one left is broken by one alone, and one that may be alive is left.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { internal } from "./support/internal.mjs";
import { lockProgram } from "./support/lock-program.mjs";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const { ProcessLock, holderIn } = skip ? {} : await internal("collection/dirs/process-lock.js");
const place = mkdtempSync(join(tmpdir(), "pagevec-lock-"));
after(() => rmSync(place, { recursive: true }));

let folder, file;
beforeEach(() => {
  folder = mkdtempSync(join(place, "folder-"));
  file = join(folder, "lock");
});
const linux = process.platform === "linux" ? false : "only Linux tells when a process began";
const space = linux ? "" : `/${/\d+/.exec(readlinkSync("/proc/self/ns/pid"))}`;
const holder = (more) => JSON.stringify({ pid: process.pid, start: "", host: `${hostname()}${space}`, token: "0".repeat(32), ...more });
const aged = (seconds) => utimesSync(file, new Date(), new Date(Date.now() - 1000 * seconds));

test("of processes that race for a folder one wins, whatever a dead one left there", { skip, timeout: 50_000 }, async () => {
  const racers = Array.from({ length: 6 }, () => lockProgram(root));
  try {
    await Promise.all(racers.map(({ ready }) => ready));
    for (let round = 0; round < 60; round++) {
      folder = mkdtempSync(join(place, "race-"));
      // Nothing, a lock of a process that has gone, half a line of one, and what someone left who died while breaking one.
      if (round % 4 > 0) {
        writeFileSync(join(folder, "lock"), round % 4 === 2 ? '{"pid":' : holder({ pid: 2 ** 22 + 1 }));
        utimesSync(join(folder, "lock"), new Date(), new Date(Date.now() - 3000));
      }
      if (round % 4 === 3) {
        writeFileSync(join(folder, "lock.break"), "");
        utimesSync(join(folder, "lock.break"), new Date(), new Date(Date.now() - 11_000));
      }
      let won = [];
      // Who finds that another one breaks the lock has to ask again, as who opens a collection does.
      for (let tries = 0; tries < 20 && won.length === 0; tries++) {
        const answers = await Promise.all(racers.map(({ say }) => say(folder)));
        won = racers.filter((_, i) => answers[i] === "true");
      }
      assert.equal(won.length, 1, `round ${round}`);
      assert.equal(holderIn(folder).pid, won[0].child.pid);
      assert.ok(new ProcessLock(folder).take() === false);
      assert.equal(await won[0].say(""), "released");
      assert.deepEqual(readdirSync(folder), []);
    }
  } finally {
    for (const { child } of racers) child.kill();
  }
});

test("what a killed process held is free at once", { skip }, async () => {
  const { child, ready, say } = lockProgram(root);
  await ready;
  assert.equal(await say(folder), "true");
  const lock = new ProcessLock(folder);
  assert.equal(lock.take(), false);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  assert.ok(existsSync(file));
  assert.equal(lock.take(), true);
  lock.release();
});

test("a pid that another process has by now is no holder", { skip: skip || linux }, () => {
  writeFileSync(file, holder({ pid: process.pid, start: "00000000/1" }));
  const lock = new ProcessLock(folder);
  assert.equal(lock.take(), true);
  assert.match(JSON.parse(readFileSync(file, "utf8")).start, /^[0-9a-f]{8}\/\d+$/);
  lock.release();
});

test("one that cannot be looked up is believed for a minute after its last heartbeat", { skip }, () => {
  for (const [seconds, taken] of [[0, false], [50, false], [70, true]]) {
    writeFileSync(file, holder({ host: "another-machine" }));
    aged(seconds);
    const lock = new ProcessLock(folder);
    assert.equal(lock.take(), taken, `${seconds} s`);
    lock.release();
  }
  // Another one of this process is alive, however old its heartbeat is.
  const held = new ProcessLock(folder);
  assert.equal(held.take(), true);
  aged(1000);
  assert.equal(new ProcessLock(folder).take(), linux !== false);
  held.release();
});

test("half a line is of someone who writes it just now, and two seconds later of nobody", { skip }, () => {
  for (const [seconds, taken] of [[0, false], [3, true]]) {
    writeFileSync(file, "");
    aged(seconds);
    const lock = new ProcessLock(folder);
    assert.equal(lock.take(), taken);
    lock.release();
    rmSync(file, { force: true });
  }
});

test("who lost the lock notices, and leaves that of the next one alone", { skip }, () => {
  const lock = new ProcessLock(folder);
  lock.take();
  assert.ok(lock.check());
  writeFileSync(file, holder({}));
  assert.equal(lock.check(), false);
  lock.release();
  assert.ok(existsSync(file));
  assert.equal(lock.held, false);
});
