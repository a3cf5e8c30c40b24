// Browsers without a driver: each is started with the address of a page, which posts its answer to the host.
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "./project.mjs";

const CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0"];

/** Where Debian has the others. */
const PLACES = {
  firefox: ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
  webkit: ["/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.0/MiniBrowser"],
};

/** No page that asks for something, and none of the session before, also after it was killed several times. */
const FIREFOX_PREFERENCES = {
  "datareporting.policy.dataSubmissionEnabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  "browser.shell.checkDefaultBrowser": false,
  "toolkit.startup.max_resumed_crashes": -1,
};

const BROWSERS = {
  chromium: (program, profile, url, more) => [program, [...CHROMIUM, ...more, `--user-data-dir=${profile}`, url]],
  firefox: (program, profile, url) => [program, ["--headless", "--no-remote", "--profile", profile, url]],
  webkit: (program, _, url) => ["xvfb-run", ["-a", program, "--private", url]],
};

/**
 * The program of a browser; undefined where this machine has none.
 * @param {keyof typeof BROWSERS} kind
 */
export async function programOf(kind) {
  if (kind === "chromium") return process.env.CHROME;
  for (const path of PLACES[kind]) if (await access(path).then(() => true, () => false)) return path;
  return undefined;
}

/**
 * Starts a browser with a page. `stop` kills it with all its processes.
 * @param {{ kind: keyof typeof BROWSERS, program: string }} browser
 * @param {string} profile a folder, which must be there
 * @param {string} url
 * @param {string[]} [flags]
 */
export async function startBrowser({ kind, program }, profile, url, flags = []) {
  const preferences = Object.entries(FIREFOX_PREFERENCES).map(([name, value]) => `user_pref("${name}", ${value});\n`);
  if (kind === "firefox") await writeFile(join(profile, "user.js"), preferences.join(""));
  const [name, args] = BROWSERS[kind](program, profile, url, flags);
  return start(profile, name, args, { env: { HOME: profile, LIBGL_ALWAYS_SOFTWARE: "1" } });
}

/**
 * Opens a page and waits for what it posts.
 * @param {{ kind: keyof typeof BROWSERS, program: string }} browser
 * @param {string} url without its query
 * @param {{ where: string, posted: Promise<unknown> }} expected
 * @param {{ hash?: string, flags?: string[] }} [how]
 */
export async function visit({ kind, program }, url, { where, posted }, { hash = "", flags = [] } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "pagevec-"));
  const child = await startBrowser({ kind, program }, profile, url + where + hash, flags);
  try {
    const early = child.ended.then((code) => Promise.reject(new Error(`${kind} ended with ${code ?? 0}`)));
    early.catch(() => {}); // when it is stopped below
    return await Promise.race([posted, early]);
  } catch (error) {
    const said = child.printed().split("\n").filter((line) => /CONSOLE|error/i.test(line) && !/dbus|gcm|vaapi|gpu/i.test(line));
    throw new Error(`${error.message}; ${kind} said: ${said.slice(-5).join(" | ").slice(0, 1500)}`);
  } finally {
    await child.stop();
    await rm(profile, { recursive: true, force: true }).catch(() => {});
  }
}
