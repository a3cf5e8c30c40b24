//! From a position to the place of the block that holds the row's fields: the field directory, then a block directory.

use super::{
    BLOCK_ENTRY, DIRECTORY_NAME, FIELDS, FieldPlaces, GROUP_ENTRY, HEAD, MAX_DICTIONARY, MAX_GROUP, NAME,
};
use super::{u16_at, u32_at};
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
        let mut blocks = self.blocks(group, bytes);
        let found =
            blocks.find(|block| block.as_ref().map_or(true, |b| position.wrapping_sub(b.first) < b.rows));
        found.unwrap_or_else(|| Err(Error::corrupt(NAME, "a row is in no block")))
    }

    /// The blocks of a group in order; `bytes` are its block directory. Each was checked as far as its entry says it all.
    pub(super) fn blocks<'b>(
        &self,
        group: &Group,
        bytes: &'b [u8],
    ) -> impl Iterator<Item = Result<FieldBlock, Error>> + use<'a, 'b> {
        let (group, directory) = (*group, *self);
        let mut end = 0;
        let mut offset = (group.read.extent.end()).saturating_sub(directory.fields.offset);
        (0..group.blocks).map(move |number| {
            let at = number * BLOCK_ENTRY;
            let short = || Error::corrupt(NAME, "a block directory ends too early");
            let number = |at| u16_at(bytes, at).ok_or_else(short);
            let [rows_end, raw, stored] = [number(at)?, number(at + 2)?, number(at + 4)?].map(u32::from);
            let checksum = u32_at(bytes, at + 6).ok_or_else(short)?;
            let (first, rows) = (group.first + end, rows_end.saturating_sub(end));
            let [raw, stored] = [raw + 1, stored + 1];
            if rows == 0 || rows_end > group.rows || raw > directory.block || stored > raw {
                return Err(Error::corrupt(NAME, "the entry of a block is not possible"));
            }
            let read = directory.read(offset, u64::from(stored), checksum)?;
            end = rows_end;
            offset += u64::from(stored);
            Ok(FieldBlock { first, rows, raw: raw as usize, read })
        })
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
