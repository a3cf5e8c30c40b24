// GET /search?q=…&k=…: embeds the text, searches the index, and answers with hits as JSON.
import { problem, success, toProblem } from "./answer.js";
import { embed } from "./embed.js";
import { search } from "./isolate.js";
import { toQuery } from "./query.js";

/** Milliseconds that an answer may take, whatever its hosts do. */
const DEADLINE = 10_000;

export default {
  /**
   * @param {Request} request
   * @param {import("./config.js").Env} env
   * @param {import("./isolate.js").Context} ctx
   */
  fetch(request, env, ctx) {
    const answer = respond(request, env, ctx);
    // Searches share requests to the index. Without this, a client that leaves would end those that others wait for.
    ctx.waitUntil(answer);
    return answer;
  },
};

/**
 * @param {Request} request
 * @param {import("./config.js").Env} env
 * @param {import("./isolate.js").Context} ctx
 * @returns {Promise<Response>}
 */
async function respond(request, env, ctx) {
  const url = new URL(request.url);
  if (url.pathname !== "/search") return problem(404, "not-found", "there is nothing here: use GET /search?q=text");
  if (request.method !== "GET") return problem(405, "argument", "use GET /search?q=text", { allow: "GET" });
  const query = toQuery(url.searchParams);
  if (typeof query === "string") return problem(400, "argument", query);
  const { q, k } = query;
  // Not AbortSignal.timeout, which would keep what the query held until its time is over, however early its answer came.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), DEADLINE);
  try {
    const { signal } = deadline;
    const vector = embed(env, [q], signal).then(([first]) => first);
    return success({ hits: await search(env, ctx, vector, k, signal) });
  } catch (error) {
    return toProblem(error);
  } finally {
    clearTimeout(timer);
  }
}
