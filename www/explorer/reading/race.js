// How long bytes take over links that a visitor may have: round trips one after another, and bytes at the link's speed.

/** @type {Record<string, { rttMs: number, mbits: number, name: string }>} */
export const LINKS = {
  "3g": { rttMs: 200, mbits: 2, name: "3G" },
  "4g": { rttMs: 50, mbits: 20, name: "4G" },
  fibre: { rttMs: 10, mbits: 200, name: "fibre" },
};

/**
 * @param {{ rttMs: number, mbits: number }} link
 * @param {{ waves: number, bytes: number }} cost waves follow each other, so each waits for a round trip
 * @returns {number} seconds
 */
export function secondsOver({ rttMs, mbits }, { waves, bytes }) {
  return (waves * rttMs) / 1000 + (bytes * 8) / (mbits * 1e6);
}
