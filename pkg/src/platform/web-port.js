// A worker of a page, as engine/remote sees it. Pages that start one, for an index or a collection, load this with remote.js.

/**
 * @param {() => unknown} make starts the worker
 * @returns {(events: import("../engine/remote/peer.js").PortEvents) => import("../engine/remote/peer.js").Port}
 */
export const portOf = (make) => ({ onMessage, onFailure }) => {
  const worker = /** @type {Worker} */ (make());
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onmessageerror = () => onFailure("a message could not be read");
  worker.onerror = (event) => {
    event.preventDefault();
    onFailure(event.message || "its script could not be loaded");
  };
  return { post: (message, transfer) => worker.postMessage(message, transfer), hold: () => {}, end: () => worker.terminate() };
};
