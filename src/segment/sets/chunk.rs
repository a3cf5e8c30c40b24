//! The positions of one chunk, counted from its start, in the smallest of three kinds of bytes.

use super::corrupt;
use crate::error::Error;
use crate::segment::packed;

/// Positions that a chunk covers.
pub(super) const SPAN: usize = 1 << 16;
/// The words of its bits.
pub(super) const WORDS: usize = SPAN / BITS;
/// Bytes of the longest chunk, which is a bitmap.
pub(super) const LONGEST: usize = SPAN / 8;

const BITS: usize = 64;
/// Positions whose gaps are packed with one width.
const BLOCK: usize = 128;
/// Bytes before the gaps of a block: its first position and the width.
const BLOCK_HEAD: usize = 3;
const WIDEST: usize = 16;
/// Bytes of a run: its first position, and how many more it has.
const RUN: usize = 4;

/// How the positions of a chunk are written. The number is the one in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gaps = 0,
    Bitmap = 1,
    Runs = 2,
}

impl Kind {
    pub(super) fn of(number: u8) -> Option<Self> {
        [Kind::Gaps, Kind::Bitmap, Kind::Runs].into_iter().find(|&kind| kind as u8 == number)
    }
}

/// Appends the positions, which rise and are below `span`, in the smallest kind; of kinds of one size, in the one of
/// lowest number.
pub(super) fn encode(positions: &[u16], span: usize, out: &mut Vec<u8>) -> Kind {
    let gaps: usize =
        positions.chunks(BLOCK).map(|block| BLOCK_HEAD + packed_length(block.len(), width(block))).sum();
    let runs = || positions.chunk_by(|a, b| b - a == 1);
    let lengths = [(gaps, Kind::Gaps), (span.div_ceil(8), Kind::Bitmap), (runs().count() * RUN, Kind::Runs)];
    let kind = lengths.into_iter().min_by_key(|&(length, _)| length).map_or(Kind::Bitmap, |least| least.1);
    match kind {
        Kind::Gaps => positions.chunks(BLOCK).for_each(|block| encode_block(block, out)),
        Kind::Bitmap => {
            let start = out.len();
            out.resize(start + span.div_ceil(8), 0);
            positions.iter().for_each(|&p| out[start + usize::from(p / 8)] |= 1 << (p % 8));
        }
        Kind::Runs => {
            let run = |run: &[u16]| [run[0], (run.len() - 1) as u16].map(u16::to_le_bytes);
            out.extend(runs().flat_map(run).flatten());
        }
    }
    kind
}

/// What is stored of the positions after the first: their distance to the one before, minus 1.
fn gaps(block: &[u16]) -> impl Iterator<Item = u64> + '_ {
    block.windows(2).map(|pair| u64::from(pair[1] - pair[0] - 1))
}

/// Bits that the largest gap takes.
fn width(block: &[u16]) -> usize {
    (u64::BITS - gaps(block).max().unwrap_or(0).leading_zeros()) as usize
}

/// Bytes of the gaps of a block of `count` positions, at least 1.
fn packed_length(count: usize, width: usize) -> usize {
    ((count - 1) * width).div_ceil(8)
}

fn encode_block(block: &[u16], out: &mut Vec<u8>) {
    let width = width(block);
    out.extend(block[0].to_le_bytes());
    out.push(width as u8);
    packed::pack(gaps(block), width as u32, out);
}

/// Sets the bits of the positions in `bytes`. `words` has the bits of `span` positions; those that are set stay so. An
/// error may leave some more set.
///
/// # Errors
/// `corrupt` unless there are exactly `count` positions, which rise and are below `span`, and nothing follows them.
pub(super) fn decode(
    kind: Kind,
    bytes: &[u8],
    count: usize,
    span: usize,
    words: &mut [u64],
) -> Result<(), Error> {
    match kind {
        Kind::Gaps => decode_gaps(bytes, count, span, words),
        Kind::Bitmap => decode_bitmap(bytes, count, span, words),
        Kind::Runs => decode_runs(bytes, count, span, words),
    }
}

fn decode_gaps(mut bytes: &[u8], count: usize, span: usize, words: &mut [u64]) -> Result<(), Error> {
    // The least position that may come next.
    let (mut left, mut next) = (count, 0);
    while left > 0 {
        let block = left.min(BLOCK);
        let cut = || corrupt("its gaps are cut short");
        let (head, rest) = bytes.split_at_checked(BLOCK_HEAD).ok_or_else(cut)?;
        let width = usize::from(head[2]);
        if width > WIDEST {
            return Err(corrupt("gaps of more than 16 bits"));
        }
        let (packed, rest) = rest.split_at_checked(packed_length(block, width)).ok_or_else(cut)?;
        let mut position = usize::from(u16::from_le_bytes([head[0], head[1]]));
        if position < next {
            return Err(corrupt("positions that do not rise"));
        }
        set(words, span, position)?;
        for at in 0..block - 1 {
            let first = at * width;
            // In `packed`, as the number at `first` starts before its end; without bits there is nothing to skip.
            let gap = packed::number(&packed[first / 8..], first as u64, width);
            position += 1 + gap as usize;
            set(words, span, position)?;
        }
        (bytes, left, next) = (rest, left - block, position + 1);
    }
    match bytes {
        [] => Ok(()),
        _ => Err(corrupt("bytes after the last gap")),
    }
}

fn set(words: &mut [u64], span: usize, position: usize) -> Result<(), Error> {
    let word = words.get_mut(position / BITS).filter(|_| position < span);
    *word.ok_or_else(beyond)? |= 1 << (position % BITS);
    Ok(())
}

fn beyond() -> Error {
    corrupt("a position beyond the last row")
}

fn decode_bitmap(bytes: &[u8], count: usize, span: usize, words: &mut [u64]) -> Result<(), Error> {
    if bytes.len() != span.div_ceil(8) {
        return Err(corrupt("a bitmap of another length than its chunk"));
    }
    let mut found = 0;
    for (at, (word, bytes)) in words.iter_mut().zip(bytes.chunks(BITS / 8)).enumerate() {
        let mut eight = [0; BITS / 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(eight);
        if at == span / BITS && bits >> (span % BITS) != 0 {
            return Err(beyond());
        }
        found += bits.count_ones() as usize;
        *word |= bits;
    }
    if found == count { Ok(()) } else { Err(other_count()) }
}

fn other_count() -> Error {
    corrupt("another number of positions than its directory says")
}

fn decode_runs(bytes: &[u8], count: usize, span: usize, words: &mut [u64]) -> Result<(), Error> {
    let (runs, rest) = bytes.as_chunks::<RUN>();
    if !rest.is_empty() {
        return Err(corrupt("half a run"));
    }
    let (mut found, mut next) = (0, 0);
    for &[a, b, c, d] in runs {
        let first = usize::from(u16::from_le_bytes([a, b]));
        let end = first + usize::from(u16::from_le_bytes([c, d])) + 1;
        if first < next {
            return Err(corrupt("runs that do not rise"));
        }
        if end > span {
            return Err(beyond());
        }
        fill(words, first, end);
        (found, next) = (found + end - first, end);
    }
    if found == count { Ok(()) } else { Err(other_count()) }
}

/// Sets the bits from `first` to `end`, of which there is at least one.
fn fill(words: &mut [u64], first: usize, end: usize) {
    let (low, high) = (first / BITS, (end - 1) / BITS);
    for (at, word) in words.iter_mut().enumerate().take(high + 1).skip(low) {
        let from = if at == low { u64::MAX << (first % BITS) } else { u64::MAX };
        let to = if at == high { u64::MAX >> (BITS - 1 - (end - 1) % BITS) } else { u64::MAX };
        *word |= from & to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(positions: impl IntoIterator<Item = usize>, span: usize) -> Vec<u64> {
        let mut words = vec![0; span.div_ceil(BITS)];
        positions.into_iter().for_each(|p| set(&mut words, span, p).unwrap());
        words
    }

    fn decoded(kind: Kind, bytes: &[u8], count: usize, span: usize) -> Result<Vec<u64>, Error> {
        let mut words = vec![0; span.div_ceil(BITS)];
        decode(kind, bytes, count, span, &mut words).map(|()| words)
    }

    #[test]
    fn each_kind_is_chosen_where_it_is_smallest() {
        let hashed =
            |one_in: u64| (0..SPAN).filter(move |&p| crate::hash::hash(p as u64).is_multiple_of(one_in));
        for (words, kind, length) in [
            (bits([65_535], SPAN), Kind::Gaps, 3),
            (bits((0..100).map(|i| i * 650), SPAN), Kind::Gaps, 3 + (99 * 10usize).div_ceil(8)),
            (bits(0..SPAN, SPAN), Kind::Runs, 4),
            (bits((5..900).chain(901..40_000), SPAN), Kind::Runs, 8),
            (bits(hashed(2), SPAN), Kind::Bitmap, LONGEST),
            (bits([0, 1, 2, 4, 5, 8], 9), Kind::Bitmap, 2),
        ] {
            let span = if words.len() == 1 { 9 } else { SPAN };
            let mut bytes = Vec::new();
            let bit = |p: &usize| words[p / BITS] >> (p % BITS) & 1 == 1;
            let positions: Vec<u16> = (0..span).filter(bit).map(|p| p as u16).collect();
            assert_eq!((encode(&positions, span, &mut bytes), bytes.len()), (kind, length));
            let count = words.iter().map(|word| word.count_ones() as usize).sum();
            assert_eq!(decoded(kind, &bytes, count, span).unwrap(), words);
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        let (cut, long) = (&[0, 0][..], &[5, 0, 0, 9][..]);
        for (kind, bytes, count, span) in [
            (Kind::Gaps, cut, 1, 100),
            (Kind::Gaps, long, 1, 100),
            (Kind::Gaps, &[100, 0, 0], 1, 100),
            (Kind::Gaps, &[99, 0, 0], 2, 100),
            (Kind::Gaps, &[5, 0, 17, 0, 0, 0], 2, 100),
            (Kind::Gaps, &[5, 0, 8], 2, 100),
            (Kind::Gaps, &[0, 0, 0, 127, 0, 0], 129, 200),
            (Kind::Bitmap, &[1], 1, 9),
            (Kind::Bitmap, &[1, 0, 0], 1, 9),
            (Kind::Bitmap, &[1, 2], 2, 9),
            (Kind::Bitmap, &[1, 1], 1, 9),
            (Kind::Runs, &[0, 0, 1], 2, 100),
            (Kind::Runs, &[99, 0, 1, 0], 2, 100),
            (Kind::Runs, &[0, 0, 3, 0, 3, 0, 0, 0], 5, 100),
            (Kind::Runs, &[0, 0, 3, 0], 5, 100),
            (Kind::Runs, &[255, 255, 255, 255], 1, SPAN),
        ] {
            let error = decoded(kind, bytes, count, span).unwrap_err();
            assert_eq!(error.code(), "corrupt", "{kind:?} {bytes:?}");
        }
        // The same with one thing put right.
        assert!(decoded(Kind::Gaps, &[0, 0, 0, 128, 0, 0], 129, 200).is_ok());
        assert!(decoded(Kind::Runs, &[0, 0, 3, 0, 4, 0, 0, 0], 5, 100).is_ok());
        assert!(decoded(Kind::Bitmap, &[1, 1], 2, 9).is_ok());
    }
}
