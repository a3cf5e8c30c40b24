//! Compresses blocks in the LZ4 block format, with a dictionary before each. The encoder of lz4_flex hashes machine
//! words, so it gives other bytes in wasm. This one gives the same bytes everywhere, and fewer: it finds the longest
//! match at every position, and chooses among them by what they cost.

/// The shortest match, and how far back one may begin.
const MIN_MATCH: usize = 4;
const MAX_OFFSET: usize = 65_535;
/// The format ends a block with so many literals, and begins no match in so many last bytes.
const LAST_LITERALS: usize = 5;
const NO_MATCH: usize = 12;
/// Earlier places that are tried for each position.
const TRIES: usize = 32;
/// A match as long as this is good enough for the positions that it covers.
const LONG: usize = 256;
/// All lengths of a match up to this are tried, beside the longest.
const SHORT: usize = 64;
const HASH_BITS: u32 = 14;

/// Where the four bytes at a position occurred before: the last place of each hash, and the place before each place. 0:
/// none; else the place plus 1.
struct Chains {
    heads: Vec<u32>,
    before: Vec<u32>,
}

impl Chains {
    fn new(length: usize) -> Self {
        Chains { heads: vec![0; 1 << HASH_BITS], before: vec![0; length] }
    }

    /// The places with the hash of `bytes`, the last first.
    fn places(&self, bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
        let mut next = self.heads[hash(bytes)];
        std::iter::from_fn(move || {
            let place = next.checked_sub(1)? as usize;
            next = self.before[place];
            Some(place)
        })
    }

    fn insert(&mut self, bytes: &[u8], at: usize) {
        let head = &mut self.heads[hash(bytes)];
        self.before[at] = std::mem::replace(head, at as u32 + 1);
    }
}

fn hash(bytes: &[u8]) -> usize {
    let word = bytes.first_chunk().map_or(0, |first| u32::from_le_bytes(*first));
    (word.wrapping_mul(2_654_435_761) >> (u32::BITS - HASH_BITS)) as usize
}

/// How many first bytes are the same.
fn common(a: &[u8], b: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let mut length = 0;
    for (a, b) in words {
        let differ = word(a) ^ word(b);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + a[length..].iter().zip(&b[length..]).take_while(|(a, b)| a == b).count()
}

/// The longest match at a position.
#[derive(Clone, Copy, Default)]
struct Match {
    length: usize,
    offset: usize,
}

/// What is known before every block.
pub(super) struct Dictionary<'a> {
    bytes: &'a [u8],
    chains: Chains,
}

impl<'a> Dictionary<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut chains = Chains::new(bytes.len());
        for at in 0..(bytes.len() + 1).saturating_sub(MIN_MATCH) {
            chains.insert(&bytes[at..], at);
        }
        Dictionary { bytes, chains }
    }

    /// Appends `block` compressed, or as it is if that is no longer.
    pub(super) fn store(&self, block: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.compress(block, out);
        if out.len() - start >= block.len() {
            out.truncate(start);
            out.extend_from_slice(block);
        }
    }

    /// Appends `block` as LZ4.
    fn compress(&self, block: &[u8], out: &mut Vec<u8>) {
        let chosen = cheapest(&self.matches(block), block.len());
        let (mut literals, mut at) = (0, 0);
        while at < block.len() {
            let Match { length, offset } = chosen[at];
            if length == 0 {
                at += 1;
                continue;
            }
            sequence(&block[literals..at], Some(Match { length, offset }), out);
            at += length;
            literals = at;
        }
        sequence(&block[literals..], None, out);
    }

    /// The longest match at each position.
    fn matches(&self, block: &[u8]) -> Vec<Match> {
        let mut found = vec![Match::default(); block.len()];
        let mut own = Chains::new(block.len());
        for at in 0..block.len().saturating_sub(NO_MATCH) {
            let rest = &block[at..block.len() - LAST_LITERALS];
            let last = at.checked_sub(1).map_or(Match::default(), |before| found[before]);
            found[at] = match last.length > LONG {
                true => Match { length: last.length - 1, ..last },
                false => self.longest(block, at, rest, &own),
            };
            own.insert(&block[at..], at);
        }
        found
    }

    fn longest(&self, block: &[u8], at: usize, rest: &[u8], own: &Chains) -> Match {
        let mut best = Match { length: MIN_MATCH - 1, offset: 0 };
        let mut offer = |before: &[u8], offset: usize| {
            // Most places have another byte where a longer match would end.
            if before.get(best.length) != rest.get(best.length) || offset > MAX_OFFSET {
                return;
            }
            let length = common(before, rest);
            if length > best.length {
                best = Match { length, offset };
            }
        };
        own.places(rest).take(TRIES).for_each(|place| offer(&block[place..], at - place));
        let dictionary = self.bytes;
        let known = self.chains.places(rest).take(TRIES);
        known.for_each(|place| offer(&dictionary[place..], dictionary.len() - place + at));
        if best.length < MIN_MATCH { Match::default() } else { best }
    }
}

/// For each position the match that the cheapest way from there to the end begins with; of length 0 where that is a
/// literal.
fn cheapest(matches: &[Match], length: usize) -> Vec<Match> {
    let mut costs = vec![0u32; length + 1];
    let mut chosen = vec![Match::default(); length];
    for at in (0..length).rev() {
        costs[at] = costs[at + 1] + 1;
        let Match { length: longest, offset } = matches[at];
        for length in (MIN_MATCH..=longest.min(SHORT)).chain((longest > SHORT).then_some(longest)) {
            let more = if length < MIN_MATCH + 15 { 0 } else { 1 + (length - MIN_MATCH - 15) / 255 };
            let cost = costs[at + length] + 3 + more as u32;
            if cost < costs[at] {
                costs[at] = cost;
                chosen[at] = Match { length, offset };
            }
        }
    }
    chosen
}

/// Literals and the match after them.
fn sequence(literals: &[u8], found: Option<Match>, out: &mut Vec<u8>) {
    let length = found.map_or(0, |found| found.length - MIN_MATCH);
    out.push((literals.len().min(15) << 4 | length.min(15)) as u8);
    more(literals.len(), out);
    out.extend_from_slice(literals);
    if let Some(Match { offset, .. }) = found {
        out.extend((offset as u16).to_le_bytes());
        more(length, out);
    }
}

/// The rest of a length that is 15 or more.
fn more(length: usize, out: &mut Vec<u8>) {
    let Some(mut rest) = length.checked_sub(15) else { return };
    while rest >= 255 {
        out.push(255);
        rest -= 255;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash;

    fn check(dictionary: &[u8], block: &[u8]) -> usize {
        let mut out = Vec::new();
        Dictionary::new(dictionary).compress(block, &mut out);
        let mut back = vec![0; block.len()];
        let length = lz4_flex::block::decompress_into_with_dict(&out, &mut back, dictionary).unwrap();
        assert!(length == block.len() && back == block, "{} bytes after {}", block.len(), dictionary.len());
        out.len()
    }

    #[test]
    fn blocks_come_back() {
        let bytes = |seed: u64, length: u64, values: u64| -> Vec<u8> {
            (0..length).map(|i| b'a' + (hash(seed << 32 | i) % values) as u8).collect()
        };
        for seed in 0..60 {
            let dictionary = bytes(seed, seed * seed % 3000, 2 + seed % 5);
            for length in [0, 1, 4, 5, 11, 12, 13, 14, 20, 100, 4000] {
                check(&dictionary, &bytes(seed + 1000, length, 1 + seed % 9));
            }
            let known = &dictionary[dictionary.len() / 3..];
            check(&dictionary, &[known, b"and more", known].concat());
        }
        let words = b"the quick brown fox jumps over the lazy dog. ".repeat(90);
        assert!(check(&[], &words) < 100);
        assert!(check(&words[..2000], &words[..1000]) < 20);
        assert!(check(&[], &vec![0; 65_536]) < 300);
        assert!(check(&vec![b'x'; 32_768], &vec![b'x'; 65_536]) < 300);
    }
}
