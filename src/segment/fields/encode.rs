//! The sections of the stored fields, from compressed blocks.

use super::{BLOCK_ENTRY, FIELDS, GROUP_ENTRY, HEAD};
use crate::segment::format::FieldSizes;
use crate::storage::checksum;

/// The blocks of a group of rows.
#[derive(Default)]
pub(crate) struct FieldGroup {
    blocks: Vec<Block>,
    bytes: Vec<u8>,
}

struct Block {
    /// Rows of the group up to the end of this block.
    end: usize,
    raw: usize,
    stored: usize,
}

impl FieldGroup {
    /// Adds a block: the group's rows up to `end` that no block before holds, of `raw` bytes. What `stored` appends are
    /// those bytes compressed, fewer than `raw`, or else the bytes themselves.
    pub(crate) fn push(&mut self, end: usize, raw: usize, stored: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        stored(&mut self.bytes);
        self.blocks.push(Block { end, raw, stored: self.bytes.len() - before });
    }
}

/// The two sections, and the sizes for the header.
pub(crate) struct Encoded {
    pub(crate) directory: Vec<u8>,
    /// One piece for each group.
    pub(crate) fields: Vec<Vec<u8>>,
    pub(crate) sizes: FieldSizes,
}

/// The sections of groups of `rows` rows each.
pub(crate) fn encode(groups: Vec<FieldGroup>, rows: usize, dictionary: &[u8], file_seed: u64) -> Encoded {
    let seed = file_seed ^ FIELDS;
    let mut directory = Vec::with_capacity(HEAD + groups.len() * GROUP_ENTRY + dictionary.len());
    let head = [groups.len(), rows, dictionary.len(), 0];
    head.iter().for_each(|&number| directory.extend((number as u32).to_le_bytes()));
    let (mut fields, mut sizes, mut offset) = (Vec::with_capacity(groups.len()), FieldSizes::default(), 0u64);
    for FieldGroup { blocks, bytes } in groups {
        let length = blocks.len() * BLOCK_ENTRY;
        let mut piece = Vec::with_capacity(length + bytes.len());
        let mut at = 0;
        for &Block { end, raw, stored } in &blocks {
            let sum = checksum::sum_at(seed, offset + (length + at) as u64, &bytes[at..at + stored]);
            // From 1 on, so that 65,536 fits.
            [end, raw - 1, stored - 1].iter().for_each(|&number| piece.extend((number as u16).to_le_bytes()));
            piece.extend((sum as u32).to_le_bytes());
            at += stored;
            sizes.unit = sizes.unit.max(stored as u32);
            sizes.block = sizes.block.max(raw as u32);
        }
        sizes.unit = sizes.unit.max(length as u32);
        directory.extend(offset.to_le_bytes());
        directory.extend((blocks.len() as u32).to_le_bytes());
        directory.extend((checksum::sum_at(seed, offset, &piece) as u32).to_le_bytes());
        piece.extend(bytes);
        offset += piece.len() as u64;
        fields.push(piece);
    }
    directory.extend(dictionary);
    Encoded { directory, fields, sizes }
}
