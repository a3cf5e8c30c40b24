//! What an index holds in memory, in figures; and how it gives back what it can have again.

use super::{Bytes, Index};
use crate::pressure::{Budget, Contents, MemoryManager, MemoryMetrics};
use crate::storage::Extent;

impl Index {
    /// All figures of the memory of this index. The pages of a mapped file that are in memory are counted one by one: some
    /// milliseconds for a gigabyte.
    pub fn metrics(&self) -> MemoryMetrics {
        let budget = self.ledger.memory().budget;
        let manager = MemoryManager::over(Budget::bytes(budget), self.meter.clone());
        manager.watch(vec![self.ledger.clone()]);
        let mut metrics = manager.metrics();
        (metrics.contents, metrics.evictions) = (self.contents(), self.evictions());
        metrics
    }

    /// The sections of all segments, and how much of them is in memory.
    pub(crate) fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        for (number, facts) in self.segments.iter().enumerate() {
            let mut rest = facts.info.file_length;
            for section in facts.info.sections.iter() {
                let extent = Extent { offset: section.offset, length: section.length };
                contents.add(section.name, section.length, self.resident(number, extent));
                rest = rest.saturating_sub(section.length);
            }
            // The header, and what aligns sections.
            contents.add("header", rest, 0);
        }
        contents
    }

    fn resident(&self, segment: usize, extent: Extent) -> u64 {
        match &self.bytes {
            Bytes::Local { files, .. } => files.get(segment).map_or(0, |file| file.resident(extent)),
            Bytes::Paged(reading) => reading.resident(segment, extent),
        }
    }

    /// Units that were dropped from memory to make room for others; 0 where files are mapped.
    pub(crate) fn evictions(&self) -> u64 {
        if let Bytes::Paged(reading) = &self.bytes { reading.evictions() } else { 0 }
    }

    /// Gives back the scratch memory of searches that have ended, which the next ones allocate anew.
    pub fn trim(&self) {
        match &self.bytes {
            Bytes::Local { scratches, .. } => scratches.clear(),
            Bytes::Paged(reading) => reading.scratches().clear(),
        }
    }

    /// As [`Index::trim`], and takes the pages of mapped files out of memory: searches read from the disk again what they need.
    /// Sections and slots of a file that is read piece by piece stay until the index is dropped.
    pub fn evict(&self) {
        self.trim();
        if let Bytes::Local { files, .. } = &self.bytes {
            files.iter().for_each(|file| file.evict());
        }
    }
}
