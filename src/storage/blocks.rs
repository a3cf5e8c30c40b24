//! A section in one piece, which is filled block by block.

use super::{Buffer, Expected, Extent, Held, Read};
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;

/// See the head of this file.
pub(super) struct Blocks {
    section: Extent,
    block_size: u64,
    buffer: Option<Buffer>,
    filled: Vec<bool>,
    missing: usize,
    /// For the buffer.
    held: Reservation,
    _places: Reservation,
}

impl Blocks {
    /// The memory of the section itself is reserved when it is first needed.
    ///
    /// # Errors
    /// `budget`.
    pub(super) fn new(section: Extent, block_size: u64, ledger: &Ledger) -> Result<Self, Error> {
        let blocks = section.length.div_ceil(block_size.max(1)) as usize;
        let places = ledger.reserve(Part::Places, blocks as u64)?;
        Ok(Blocks {
            section,
            block_size: block_size.max(1),
            buffer: None,
            filled: vec![false; blocks],
            missing: blocks,
            held: ledger.nothing(Part::Sections),
            _places: places,
        })
    }

    pub(super) fn allocate(&mut self) -> Result<(), Error> {
        if self.buffer.is_none() {
            self.held.resize(self.section.length)?;
            let buffer = Buffer::zeroed(self.section.length);
            if buffer.is_err() {
                self.held.resize(0)?;
            }
            self.buffer = Some(buffer?);
        }
        Ok(())
    }

    /// Drops all of it; returns the bytes that were held, and how many blocks.
    pub(super) fn clear(&mut self) -> (u64, u64) {
        let (bytes, blocks) = (self.held(), self.filled.len() - self.missing);
        self.filled.fill(false);
        self.missing = self.filled.len();
        self.buffer = None;
        self.held.settle(0);
        (bytes, blocks as u64)
    }

    /// Tells where the runs of blocks are that are held.
    pub(super) fn tell(&self, each: &mut dyn FnMut(Held)) {
        let Some(bytes) = self.buffer.as_ref().map(|buffer| buffer.as_ref()) else { return };
        let address = bytes.as_ptr().addr();
        each(Held::Memory { address, length: bytes.len() });
        for number in (0..self.filled.len()).filter(|&number| self.filled[number]) {
            let extent = self.block(number);
            let address = address + (extent.offset - self.section.offset) as usize;
            each(Held::Unit { extent, address, touched: false });
        }
    }

    /// The blocks that `extent` touches.
    fn blocks(&self, extent: Extent) -> std::ops::Range<usize> {
        let start = extent.offset - self.section.offset;
        (start / self.block_size) as usize..(start + extent.length).div_ceil(self.block_size) as usize
    }

    fn block(&self, number: usize) -> Extent {
        let start = number as u64 * self.block_size;
        let length = self.block_size.min(self.section.length.saturating_sub(start));
        Extent { offset: self.section.offset + start, length }
    }

    /// How many bytes were filled in.
    pub(super) fn held(&self) -> u64 {
        let filled = self.filled.iter().enumerate().filter(|(_, filled)| **filled);
        filled.map(|(number, _)| self.block(number).length).sum()
    }

    pub(super) fn missing(&self, extent: Extent) -> Vec<Extent> {
        let mut runs: Vec<Extent> = Vec::new();
        for block in self.blocks(extent).filter(|&b| !self.filled[b]).map(|b| self.block(b)) {
            match runs.last_mut() {
                Some(last) if last.end() == block.offset => last.length += block.length,
                _ => runs.push(block),
            }
        }
        runs
    }

    /// The run of whole blocks within `extent`, as a read, if some of them are missing and memory is allocated for
    /// them.
    pub(super) fn pending(&self, extent: Extent) -> Vec<Read> {
        let inside = self.blocks(extent).filter(|&b| extent.contains(self.block(b)));
        let (first, last) = (inside.clone().min(), inside.max());
        match (first, last, &self.buffer) {
            (Some(first), Some(last), Some(_)) if (first..=last).any(|b| !self.filled[b]) => {
                let offset = self.block(first).offset;
                let extent = Extent { offset, length: self.block(last).end() - offset };
                vec![Read { extent, expected: Expected::Blocks }]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn get(&self, extent: Extent) -> Option<&[u8]> {
        let buffer = self.buffer.as_ref()?.as_ref();
        if self.missing > 0 && !self.blocks(extent).all(|b| self.filled[b]) {
            return None;
        }
        let start = (extent.offset - self.section.offset) as usize;
        buffer.get(start..start + extent.length as usize)
    }

    pub(super) fn fill(&mut self, extent: Extent, bytes: &[u8]) {
        for number in self.blocks(extent) {
            let block = self.block(number);
            if self.filled[number] || !extent.contains(block) {
                continue;
            }
            let (from, to) =
                ((block.offset - extent.offset) as usize, (block.offset - self.section.offset) as usize);
            let length = block.length as usize;
            let Some(source) = bytes.get(from..from + length) else { continue };
            let Some(buffer) = &mut self.buffer else { continue };
            let Some(target) = buffer.as_mut().get_mut(to..to + length) else { continue };
            target.copy_from_slice(source);
            self.filled[number] = true;
            self.missing -= 1;
        }
    }
}
