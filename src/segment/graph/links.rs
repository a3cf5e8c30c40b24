//! Links of layer 0 of a graph: of every node its record, as many bits a link as a position takes, up to a whole byte.

use crate::segment::packed;

/// No width is smaller, so that one table of [`group`]s is enough.
const MIN_WIDTH: usize = 8;

/// Bits of a link among `count` nodes.
fn width(count: usize) -> usize {
    let last = count.saturating_sub(1) as u64;
    ((u64::BITS - last.leading_zeros()) as usize).max(MIN_WIDTH)
}

/// Bytes of a record.
pub(crate) fn stride(count: usize, m: usize) -> usize {
    (2 * m * width(count)).div_ceil(8)
}

/// Appends the records of nodes with `2m` links each.
pub(crate) fn pack(links: &[u32], m: usize, records: &mut Vec<u8>) {
    let count = links.len() / (2 * m);
    for links in links.chunks_exact(2 * m) {
        packed::pack(links.iter().map(|&link| u64::from(link)), width(count) as u32, records);
    }
}

/// Links unpacked at a time. Eight links are `width` whole bytes.
const GROUP: usize = 8;
/// Bytes that eight links are unpacked from: the last read of eight bytes starts in byte 7·31/8.
const WINDOW: usize = 40;

/// Unpacks the first links in the window, of `WIDTH` bits each. The compiler knows where each one is.
fn group<const WIDTH: usize>(window: &[u8; WINDOW], out: &mut [u32; GROUP]) {
    for (i, out) in out.iter_mut().enumerate() {
        let bit = i * WIDTH;
        let mut word = [0; 8];
        word.copy_from_slice(&window[bit / 8..][..8]);
        *out = (u64::from_le_bytes(word) >> (bit % 8) & ((1 << WIDTH) - 1)) as u32;
    }
}

type Unpack = fn(&[u8; WINDOW], &mut [u32; GROUP]);

/// [`group`] by width: 8 to 31 bits, as positions are below 2³¹.
#[rustfmt::skip]
const GROUPS: [Unpack; 24] = [
    group::<8>, group::<9>, group::<10>, group::<11>, group::<12>, group::<13>,
    group::<14>, group::<15>, group::<16>, group::<17>, group::<18>, group::<19>,
    group::<20>, group::<21>, group::<22>, group::<23>, group::<24>, group::<25>,
    group::<26>, group::<27>, group::<28>, group::<29>, group::<30>, group::<31>,
];

/// Records, read where they are.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    records: &'a [u8],
    width: usize,
    /// Links of a record.
    slots: usize,
    stride: usize,
}

impl<'a> Links<'a> {
    /// Some or all of the records of a graph of `count` nodes.
    pub(crate) fn new(records: &'a [u8], count: usize, m: usize) -> Self {
        Links { records, width: width(count), slots: 2 * m, stride: stride(count, m) }
    }

    /// The unchecked links of record `at`, in `out`; none if there is no such record.
    #[inline]
    pub(crate) fn of<'b>(&self, at: usize, out: &'b mut Vec<u32>) -> &'b [u32] {
        let mut start = at.saturating_mul(self.stride);
        if start.saturating_add(self.stride) > self.records.len() {
            return &[];
        }
        let padded = self.slots.next_multiple_of(GROUP);
        if out.len() < padded {
            out.resize(padded, 0);
        }
        let group = GROUPS[(self.width - MIN_WIDTH).min(GROUPS.len() - 1)];
        for out in out[..padded].as_chunks_mut().0 {
            match self.records[start..].first_chunk() {
                Some(window) => group(window, out),
                None => group(&tail(&self.records[start..]), out),
            }
            start = (start + self.width).min(self.records.len());
        }
        &out[..self.slots]
    }

    /// The bytes of the record of `node`, to prefetch them.
    #[inline]
    pub(crate) fn bytes(&self, node: u32) -> &'a [u8] {
        let start = node as usize * self.stride;
        self.records.get(start..start + self.stride).unwrap_or(&[])
    }
}

/// The last bytes, padded with zeros.
#[cold]
fn tail(bytes: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    window[..bytes.len()].copy_from_slice(bytes);
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_back() {
        for (count, m) in [(1, 1), (2, 2), (129, 2), (256, 16), (257, 16), (5000, 5), (70_000, 2)] {
            let slots = 2 * m;
            let links: Vec<u32> = (0..count * slots).map(|i| (i * 977 % count) as u32).collect();
            let mut records = Vec::new();
            pack(&links, m, &mut records);
            assert_eq!(records.len(), count * stride(count, m));
            let (view, mut found) = (Links::new(&records, count, m), Vec::new());
            for (node, links) in links.chunks_exact(slots).enumerate() {
                assert_eq!(view.of(node, &mut found), links, "node {node} of {count}");
                let alone = Links::new(view.bytes(node as u32), count, m);
                assert_eq!(alone.of(0, &mut Vec::new()), links);
            }
            assert!(view.of(count, &mut found).is_empty() && view.bytes(count as u32).is_empty());
            assert!(view.of(usize::MAX, &mut found).is_empty());
        }
    }

    #[test]
    fn every_width_is_unpacked() {
        for width in MIN_WIDTH..=31 {
            let count = (1 << width) - 1;
            let numbers: Vec<u32> = (1..=46u64).map(|i| (i * 0x1234_5678_9ABC % count) as u32).collect();
            let mut record = Vec::new();
            packed::pack(numbers.iter().map(|&n| u64::from(n)), width as u32, &mut record);
            let found = Links::new(&record, count as usize, 23).of(0, &mut Vec::new()).to_vec();
            assert_eq!(found, numbers, "{width} bits");
        }
    }
}
