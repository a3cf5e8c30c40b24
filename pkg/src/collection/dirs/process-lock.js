// Which process writes a folder: Node, Deno, Bun, the command line and Rust programs keep each other out by the file `lock`.
//
// The protocol, which every one of them follows:
//
//   held       The file is there, made by create_new (O_CREAT | O_EXCL). It is one line of JSON with these strings and numbers:
//              { "pid": 4711, "start": "…", "host": "…", "token": "…" }
//              `start`: on Linux the first 8 digits of /proc/sys/kernel/random/boot_id, "/", and field 22 of /proc/PID/stat (the
//              clock ticks after boot at which the process began); elsewhere "". `host`: the name of the machine, and on Linux "/" and
//              the number in the link /proc/self/ns/pid: containers may share a name, and count processes apart. `token`: 32
//              random hexadecimal digits, which no other holder has.
//   heartbeat  The holder sets the modification time of the file to now, every 2 s.
//   stale      - `host` is this machine, and no process has this pid (kill(pid, 0) is ESRCH), or one that has another `start`; or
//              - it cannot be told so (another `host`, or no `start`), and the file was modified more than 60 s ago; or
//              - the line is not whole, as its writer died within the call, and the file was modified more than 2 s ago.
//   broken     A stale file is removed only by who has made `lock.break` by create_new, has then read `lock` again and found the same
//              bytes in it and found it stale. It removes `lock` first, then `lock.break`, and then tries as everyone does. A
//              `lock.break` that was modified more than 10 s ago is removed by anyone.
//   released   The holder reads the file, and removes it if it has its own token.
//   beside     Native programs take flock (LockFileEx) on `.lock` before, which the system frees at once when they die. JS cannot
//              lock so; what the file says is enough.
//
// A lock that a thread left which was ended within a living process is held until that process ends.
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, futimesSync, openSync, readFileSync, readlinkSync, statSync, unlinkSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

const NAME = "lock";
const BREAK = "lock.break";
/** Milliseconds. */
const HEARTBEAT = 2000;
const STALE = 60_000;
const TORN = 2000;
const BREAKING = 10_000;

/** @typedef {{ pid: number, start: string, host: string, token: string }} Holder */

export class ProcessLock {
  #path;
  #token = randomBytes(16).toString("hex");
  /** @type {number | undefined} */
  #fd;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #beat;

  /** @param {string} folder */
  constructor(folder) {
    this.#path = join(folder, NAME);
  }

  get held() {
    return this.#fd !== undefined;
  }

  /** Whether this has the lock now. It never waits: a lock that is stale is broken, and taken if no one else was first. */
  take() {
    if (this.held || this.#create()) return true;
    return breakStale(this.#path) && this.#create();
  }

  /** Whether the file still says so. A holder that was stopped for long may have lost it. */
  check() {
    return this.held && holderOf(read(this.#path))?.token === this.#token;
  }

  release() {
    if (this.#fd === undefined) return;
    clearInterval(this.#beat);
    // Windows refuses to remove what is open.
    const mine = this.check();
    closeSync(this.#fd);
    this.#fd = undefined;
    if (mine) remove(this.#path);
  }

  #create() {
    const fd = createNew(this.#path);
    if (fd === undefined) return false;
    /** @type {Holder} */
    const holder = { pid: process.pid, start: startOf(process.pid) ?? "", host: host(), token: this.#token };
    try {
      writeSync(fd, `${JSON.stringify(holder)}\n`);
    } catch (error) {
      closeSync(fd);
      remove(this.#path);
      throw error;
    }
    this.#fd = fd;
    this.#beat = setInterval(() => touch(fd), HEARTBEAT);
    this.#beat.unref?.();
    return true;
  }
}

/**
 * Who has a folder, for messages.
 * @param {string} folder
 */
export function holderIn(folder) {
  return holderOf(read(join(folder, NAME)));
}

/**
 * Removes a lock that is stale.
 * @param {string} path
 * @returns {boolean} whether it is gone
 */
function breakStale(path) {
  const before = read(path);
  if (before === undefined) return true;
  if (!isStale(path, before)) return false;
  const breaker = join(path, "..", BREAK);
  const fd = createNew(breaker);
  if (fd === undefined) {
    if (age(breaker) > BREAKING) remove(breaker);
    return false;
  }
  try {
    const now = read(path);
    if (now !== before || !isStale(path, now)) return now === undefined;
    remove(path);
    return true;
  } finally {
    closeSync(fd);
    remove(breaker);
  }
}

/**
 * @param {string} path
 * @param {string} text
 */
function isStale(path, text) {
  const holder = holderOf(text);
  if (!holder) return age(path) > TORN;
  if (holder.host === host()) {
    const start = startOf(holder.pid);
    if (start === undefined) return true;
    if (start && holder.start) return start !== holder.start;
  }
  return age(path) > STALE;
}

/**
 * @param {number} pid
 * @returns {string | undefined} undefined: there is no such process; "": it cannot be told when it began
 */
function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return undefined;
  }
  if (process.platform !== "linux") return "";
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program, in brackets, may have blanks and brackets in it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8)}/${ticks}`;
  } catch {
    return existsSync("/proc/self/stat") && !existsSync(`/proc/${pid}`) ? undefined : "";
  }
}

/** The machine, and the space that its numbers of processes are of. */
function host() {
  try {
    return `${hostname()}/${/\d+/.exec(readlinkSync("/proc/self/ns/pid"))}`;
  } catch {
    return hostname();
  }
}

/**
 * @param {string | undefined} text
 * @returns {Holder | undefined}
 */
function holderOf(text) {
  try {
    const { pid, start, host, token } = JSON.parse(text ?? "");
    return Number.isSafeInteger(pid) && pid > 0 && [start, host, token].every((one) => typeof one === "string") ? { pid, start, host, token } : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function read(path) {
  return unless("ENOENT", () => readFileSync(path, "utf8"));
}

/** @param {string} path */
function createNew(path) {
  return unless("EEXIST", () => openSync(path, "wx"));
}

/** @param {string} path */
function remove(path) {
  unless("ENOENT", () => unlinkSync(path));
}

/** @param {string} path */
function age(path) {
  return Date.now() - (unless("ENOENT", () => statSync(path).mtimeMs) ?? Date.now());
}

/** @param {number} fd */
function touch(fd) {
  try {
    futimesSync(fd, new Date(), new Date());
  } catch {
    // The next one may succeed; a process that lives is known without it.
  }
}

/**
 * @template T
 * @param {string} code
 * @param {() => T} action
 * @returns {T | undefined} undefined if it failed with this code
 */
function unless(code, action) {
  try {
    return action();
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {{ code?: unknown }} */ (Object(error)).code;
}
