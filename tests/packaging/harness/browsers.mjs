// Browsers without a driver: each is started with the address of a page, which posts its answer to the host.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "./project.mjs";

const CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0"];

const BROWSERS = {
  chromium: (program, profile, url, more) => [program, [...CHROMIUM, ...more, `--user-data-dir=${profile}`, url]],
  firefox: (program, profile, url) => [program, ["--headless", "--no-remote", "--profile", profile, url]],
  webkit: (program, _, url) => ["xvfb-run", ["-a", program, "--private", url]],
};

/**
 * Opens a page and waits for what it posts.
 * @param {{ kind: keyof typeof BROWSERS, program: string }} browser
 * @param {string} url without its query
 * @param {{ where: string, posted: Promise<unknown> }} expected
 * @param {{ hash?: string, flags?: string[] }} [how]
 */
export async function visit({ kind, program }, url, { where, posted }, { hash = "", flags = [] } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "pagevec-"));
  if (kind === "firefox") await writeFile(join(profile, "user.js"), 'user_pref("datareporting.policy.dataSubmissionEnabled", false);\nuser_pref("browser.aboutwelcome.enabled", false);\n');
  const [name, args] = BROWSERS[kind](program, profile, url + where + hash, flags);
  const child = start(profile, name, args, { env: { HOME: profile, LIBGL_ALWAYS_SOFTWARE: "1" } });
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
