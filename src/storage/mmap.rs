//! A file mapped into memory.

use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::in_memory::slice;
use super::{Extent, SlotRoom, Source, advice, io_error, open_regular, resident};
use crate::error::Error;
use crate::pressure::memory_size;

/// The bytes that one bit of `announced` stands for.
const PAGE: u64 = 4096;
/// Linux reads at most its read-ahead for one hint and drops the rest.
const PIECE: u64 = 128 << 10;
/// After so many seconds all pages count as not announced: they may have been evicted since.
const FORGET: u64 = 10;
/// The clock is read once in so many hints.
const HINTS_PER_LOOK: u32 = 64;

/// A read-only mapping. If the file is truncated, a read of it is a SIGBUS: use pread for files that others may
/// truncate.
///
/// The system is told that the mapping is read at random, so that a fault reads its page and no more. The pages of a
/// wave are announced before they are read (`prefetch`), so that a cold search waits once a wave, not once a page.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: memmap2::Mmap,
    /// The pages that were announced. Without it, a warm search would pay for a system call for each of its extents.
    announced: Vec<AtomicU64>,
    hints: AtomicU32,
    opened: Instant,
    /// When all pages were last forgotten, in seconds after `opened`.
    forgot: AtomicU64,
    /// Memory of the machine, in bytes.
    memory: u64,
}

/// Maps a file that this process wrote, and that nothing else writes or cuts.
pub(super) fn map_all(file: &std::fs::File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: `FileSink::into_bytes` asks its caller that nothing writes or cuts the file while the mapping is used.
    unsafe { memmap2::Mmap::map(file) }
}

/// Takes all pages out of this process. The system may keep them in its cache; a read brings them back.
#[cfg(unix)]
fn drop_pages(map: &memmap2::Mmap) {
    // SAFETY: the mapping is of a file, read only and never written, so that a page that is dropped is read from the file
    // again with the same bytes, also while another thread reads it.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
}

#[cfg(not(unix))]
fn drop_pages(_map: &memmap2::Mmap) {}

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| io_error(path, source);
        let (file, length) = open_regular(path)?;
        // SAFETY: segments are immutable and published under a name made of their content. Whoever maps one guarantees
        // not to truncate or rewrite it meanwhile, as `Io::Mmap` says. Reads are bounds-checked slices of the mapping.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        advice::random(&map);
        let announced = (0..length.div_ceil(PAGE * 64)).map(|_| AtomicU64::new(0)).collect();
        let (hints, forgot) = (AtomicU32::new(0), AtomicU64::new(0));
        Ok(Mapped { map, announced, hints, opened: Instant::now(), forgot, memory: memory_size() })
    }

    /// Bytes of the whole file.
    pub(crate) fn length(&self) -> u64 {
        self.map.len() as u64
    }

    /// Bytes of memory beside the mapping.
    pub(crate) fn overhead(&self) -> u64 {
        self.announced.len() as u64 * 8
    }

    /// Forgets which pages were announced if that is long ago. `now` is in seconds.
    fn forget(&self, now: u64) {
        if now >= self.forgot.load(Relaxed) + FORGET && self.forgot.fetch_max(now, Relaxed) < now {
            self.announced.iter().for_each(|word| word.store(0, Relaxed));
        }
    }

    /// Marks all pages of `extent` as announced. Returns whether some page was not announced before.
    fn mark(&self, extent: Extent) -> bool {
        let (first, end) = (extent.offset / PAGE, extent.end().div_ceil(PAGE));
        let mut new = false;
        let mut page = first;
        while page < end {
            let Some(word) = self.announced.get((page / 64) as usize) else { break };
            let bits = (end - page).min(64 - page % 64);
            let mask = (u64::MAX >> (64 - bits)) << (page % 64);
            new |= word.load(Relaxed) & mask != mask && word.fetch_or(mask, Relaxed) & mask != mask;
            page += bits;
        }
        new
    }
}

impl Source for Mapped {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        slice(&self.map, extent)
    }

    fn fits(&self, _section: Extent) -> bool {
        true
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        SlotRoom { count: usize::MAX, bytes: section.length }
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn allocated(&self) -> u64 {
        self.overhead()
    }

    fn resident(&self, extent: Extent) -> u64 {
        resident::of_mapping(self.map.as_ptr() as usize, self.map.len(), extent)
    }

    fn evict(&self) {
        drop_pages(&self.map);
        self.announced.iter().for_each(|word| word.store(0, Relaxed));
    }

    fn prefetch(&self, extents: &mut dyn Iterator<Item = Extent>) {
        if self.hints.fetch_add(1, Relaxed) % HINTS_PER_LOOK == HINTS_PER_LOOK - 1 {
            self.forget(self.opened.elapsed().as_secs());
        }
        // If the file does not fit in memory, announced pages may have been evicted by now.
        let tight = self.length() > self.memory;
        self.announce(extents.filter(|&e| self.mark(e) || tight).collect());
    }

    fn prefetch_records(&self, first: Extent, at: &[u32]) -> bool {
        let record = |&at: &u32| Extent { offset: first.offset + u64::from(at) * first.length, ..first };
        let new: Vec<Extent> = at.iter().map(record).filter(|&e| self.mark(e)).collect();
        let some = !new.is_empty();
        self.announce(new);
        some
    }
}

impl Mapped {
    /// Announces extents to the system, neighbours as one.
    fn announce(&self, mut new: Vec<Extent>) {
        if new.is_empty() {
            return;
        }
        new.sort_unstable();
        let mut run: Option<Extent> = None;
        let will_need = |run: Extent| {
            for offset in (run.offset..run.end()).step_by(PIECE as usize) {
                let length = PIECE.min(run.end() - offset);
                advice::will_need(&self.map, offset as usize, length as usize);
            }
        };
        for extent in new.into_iter().filter(|e| e.end() <= self.length()) {
            match &mut run {
                Some(run) if extent.offset <= run.end() + PAGE => {
                    run.length = run.length.max(extent.end() - run.offset);
                }
                _ => {
                    run.replace(extent).into_iter().for_each(will_need);
                }
            }
        }
        run.into_iter().for_each(will_need);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_announced_once_until_all_is_forgotten() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(PAGE * 200).unwrap();
        let map = Mapped::open(file.path()).unwrap();
        let pages = |first: u64, count: u64| Extent { offset: first * PAGE, length: count * PAGE };
        assert!(map.mark(Extent { offset: 10, length: 20 }));
        assert!(!map.mark(pages(0, 1)), "the same page");
        assert!(map.mark(pages(0, 130)), "across words");
        assert!(!map.mark(pages(60, 70)));
        assert!(map.mark(Extent { offset: 130 * PAGE - 1, length: 2 }), "its second page is new");
        assert!(map.mark(pages(199, 1)) && !map.mark(pages(199, 1)));
        assert!(!map.mark(pages(4096, 1)), "beyond the end there is nothing to announce");
        map.forget(FORGET - 1);
        assert!(!map.mark(pages(2, 1)), "not yet");
        map.forget(FORGET);
        assert!(map.mark(pages(2, 1)), "forgotten");
        map.forget(2 * FORGET - 1);
        assert!(!map.mark(pages(2, 1)), "and not again before its time");
    }
}
