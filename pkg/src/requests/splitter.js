import { join } from "../sources/source.js";

/**
 * Splits the chunks of a request, which come in any size, into pieces that the core takes: small extents whole, large ones
 * in multiples of their block size. Bytes in the gaps between extents are dropped.
 */
export class ChunkSplitter {
  #run;
  #blockSize;
  #deliver;
  #position;
  #extent = 0;
  /** Offset of the first byte of the current extent that is not delivered yet. */
  #from;
  /** @type {Uint8Array[]} bytes from #from on, too few to deliver */
  #held = [];
  #heldLength = 0;

  /**
   * @param {import("./coalesce.js").Run} run
   * @param {(offset: number, length: number) => number} blockSize of the extent there
   * @param {(offset: number, bytes: Uint8Array) => void} deliver
   */
  constructor(run, blockSize, deliver) {
    this.#run = run;
    this.#blockSize = blockSize;
    this.#deliver = deliver;
    this.#position = run.offset;
    this.#from = run.extents[0].offset;
  }

  /**
   * @param {Uint8Array} chunk the bytes that follow
   * @returns {void}
   */
  push(chunk) {
    let rest = chunk;
    while (rest.length > 0 && this.#extent < this.#run.extents.length) {
      const extent = this.#run.extents[this.#extent];
      const gap = Math.min(Math.max(extent.offset - this.#position, 0), rest.length);
      const end = extent.offset + extent.length;
      const take = Math.min(end - this.#position - gap, rest.length - gap);
      if (take > 0) this.#take(rest.subarray(gap, gap + take), extent, end);
      this.#position += gap + take;
      rest = rest.subarray(gap + take);
      if (this.#position === end) this.#next();
    }
  }

  /**
   * @param {Uint8Array} bytes
   * @param {import("../sources/source.js").Extent} extent
   * @param {number} end
   */
  #take(bytes, extent, end) {
    this.#held.push(bytes);
    this.#heldLength += bytes.length;
    const complete = this.#from + this.#heldLength === end;
    const ready = complete ? this.#heldLength : this.#heldLength - (this.#heldLength % this.#blockSize(extent.offset, extent.length));
    if (ready === 0) return;
    const all = join(this.#held, this.#heldLength);
    this.#deliver(this.#from, all.subarray(0, ready));
    // A copy, so that the rest does not keep a large chunk alive.
    this.#held = ready < all.length ? [all.slice(ready)] : [];
    this.#heldLength = all.length - ready;
    this.#from += ready;
  }

  #next() {
    this.#extent += 1;
    this.#from = this.#run.extents[this.#extent]?.offset ?? this.#position;
  }
}
