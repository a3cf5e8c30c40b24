// Node (pkg/src/collection/dirs/process-lock.js) and native programs (src/folder/process_lock/) follow one protocol: when both race for
// a collection's folder one of them wins, and each replaces a holder of the other kind that was killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { native, run, skipNative } from "./support/command-lines.mjs";
import { lockProgram } from "./support/lock-program.mjs";

const { PAGEVEC_ROOT: root } = process.env;
const skip = skipNative || (!root && "PAGEVEC_ROOT is not set");
const place = mkdtempSync(join(tmpdir(), "pagevec-turns-"));
after(() => rmSync(place, { recursive: true }));

/** Resolves with the exit status. */
const ended = (child) => new Promise((resolve) => child.on("exit", (code) => resolve(code)));

async function folder() {
  const path = mkdtempSync(join(place, "notes-"));
  assert.equal((await run(native, ["collection", "create", path, "--dim", "2"])).code, 0);
  return path;
}

/** A native program that has the collection open until it is told to end, or ends because another one has it. */
function program(path) {
  const child = spawn(native[0], ["collection", "upsert", path, "-", "--batch", "1", "--json"]);
  let errors = "";
  child.stderr.on("data", (text) => (errors += text));
  const lines = createInterface({ input: child.stdout });
  const acked = new Promise((resolve) => lines.once("line", resolve));
  return { child, code: ended(child), acked, errors: () => errors };
}

test("of programs of both kinds that race for a collection one wins", { skip, timeout: 120_000 }, async () => {
  const nodes = [lockProgram(root), lockProgram(root)];
  const winners = { node: 0, native: 0 };
  try {
    for (let round = 0; round < 50; round++) {
      const path = await folder();
      if (round % 4 === 3) {
        // What a killed program of either kind left.
        const held = round % 8 === 3 ? program(path) : lockProgram(root);
        if (held.say) assert.equal(await held.say(path), "true");
        else held.child.stdin.write('{"id":"a","vector":[1,0]}\n'), await held.acked;
        const gone = ended(held.child);
        held.child.kill("SIGKILL");
        await gone;
        assert.ok(existsSync(join(path, "lock")));
      }
      const programs = [program(path), program(path)];
      const answers = await Promise.all(nodes.map(({ say }) => say(path)));
      const won = nodes.filter((_, at) => answers[at] === "true");
      // Programs that lose end; one that wins waits for rows.
      const until = Date.now() + 20_000;
      const running = () => programs.filter(({ child }) => child.exitCode === null).length;
      while (running() + won.length > 1 && Date.now() < until) await sleep(2);
      assert.equal(running() + won.length, 1, `round ${round}: ${programs.map(({ errors }) => errors())}`);
      winners[won.length ? "node" : "native"]++;
      for (const { child, errors } of programs) {
        if (won.length && child.exitCode !== null) assert.match(errors(), new RegExp(`process ${won[0].child.pid} has this collection open`));
        child.stdin.end();
      }
      const codes = await Promise.all(programs.map(({ code }) => code));
      assert.equal(codes.filter((code) => code === 0).length, 1 - won.length, `round ${round}`);
      await Promise.all(won.map(({ say }) => say("")));
      assert.ok(!existsSync(join(path, "lock")), `round ${round}`);
      rmSync(path, { recursive: true });
    }
  } finally {
    for (const { child } of nodes) child.kill();
  }
  assert.ok(winners.node > 0 && winners.native > 0, JSON.stringify(winners));
});

test("each tells which process has it", { skip, timeout: 30_000 }, async () => {
  const path = await folder();
  const { child, say } = lockProgram(root);
  assert.equal(await say(path), "true");
  const refused = await run(native, ["collection", "flush", path, "--json"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, new RegExp(`"locked".*process ${child.pid} `));
  await say("");
  const writer = program(path);
  writer.child.stdin.write('{"id":"a","vector":[1,0]}\n');
  await writer.acked;
  assert.equal(await say(path), "false");
  assert.equal(JSON.parse(readFileSync(join(path, "lock"), "utf8")).pid, writer.child.pid);
  writer.child.stdin.end();
  assert.equal(await writer.code, 0);
  assert.equal(await say(path), "true");
  child.kill();
});
