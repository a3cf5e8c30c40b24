// The collection's worker, by an address below this page: what it loads goes through the page's service worker too, also offline.
import "../pkg/dist/collection-worker.js";
