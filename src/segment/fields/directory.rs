//! From a position to the place of the block that holds the row's fields: the field directory, then a block directory.

use super::u32_at;
use super::{
    BLOCK_ENTRY, DIRECTORY_NAME, FIELDS, FieldPlaces, GROUP_ENTRY, HEAD, MAX_DICTIONARY, MAX_GROUP, NAME,
};
use crate::error::Error;
use crate::segment::Segment;
use crate::storage::{Expected, Extent, Read};

/// The field directory, read where it is.
#[derive(Clone, Copy)]
pub(crate) struct FieldDirectory<'a> {
    /// Rows of the segment, and of a group.
    count: u32,
    rows: u32,
    groups: &'a [[u8; GROUP_ENTRY]],
    pub(crate) dictionary: &'a [u8],
    /// The extent of the fields, the seed of their checksums, and bytes that a block decompresses to at most.
    fields: Extent,
    seed: u64,
    block: u32,
}

/// A group of rows.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    /// Its first row, and how many it has.
    pub(super) first: u32,
    pub(super) rows: u32,
    /// How many blocks.
    pub(super) blocks: usize,
    /// Its block directory.
    pub(crate) read: Read,
}

/// A block of rows.
#[derive(Clone, Copy)]
pub(crate) struct FieldBlock {
    /// Its first row, and how many it has.
    pub(super) first: u32,
    pub(super) rows: u32,
    /// Bytes that it decompresses to.
    pub(super) raw: usize,
    pub(crate) read: Read,
}

impl<'a> FieldDirectory<'a> {
    /// Checks the lengths of `bytes`.
    pub(crate) fn new(segment: &Segment, places: FieldPlaces, bytes: &'a [u8]) -> Result<Self, Error> {
        let bad = |detail: &str| Error::corrupt(DIRECTORY_NAME, detail);
        let number = |at: usize| u32_at(bytes, at).ok_or_else(|| bad("it ends too early"));
        let [groups, rows, dictionary] = [number(0)?, number(4)?, number(8)?];
        let count = segment.count() as u32;
        if rows as usize > MAX_GROUP || rows == 0 || count.div_ceil(rows) != groups {
            return Err(bad("the number of its groups is not that of the rows"));
        }
        let end = (groups as usize).saturating_mul(GROUP_ENTRY).saturating_add(HEAD);
        let (entries, rest) =
            bytes.split_at_checked(end).ok_or_else(|| bad("it ends before its groups do"))?;
        if rest.len() != dictionary as usize || rest.len() > MAX_DICTIONARY {
            return Err(bad("its length is not that of groups and dictionary"));
        }
        let groups = entries.get(HEAD..).unwrap_or_default().as_chunks().0;
        let block = segment.header.fields.block;
        let seed = segment.seed ^ FIELDS;
        Ok(FieldDirectory { count, rows, groups, dictionary: rest, fields: places.fields, seed, block })
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> u32 {
        self.groups.len() as u32
    }

    /// The group that holds a row.
    pub(crate) fn group_of(&self, position: u32) -> Result<Group, Error> {
        self.group(position / self.rows)
    }

    /// A group by its number.
    pub(super) fn group(&self, number: u32) -> Result<Group, Error> {
        let entry = self.groups.get(number as usize);
        let entry = entry.ok_or_else(|| Error::corrupt(DIRECTORY_NAME, "a row is in no group"))?;
        let [offset, rest] = [0, 8].map(|at| entry[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b)));
        let (blocks, checksum) = (rest as u32, (rest >> 32) as u32);
        let first = number * self.rows;
        let rows = self.rows.min(self.count.saturating_sub(first));
        if blocks == 0 || blocks > rows {
            return Err(Error::corrupt(DIRECTORY_NAME, "a group has no blocks, or more than rows"));
        }
        let length = u64::from(blocks) * BLOCK_ENTRY as u64;
        let read = self.read(offset, length, checksum)?;
        Ok(Group { first, rows, blocks: blocks as usize, read })
    }

    /// The block that holds a row of a group; `bytes` are the group's block directory.
    pub(crate) fn block_of(&self, group: &Group, bytes: &[u8], position: u32) -> Result<FieldBlock, Error> {
        let mut block = self.before_blocks(group);
        for number in 0..group.blocks {
            block = self.next_block(group, bytes, number, &block)?;
            if position.wrapping_sub(block.first) < block.rows {
                return Ok(block);
            }
        }
        Err(Error::corrupt(NAME, "a row is in no block"))
    }

    /// A block of no rows, which ends where the first block of a group begins.
    pub(super) fn before_blocks(&self, group: &Group) -> FieldBlock {
        FieldBlock { first: group.first, rows: 0, raw: 0, read: group.read }
    }

    /// Block `number` of a group, which follows another; `bytes` are the block directory.
    #[inline(never)]
    pub(super) fn next_block(
        &self,
        group: &Group,
        bytes: &[u8],
        number: usize,
        before: &FieldBlock,
    ) -> Result<FieldBlock, Error> {
        let entry = bytes.as_chunks::<BLOCK_ENTRY>().0.get(number);
        let entry = entry.ok_or_else(|| Error::corrupt(NAME, "a block directory ends too early"))?;
        let number = |at: usize| u32::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        let checksum = u32::from_le_bytes([entry[6], entry[7], entry[8], entry[9]]);
        let (end, raw, stored) = (group.first + number(0), number(2) + 1, number(4) + 1);
        let first = before.first + before.rows;
        let rows = end.saturating_sub(first);
        if rows == 0 || end > group.first + group.rows || raw > self.block || stored > raw {
            return Err(Error::corrupt(NAME, "the entry of a block is not possible"));
        }
        let offset = before.read.extent.end() - self.fields.offset;
        let read = self.read(offset, u64::from(stored), checksum)?;
        Ok(FieldBlock { first, rows, raw: raw as usize, read })
    }

    /// A part of the fields, `at` bytes behind their start.
    fn read(&self, at: u64, length: u64, checksum: u32) -> Result<Read, Error> {
        match at.checked_add(length).is_some_and(|end| end <= self.fields.length) {
            true => {
                let extent = Extent { offset: self.fields.offset + at, length };
                Ok(Read { extent, expected: Expected::Short { seed: self.seed, at, checksum } })
            }
            false => Err(Error::corrupt(NAME, "a block leaves the section")),
        }
    }
}
