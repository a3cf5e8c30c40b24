import { join } from "../sources/source.js";

/**
 * Cuts the chunks of a request, which come in any size, into what the core takes: small extents
 * whole, large ones in multiples of their grain. Bytes of the gaps are dropped.
 */
export class ChunkSplitter {
  #run;
  #grain;
  #deliver;
  #position;
  #extent = 0;
  /** Offset of the first byte not yet delivered within the current extent. */
  #from;
  /** @type {Uint8Array[]} bytes from #from on, too few to deliver */
  #held = [];
  #heldLength = 0;

  /**
   * @param {import("./coalesce.js").Run} run
   * @param {(offset: number, length: number) => number} grain of the extent there
   * @param {(offset: number, bytes: Uint8Array) => void} deliver
   */
  constructor(run, grain, deliver) {
    this.#run = run;
    this.#grain = grain;
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
   * @param {import("./coalesce.js").Extent} extent
   * @param {number} end
   */
  #take(bytes, extent, end) {
    this.#held.push(bytes);
    this.#heldLength += bytes.length;
    const grain = this.#grain(extent.offset, extent.length);
    const complete = this.#from + this.#heldLength === end;
    const ready = complete ? this.#heldLength : this.#heldLength - (this.#heldLength % grain);
    if (ready === 0) return;
    const all = join(this.#held, this.#heldLength);
    this.#deliver(this.#from, all.subarray(0, ready));
    // A copy: the rest must not keep a large chunk alive.
    this.#held = ready < all.length ? [all.slice(ready)] : [];
    this.#heldLength = all.length - ready;
    this.#from += ready;
  }

  #next() {
    this.#extent += 1;
    this.#from = this.#run.extents[this.#extent]?.offset ?? this.#position;
  }
}
