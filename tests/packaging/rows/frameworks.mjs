// Frameworks that render on a server and in the page, in their production builds.
import { reachable } from "../harness/host.mjs";

/** What a server's route does: it posts what it found, as pages do. */
const ROUTE = (check) => `import { open } from "pagevec";
import { report } from "${check}";
export async function GET(request) {
  await report(open, new URL(request.url).search);
  return new Response("done");
}
`;

const NEXT = {
  "app/layout.js": "export default function Layout({ children }) {\n  return <html lang=\"en\"><body>{children}</body></html>;\n}\n",
  "app/page.js": `"use client";
import { useEffect } from "react";
import { open } from "pagevec";
import { report } from "../src/check.js";
export default function Page() {
  useEffect(() => void report(open, location.search), []);
  return <p>Uses pagevec</p>;
}
`,
  "app/node/route.js": `${ROUTE("../../src/check.js")}export const dynamic = "force-dynamic";\n`,
  "app/edge/route.js": `${ROUTE("../../src/check.js")}export const dynamic = "force-dynamic";\nexport const runtime = "edge";\n`,
};

/** With each of Next's bundlers, all that is served; `edge` names the one that makes edge routes. */
const next = (bundlers, edge = bundlers) => async (t) => {
  const { run, start, remove, write } = await t.make({ files: NEXT });
  const found = { client: [], "route handler": [], "edge runtime": [] };
  for (const flags of bundlers) {
    await remove(".next", "app/edge/route.js");
    if (edge.includes(flags)) await write("app/edge/route.js", NEXT["app/edge/route.js"]);
    await run("next", ["build", ...flags], { seconds: 300 }).catch((error) => Object.values(found).forEach((all) => all.push({ error: error.message })));
    const port = await t.port();
    const server = start("next", ["start", "-p", port, "-H", "127.0.0.1"]);
    try {
      await reachable(`http://127.0.0.1:${port}/`);
      const told = async (name, ask) => found[name].push(await ask().catch((error) => ({ error: `${flags}: ${error.message} ${server.printed().slice(-1500)}` })));
      await told("client", () => t.visit(`http://127.0.0.1:${port}/`));
      await told("route handler", () => t.ask((where) => fetch(`http://127.0.0.1:${port}/node${where}`)));
      if (edge.includes(flags)) await told("edge runtime", () => t.ask((where) => fetch(`http://127.0.0.1:${port}/edge${where}`)));
    } catch (error) {
      Object.values(found).forEach((all) => all.push({ error: error.message }));
    } finally {
      await server.stop();
    }
  }
  for (const [mode, results] of Object.entries(found)) await t.mode(mode, async () => results.find(({ error }) => error) ?? results[0] ?? { error: "it was not asked" });
};

/** A framework with a page at / and a route at /api. */
async function served(t, { run, start }, build, [program, ...args], env) {
  await run(...build);
  const port = await t.port();
  const server = start(program, args.map((arg) => arg.replace("PORT", port)), { env: { PORT: port, HOST: "127.0.0.1", ...env } });
  try {
    await reachable(`http://127.0.0.1:${port}/`);
    await t.mode("client", () => t.visit(`http://127.0.0.1:${port}/`));
    await t.mode("server", () => t.ask((where) => fetch(`http://127.0.0.1:${port}/api${where}`)).catch((error) => Promise.reject(new Error(`${error.message} ${server.printed().slice(-800)}`))));
  } finally {
    await server.stop();
  }
}

async function sveltekit(t) {
  const project = await t.make({
    sources: "src/shared",
    files: {
      "vite.config.js": 'import { sveltekit } from "@sveltejs/kit/vite";\nexport default { plugins: [sveltekit()] };\n',
      "src/app.html": '<!doctype html><html lang="en"><head>%sveltekit.head%</head><body><div>%sveltekit.body%</div></body></html>',
      "src/routes/+page.svelte": '<script>\n  import { onMount } from "svelte";\n  import { open } from "pagevec";\n  import { report } from "../shared/check.js";\n  onMount(() => void report(open, location.search));\n</script>\n<p>Uses pagevec</p>\n',
      "src/routes/api/+server.js": 'import { open } from "pagevec";\nimport { report } from "../../shared/check.js";\nexport async function GET({ url }) {\n  await report(open, url.search);\n  return new Response("done");\n}\n',
    },
  });
  await served(t, project, ["vite", ["build"]], ["vite", "preview", "--port", "PORT", "--strictPort", "--host", "127.0.0.1"]);
}

async function nuxt(t) {
  const project = await t.make({
    sources: "app/lib",
    files: {
      "nuxt.config.ts": 'export default defineNuxtConfig({ compatibilityDate: "2026-01-01" });\n',
      "app/app.vue": '<script setup>\nimport { open } from "pagevec";\nimport { report } from "./lib/check.js";\nonMounted(() => void report(open, location.search));\n</script>\n<template><p>Uses pagevec</p></template>\n',
      "server/routes/api.get.js": 'import { open } from "pagevec";\nimport { report } from "../../app/lib/check.js";\nexport default defineEventHandler(async (event) => {\n  await report(open, new URL(event.node?.req.url ?? event.req.url, "http://x").search);\n  return "done";\n});\n',
    },
  });
  await served(t, project, ["nuxt", ["build"], { seconds: 300 }], [t.node, project.path(".output/server/index.mjs")]);
}

/** Astro renders at build time: the frontmatter of a page is its server. */
async function astro(t) {
  const { run, path } = await t.make({
    files: {
      "src/pages/index.astro": '---\nimport { open } from "pagevec";\nimport { report } from "../check.js";\nawait report(open, import.meta.env.WHERE ?? process.env.WHERE);\n---\n<html lang="en"><body><p>Uses pagevec</p><script>\n  import { open } from "pagevec";\n  import { report } from "../check.js";\n  report(open, location.search);\n</script></body></html>\n',
    },
  });
  await t.mode("server", () => t.ask((where) => run("astro", ["build"], { env: { WHERE: where } })));
  await t.mode("client", async () => t.visit(`${(await t.serve(path("dist"))).url}/`));
}

const [WEBPACK, TURBOPACK] = [["--webpack"], ["--turbopack"]];

export default {
  "next-15": next([[], TURBOPACK]),
  // Next 16.4.6 with --webpack fails to build any route of the edge runtime, also one without an import.
  "next-16": next([TURBOPACK, WEBPACK], [TURBOPACK]),
  sveltekit,
  nuxt,
  astro,
};
