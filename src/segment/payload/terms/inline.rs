//! Sets of few rows, which stand beside their texts: the first row, then the gaps, each as a varint.

use crate::error::Error;
use crate::segment::payload::cursor::{Cursor, put};
use crate::segment::payload::{MAX_INLINE, TERMS_NAME};

/// The rows of an inline set; `None` if they take too many bytes.
pub(super) fn encode(positions: &[(u32, u32)]) -> Option<Vec<u8>> {
    let (mut out, mut next) = (Vec::new(), 0);
    for &(_, position) in positions {
        put(&mut out, u64::from(position - next));
        if out.len() > MAX_INLINE {
            return None;
        }
        next = position + 1;
    }
    Some(out)
}

/// Sets the bits of the rows of an inline set. Returns how many it has.
///
/// # Errors
/// `corrupt`.
pub(in crate::segment::payload) fn add(bytes: &[u8], rows: usize, words: &mut [u64]) -> Result<usize, Error> {
    each(bytes, rows.min(words.len() * 64), &mut |row| words[row as usize / 64] |= 1 << (row % 64))
}

/// Calls `take` with each row of an inline set, rising. Returns how many it has.
///
/// # Errors
/// `corrupt`. Then some may have been given.
pub(in crate::segment::payload) fn each(
    bytes: &[u8],
    rows: usize,
    take: &mut dyn FnMut(u32),
) -> Result<usize, Error> {
    let mut cursor = Cursor { left: bytes, section: TERMS_NAME };
    let (mut next, mut count) = (0, 0);
    while !cursor.left.is_empty() {
        let row = u64::from(cursor.short()?) + next;
        if row >= rows as u64 {
            return Err(Error::corrupt(TERMS_NAME, "a row beyond the last"));
        }
        take(row as u32);
        (next, count) = (row + 1, count + 1);
    }
    Ok(count)
}
