// Texts to vectors, by an HTTP API of the usual shape.
import { PagevecError } from "pagevec";
import { embedderOf } from "./config.js";

/**
 * @param {import("./config.js").Env} env
 * @param {string[]} texts
 * @param {AbortSignal} signal
 * @returns {Promise<Float32Array[]>}
 */
export async function embed(env, texts, signal) {
  const { url, fetch } = embedderOf(env);
  const headers = { "content-type": "application/json", ...(env.EMBED_KEY && { authorization: `Bearer ${env.EMBED_KEY}` }) };
  const body = JSON.stringify({ ...(env.EMBED_MODEL && { model: env.EMBED_MODEL }), input: texts, encoding_format: "float" });
  /** @type {Response} */
  let response;
  let answer;
  try {
    response = await fetch(url, { method: "POST", headers, body, signal });
    answer = response.ok ? await response.json() : await response.body?.cancel();
  } catch (cause) {
    if (signal.aborted) throw new PagevecError("timeout", "the embedding API did not answer in time", { cause });
    throw new PagevecError("network", "the embedding API could not be reached, or its answer could not be read", { cause });
  }
  if (!response.ok) throw new PagevecError(codeOf(response.status), `the embedding API answered with status ${response.status}`);
  const vectors = answer?.data?.map?.((/** @type {{ embedding?: unknown }} */ { embedding }) => embedding);
  if (vectors?.length !== texts.length || !vectors.every(Array.isArray)) throw new PagevecError("status", "the embedding API's answer is not { data: [{ embedding: […] }] }");
  return vectors.map((/** @type {number[]} */ vector) => Float32Array.from(vector));
}

/** @param {number} status */
function codeOf(status) {
  if (status === 401 || status === 403) return "forbidden";
  if (status >= 300 && status < 400) return "redirect";
  return status === 429 || status >= 500 ? "network" : "status";
}
