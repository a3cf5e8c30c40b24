//! The memory of slots. It lies in chunks, each allocated when a slot of it comes into use and freed once none of it is, so that it
//! follows what is held and never moves as a whole.

use super::Buffer;
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::memory::{bytes, grow};

/// Bytes of a chunk, about: a page of WebAssembly's memory. A slot that is longer has a chunk of its own.
const CHUNK: u64 = 1 << 16;

/// See the head of this file.
pub(super) struct Chunks {
    slot: u64,
    /// A chunk has two to the power of this slots; the last may have fewer.
    shift: u32,
    chunks: Vec<Buffer>,
    held: Reservation,
}

impl Chunks {
    /// Of slots of so many bytes.
    pub(super) fn new(slot: u64, ledger: &Ledger) -> Self {
        let shift = (CHUNK / slot.max(1)).max(1).ilog2();
        Chunks { slot, shift, chunks: Vec::new(), held: ledger.nothing(Part::Slots) }
    }

    /// How many chunks the first `slots` slots are in.
    fn count(&self, slots: usize) -> usize {
        slots.div_ceil(1 << self.shift)
    }

    /// What the list of chunks takes, once there are `capacity` slots.
    pub(super) fn places(&self, capacity: usize) -> u64 {
        (self.count(capacity).max(self.chunks.capacity()) * size_of::<Buffer>()) as u64
    }

    /// What it takes now.
    pub(super) fn places_now(&self) -> u64 {
        bytes(&self.chunks)
    }

    /// Has memory for the first `slots` slots from now on, of the `capacity` that there may be. After an error what was there
    /// stays.
    ///
    /// # Errors
    /// `budget`, `out-of-memory`.
    pub(super) fn resize(&mut self, slots: usize, capacity: usize) -> Result<(), Error> {
        let count = self.count(slots);
        if count < self.chunks.len() {
            self.chunks.truncate(count);
            self.settle();
        }
        let all = self.count(capacity);
        grow(&mut self.chunks, all)?;
        for number in self.chunks.len().saturating_sub(1)..count {
            self.resize_chunk(
                number,
                self.slot * (capacity - (number << self.shift)).min(1 << self.shift) as u64,
            )?;
        }
        Ok(())
    }

    fn resize_chunk(&mut self, number: usize, bytes: u64) -> Result<(), Error> {
        let old = self.chunks.get(number).map_or(0, |chunk| chunk.as_ref().len() as u64);
        if old == bytes {
            return Ok(());
        }
        // Only a last chunk with fewer slots is copied: once the capacity has changed.
        self.held.resize(self.held.bytes().max(self.held.bytes() - old + bytes))?;
        let allocated = Buffer::zeroed(bytes).map(|mut fresh| match self.chunks.get_mut(number) {
            None => self.chunks.push(fresh),
            Some(chunk) => {
                let kept = old.min(bytes) as usize;
                fresh.as_mut()[..kept].copy_from_slice(&chunk.as_ref()[..kept]);
                *chunk = fresh;
            }
        });
        self.settle();
        allocated
    }

    fn settle(&mut self) {
        self.held.settle(self.chunks.iter().map(|chunk| chunk.as_ref().len() as u64).sum());
    }

    /// Drops the list of chunks too, of which there are none any more.
    pub(super) fn forget(&mut self) {
        self.chunks = Vec::new();
        self.settle();
    }

    /// Of a slot: its chunk, and where it begins in that.
    fn place(&self, slot: usize) -> (usize, usize) {
        (slot >> self.shift, (slot & ((1 << self.shift) - 1)) * self.slot as usize)
    }

    /// The bytes of a slot from `offset` on.
    pub(super) fn get(&self, slot: usize, offset: u64, length: u64) -> Option<&[u8]> {
        let (chunk, start) = self.place(slot);
        let start = start + offset as usize;
        self.chunks.get(chunk)?.as_ref().get(start..start + length as usize)
    }

    /// The first bytes of a slot.
    pub(super) fn get_mut(&mut self, slot: usize, length: usize) -> Option<&mut [u8]> {
        let (chunk, start) = self.place(slot);
        self.chunks.get_mut(chunk)?.as_mut().get_mut(start..start + length)
    }

    /// Copies the first bytes of a slot into another one.
    pub(super) fn copy(&mut self, from: usize, to: usize, length: usize) {
        let ((source, at), (target, into)) = (self.place(from), self.place(to));
        if source == target {
            if let Some(chunk) = self.chunks.get_mut(source) {
                chunk.as_mut().copy_within(at..at + length, into);
            }
        } else if let Ok([source, target]) = self.chunks.get_disjoint_mut([source, target]) {
            target.as_mut()[into..into + length].copy_from_slice(&source.as_ref()[at..at + length]);
        }
    }

    /// The address and the length of each chunk.
    pub(super) fn memory(&self) -> impl Iterator<Item = (usize, usize)> {
        self.chunks.iter().map(|chunk| (chunk.as_ref().as_ptr().addr(), chunk.as_ref().len()))
    }
}
