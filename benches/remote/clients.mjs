// A fresh Chromium context or a fresh Node process, each with a client in it.
import { fork } from "node:child_process";
import { entry } from "../../tests/js/support/browser.mjs";

/**
 * @typedef {object} Client
 * @property {(name: string, ...args: any[]) => Promise<any>} call rejects with the error of the package
 * @property {() => Promise<void>} end
 */

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} site origin with the package and client.mjs
 * @param {{ index: string, queries: string, dim: number }} where
 * @returns {Promise<Client>}
 */
export async function chromium(browser, site, where) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(site);
  await page.evaluate(
    async ([entry, where]) => {
      const [{ open }, { start }] = await Promise.all([import(entry), import("/client.mjs")]);
      window.call = await start(open, where);
    },
    [entry, where],
  );
  return {
    call: async (...args) => unpack(await page.evaluate((args) => window.call(...args), args)),
    end: () => context.close(),
  };
}

/**
 * @param {{ index: string, queries: string, dim: number }} where
 * @returns {Promise<Client>}
 */
export async function node(where) {
  const child = fork(new URL("node.mjs", import.meta.url));
  /** @type {(answer: any) => void} */
  let answered = () => {};
  child.on("message", (answer) => answered(answer));
  child.on("exit", (code) => answered({ error: { message: `the client in Node ended with ${code}` } }));
  const call = async (...args) => {
    const answer = new Promise((resolve) => (answered = resolve));
    child.send(args);
    return unpack(await answer);
  };
  await call("start", where);
  return { call, end: async () => void child.kill() };
}

function unpack({ value, error }) {
  if (error) throw Object.assign(new Error(error.message), { code: error.code });
  return value;
}
