// Failures of a command. Each has a stable code for programs, a message for people and an exit code for the shell: those of the
// native command line.
import { PagevecError } from "../errors.js";

/** What the operating system says, and what to do about it. */
const SYSTEM = /** @type {Record<string, [text: string, advice?: string]>} */ ({
  ENOENT: ["No such file or directory (os error 2)", "check the path"],
  EACCES: ["Permission denied (os error 13)", "check its owner and mode, or run as another user"],
  EPERM: ["Operation not permitted (os error 1)", "check its owner and mode, or run as another user"],
  ENOTDIR: ["Not a directory (os error 20)"],
  EISDIR: ["Is a directory (os error 21)"],
  ENOSPC: ["No space left on device (os error 28)", "free some space and run it again"],
  EROFS: ["Read-only file system (os error 30)", "use a folder on a writable file system"],
  EADDRINUSE: ["Address already in use (os error 98)", "another program uses this port; use another --port"],
  EADDRNOTAVAIL: ["Cannot assign requested address (os error 99)", "this machine does not have this address; use another --host"],
});

export class Failure extends Error {
  /**
   * @param {1 | 2} exit 1 failed, 2 wrong usage
   * @param {string} code
   * @param {string} message the fault and what to do next
   */
  constructor(exit, code, message) {
    super(message);
    this.exit = exit;
    this.code = code;
    /** @type {string | undefined} what follows a message about how the command was written */
    this.usage = undefined;
  }
}

/** The reader of stdout has closed it, which is not reported. */
export class ClosedPipe extends Error {}

/**
 * Arguments are wrong.
 * @param {string} message
 */
export function usage(message) {
  return new Failure(2, "usage", message);
}

/**
 * The content of an input file is wrong.
 * @param {string} path
 * @param {string} message
 */
export function input(path, message) {
  return new Failure(1, "input", `${path}: ${message}`);
}

/**
 * The operating system reported an error about a file.
 * @param {string} path
 * @param {unknown} error
 */
export function io(path, error) {
  const { code = "", message } = /** @type {{ code?: string, message?: string }} */ (Object(error));
  const [text, advice] = SYSTEM[code] ?? [message ?? String(error)];
  return new Failure(1, "io", `${path}: ${text}${advice ? `: ${advice}` : ""}`);
}

/**
 * An index, or a file of one, is wrong. The message names the file once.
 * @param {string} path
 * @param {unknown} error
 */
export function ofFile(path, error) {
  const told = toFailure(error);
  if (told.code === "io" || told.message.includes(path)) return told;
  return new Failure(told.exit, told.code, `${path}: ${told.message}`);
}

/**
 * The failure that whatever was thrown is.
 * @param {unknown} error
 * @returns {Failure}
 */
export function toFailure(error) {
  if (error instanceof Failure) return error;
  if (!(error instanceof PagevecError)) {
    const { message, stack } = /** @type {Error} */ (Object(error));
    return new Failure(1, "internal", `pagevec's own state is wrong (${message ?? error}): please report it\n${stack ?? ""}`);
  }
  const { cause, code, message } = error;
  const system = /** @type {{ code?: string, path?: string }} */ (Object(cause));
  if ((code === "not-found" || code === "io") && system.code !== undefined && system.code in SYSTEM) return io(system.path ?? message.split(":")[0], system);
  // A host can have no file, and a folder no manifest; on a disk that is what the operating system says.
  if (code === "not-found") return new Failure(1, "io", message);
  // The core has one word for a bad manifest and bad sections.
  if (code === "manifest") return new Failure(1, "corrupt", message);
  return new Failure(code === "argument" ? 2 : 1, code, message);
}
