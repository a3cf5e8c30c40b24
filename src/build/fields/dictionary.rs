//! Chooses a dictionary for the blocks: the pieces of the rows whose short strings occur most often. This is the cover
//! algorithm (Liao, Petri, Moffat, Wirth, 2016) as zstd's `fastcover` has it: the sample is cut into as many parts as
//! the dictionary has pieces, and each part gives its best one.

use std::ops::Range;

/// Bytes of the strings that are counted, and of a piece.
const STRING: usize = 6;
const PIECE: usize = 48;
const HASH_BITS: u32 = 18;

/// At most `size` bytes, all of them from `sample`.
pub(super) fn train(sample: &[u8], size: usize) -> Vec<u8> {
    let strings = sample.windows(STRING).map(hash).collect::<Vec<u32>>();
    // How many more times each string occurs.
    let mut counts = vec![0u32; 1 << HASH_BITS];
    strings.iter().for_each(|&string| counts[string as usize] += 1);
    counts.iter_mut().for_each(|count| *count = count.saturating_sub(1));

    let pieces = size / PIECE;
    let mut dictionary = Vec::with_capacity(size);
    let mut seen = vec![0u16; 1 << HASH_BITS];
    for part in 0..pieces {
        let border = |part: usize| strings.len() * part / pieces;
        let range = border(part)..border(part + 1);
        let Some(best) = best_piece(&strings[range.clone()], &counts, &mut seen) else { continue };
        let (start, end) = (range.start + best.start, range.start + best.end);
        strings[start..end].iter().for_each(|&string| counts[string as usize] = 0);
        dictionary.extend_from_slice(&sample[start..end + STRING - 1]);
    }
    dictionary
}

/// The strings of the best piece of a part. Strings that occur twice in a piece count once. `seen` is all 0, and is
/// left so.
fn best_piece(strings: &[u32], counts: &[u32], seen: &mut [u16]) -> Option<Range<usize>> {
    const WIDTH: usize = PIECE - STRING + 1;
    let (mut score, mut best) = (0u64, (0u64, 0..0));
    for (at, &string) in strings.iter().enumerate() {
        if seen[string as usize] == 0 {
            score += u64::from(counts[string as usize]);
        }
        seen[string as usize] += 1;
        let start = (at + 1).saturating_sub(WIDTH);
        if let Some(left) = at.checked_sub(WIDTH) {
            let gone = strings[left] as usize;
            seen[gone] -= 1;
            if seen[gone] == 0 {
                score -= u64::from(counts[gone]);
            }
        }
        if score > best.0 {
            best = (score, start..at + 1);
        }
    }
    strings.iter().rev().take(WIDTH).for_each(|&string| seen[string as usize] = 0);
    // What nothing else has is left out at both ends.
    let (_, Range { start, end }) = best;
    let known = |string: &u32| counts[*string as usize] > 0;
    let first = strings[start..end].iter().position(known)?;
    let last = strings[start..end].iter().rposition(known)?;
    Some(start + first..start + last + 1)
}

fn hash(bytes: &[u8]) -> u32 {
    let mut word = [0; 8];
    word[..STRING].copy_from_slice(bytes);
    (u64::from_le_bytes(word).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - HASH_BITS)) as u32
}
