// Where an index is in the linear memory: for a picture of it.

/**
 * @typedef {object} MemoryUnit something of the file that is in memory: a row, a list, a block of a section
 * @property {number} offset in the file; of several segments, as `onFetch` tells it
 * @property {number} length in bytes
 * @property {number} address of its first byte in the linear memory
 * @property {boolean} touched whether a search read it since the last map was made; not told of sections that are held whole
 *
 * @typedef {object} MemoryPiece
 * @property {number} address of its first byte in the linear memory
 * @property {number} length in bytes
 *
 * @typedef {object} StackUse
 * @property {number} used the most bytes that were ever in use
 *
 * @typedef {object} HeapUse
 * @property {number} reserved bytes, for this index: what is left is free, or of other indexes of the same instance
 *
 * @typedef {object} MemoryArena what is reserved for a section, or for the same section of several segments
 * @property {string} section its name, as in `info.sections`
 * @property {number} most bytes that it may hold
 * @property {MemoryPiece[]} memory the pieces that it has of the linear memory
 * @property {MemoryUnit[]} units what is in them
 *
 * @typedef {object} MemoryMap the linear memory of the WebAssembly instance, from its first byte to its last
 * @property {number} linearMemory bytes of it
 * @property {MemoryPiece & StackUse} stack which grows down
 * @property {MemoryPiece} statics tables and constants of the program
 * @property {MemoryPiece & HeapUse} heap where all else is
 * @property {MemoryArena[]} arenas of this index, which lie in the heap
 */

/**
 * @param {Float64Array} numbers as the reader's `held` gives them
 * @param {ArrayBuffer} buffer the linear memory
 * @param {{ name: string, offset: number, length: number }[]} sections
 * @param {number} reserved bytes
 * @returns {MemoryMap}
 */
export function memoryMap(numbers, buffer, sections, reserved) {
  const [statics, end, heap] = numbers;
  const linearMemory = buffer.byteLength;
  const nameAt = (/** @type {number} */ offset) => sections.find((section) => offset >= section.offset && offset < section.offset + section.length)?.name ?? "";
  /** @type {MemoryArena[]} */
  const arenas = [];
  for (let at = 5; at < numbers.length; at += 5) {
    const [kind, a, b, c, d] = numbers.subarray(at, at + 5);
    const arena = arenas[arenas.length - 1];
    if (kind === 0) arenas.push({ section: nameAt(a), most: c, memory: [], units: [] });
    else if (kind === 1) arena.memory.push({ address: a, length: b });
    else arena.units.push({ offset: a, length: b, address: c, touched: d === 1 });
  }
  return {
    linearMemory,
    stack: { address: 0, length: statics, used: statics - firstUsed(new Uint32Array(buffer, 0, statics >> 2)) },
    statics: { address: statics, length: end - statics },
    heap: { address: heap, length: linearMemory - heap, reserved },
    arenas,
  };
}

/** The stack was all zeros once, and grows towards 0. @param {Uint32Array} words */
function firstUsed(words) {
  const first = words.findIndex((word) => word !== 0);
  return 4 * (first < 0 ? words.length : first);
}
