// Keeps the page, so that it opens without a network. The notes are not kept here but by their collection. files.json names what the
// page needs; site.mjs writes it. With a network all comes from there, and what is kept is renewed.
const KEPT = "pagevec-notes";
const scope = /** @type {any} */ (self);

scope.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keepAll()));
scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});

async function keepAll() {
  const [list, kept] = [await fetch("./files.json", { cache: "no-cache" }), await caches.open(KEPT)];
  await kept.addAll(await list.json());
}

/** @param {Request} request */
async function answer(request) {
  const kept = await caches.open(KEPT);
  const own = () => kept.match(request, { ignoreSearch: true });
  try {
    const response = await fetch(request);
    if (!response.ok) return (await own()) ?? response;
    if (await own()) await kept.put(request, response.clone());
    return response;
  } catch (error) {
    const response = await own();
    if (response) return response;
    throw error;
  }
}
