//! The blocks of the keys of a field, the sets of their buckets, and the head.

use super::block;
use crate::error::Error;
use crate::segment::payload::cursor::put;
use crate::segment::payload::encode::Sections;

/// Pairs of a block; more if there were more blocks than this.
const PAIRS: usize = 1024;
const BLOCKS: usize = 1024;
/// Blocks of a bucket, so that there are about so many buckets; but not more blocks than this.
const BUCKETS: usize = 16;
const LONGEST_BUCKET: usize = 16;

/// Writes the keys of a field and the sets of their buckets, and appends the head. `pairs` rise.
pub(in crate::segment::payload) fn encode(
    pairs: &[(u64, u32)],
    rows: usize,
    sections: &mut Sections,
    head: &mut Vec<u8>,
) -> Result<(), Error> {
    let per_block = pairs.len().div_ceil(BLOCKS).next_power_of_two().max(PAIRS);
    put(head, per_block as u64);
    let mut last: Option<u64> = None;
    for some in pairs.chunks(per_block) {
        let first = some[0].0;
        match last {
            None => head.extend(first.to_le_bytes()),
            Some(last) => put(head, first - last),
        }
        last = Some(first);
        sections.sorted.push(block::encode(some))?.put(head);
    }
    let (Some(last), Some(greatest)) = (last, pairs.last()) else { return Ok(()) };
    put(head, greatest.0 - last);
    let blocks = pairs.len().div_ceil(per_block);
    // The set of the only block would be that of all rows that have a value.
    let per_bucket = if blocks == 1 { 0 } else { blocks.div_ceil(BUCKETS).min(LONGEST_BUCKET) };
    put(head, per_bucket as u64);
    if per_bucket == 0 {
        return Ok(());
    }
    let mut positions = Vec::new();
    for bucket in pairs.chunks(per_bucket * per_block) {
        positions.clear();
        positions.extend(bucket.iter().map(|pair| pair.1));
        positions.sort_unstable();
        positions.dedup();
        sections.set(&mut positions.iter().copied(), rows)?.put(head);
    }
    Ok(())
}
