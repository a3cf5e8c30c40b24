//! Which pages of a mapping this process has in memory: Linux tells it in a file, without a call that is unsafe.

use std::fs::File;

use super::{Extent, read_exact_at};

/// Bytes of an entry, and the bit of it that says that the page is in memory.
const ENTRY: u64 = 8;
const PRESENT: u64 = 1 << 63;
/// Entries that are read at once.
const AT_ONCE: u64 = 4096;

/// Bytes of `extent` whose pages are in memory, of a mapping of so many bytes at an address; 0 where that is not told.
pub(super) fn of_mapping(address: usize, length: usize, extent: Extent) -> u64 {
    count(address as u64, extent.end().min(length as u64), extent).unwrap_or(0)
}

fn count(address: u64, end: u64, extent: Extent) -> Option<u64> {
    let page = page_size()?;
    let pagemap = File::open("/proc/self/pagemap").ok()?;
    let (first, last) = ((address + extent.offset) / page, (address + end).div_ceil(page));
    let (mut bytes, mut resident) = (Vec::new(), 0);
    for from in (first..last).step_by(AT_ONCE as usize) {
        let pages = AT_ONCE.min(last - from);
        bytes.resize((pages * ENTRY) as usize, 0);
        read_exact_at(&pagemap, &mut bytes, from * ENTRY).ok()?;
        let (entries, _) = bytes.as_chunks::<{ ENTRY as usize }>();
        for (number, entry) in (from..).zip(entries) {
            if u64::from_le_bytes(*entry) & PRESENT != 0 {
                let start = (number * page).max(address + extent.offset);
                resident += ((number + 1) * page).min(address + end).saturating_sub(start);
            }
        }
    }
    Some(resident)
}

/// Bytes of a page, which the kernel tells each program it starts.
#[expect(clippy::host_endian_bytes, reason = "the kernel writes words as this machine reads them")]
fn page_size() -> Option<u64> {
    const PAGE_SIZE: usize = 6;
    let auxv = std::fs::read("/proc/self/auxv").ok()?;
    let (words, _) = auxv.as_chunks::<{ size_of::<usize>() }>();
    let words: Vec<usize> = words.iter().map(|word| usize::from_ne_bytes(*word)).collect();
    words.chunks_exact(2).find(|pair| pair[0] == PAGE_SIZE).map(|pair| pair[1] as u64)
}
