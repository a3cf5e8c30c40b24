//! The slots of what is read unit by unit: leaves, lists, rows, blocks of fields, units of indexes.

use super::Sections;
use crate::segment::{Matrix, SectionKind};
use crate::session::members::Members;
use crate::storage::{Extent, Region};

/// A session can hold at least so many rows at once: those are reranked in one wave.
const MIN_ROWS: u64 = 64;
/// So many lists and rows get room before codes and graph do. Codes and graph are read only by `load` or by a search
/// that names their index; and without this room each query of a large index would read its lists again (wordnet at 64
/// MiB: 650 KB for the 100th query).
const WARM_LISTS: u64 = 512;
const WARM_ROWS: u64 = 1024;
/// Blocks of stored fields, and directories of blocks, that have room; the second get it before codes and graph do.
const MIN_FIELDS: u64 = 8;
const WARM_FIELDS: u64 = 128;
/// Blocks of terms, sets of rows, and blocks of keys and points that have room; the second get it before codes and graph do.
const MIN_UNITS: u64 = 8;
const WARM_UNITS: u64 = 64;
/// At most so many rows have room where lists need it as well.
const MANY_ROWS: u64 = 4096;

/// The slots of one section, or of the same section of several segments: their size, how many there are, how many make
/// searches fast, and how many are of use.
pub(super) struct Units {
    pub(super) sections: Vec<Extent>,
    pub(super) slot: u64,
    pub(super) slots: u64,
    /// Searches work with so many slots.
    least: u64,
    pub(super) warm: u64,
    pub(super) most: u64,
}

impl Units {
    /// Of one section: as many slots as searches work with, if there are so many units.
    pub(super) fn of(section: Extent, slot: u64, least: u64, warm: u64, most: u64) -> Self {
        Units { sections: vec![section], slot, slots: least.min(most), least, warm, most }
    }

    /// Grows to up to `slots` slots, as far as `left` bytes allow.
    pub(super) fn grow(&mut self, slots: u64, left: &mut u64) {
        let more = (*left / self.slot.max(1)).min(slots.min(self.most).saturating_sub(self.slots));
        *left -= more * self.slot;
        self.slots += more;
    }

    /// Takes over the section of another segment: the slots hold units of both.
    fn join(&mut self, other: Units) {
        self.sections.extend(other.sections);
        self.slot = self.slot.max(other.slot);
        self.most += other.most;
        self.least = self.least.max(other.least);
        self.slots = self.least.min(self.most);
        self.warm = self.warm.max(other.warm);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.slot * self.slots
    }

    pub(super) fn into_region(self) -> Region {
        Region::Slots { sections: self.sections, slot: self.slot, slots: self.slots as usize }
    }
}

/// Adds the slots of a segment's section to those of other segments whose units are as long; a slot for lists or leaves
/// holds units of any length.
pub(super) fn join(all: &mut Vec<Units>, unit: Units) {
    match all.iter_mut().find(|other| other.slot == unit.slot) {
        Some(other) => other.join(unit),
        None => all.push(unit),
    }
}

/// The slots of leaves, rows and lists that every search needs, in the order in which they get more room.
pub(super) fn units(members: &Members, lists: u64) -> Vec<Units> {
    let [mut leaves, mut finest, mut of_lists, mut others, mut fields] = [const { Vec::new() }; 5];
    let mut indexes = [const { Vec::new() }; 3];
    for s in members.iter().map(Sections) {
        let segment = &s.0.segment;
        let count = segment.count() as u64;
        let of_rows =
            |rows: &Matrix, warm, most| Units::of(s.placed(rows.extent), rows.stride, MIN_ROWS, warm, most);
        // Clusters are reranked by the finest rows; the rows of other stages only rank what a graph or a scan finds.
        let finer = segment.finer.iter().rev();
        match &segment.clusters {
            Some(clusters) => {
                let cells = clusters.cells.len() as u64;
                let [block, list] = clusters.cells.longest;
                let all_lists = clusters.cells.leaf_count() as u64;
                any_length(&mut leaves, Units::of(s.extent(SectionKind::Leaves), block, 1, cells, cells));
                join(&mut finest, of_rows(segment.finest(), WARM_ROWS, MANY_ROWS.min(count)));
                any_length(
                    &mut of_lists,
                    Units::of(s.extent(SectionKind::Lists), list, lists, WARM_LISTS, all_lists),
                );
                finer.skip(1).for_each(|rows| join(&mut others, of_rows(rows, 0, MANY_ROWS.min(count))));
            }
            None => finer.for_each(|rows| join(&mut others, of_rows(rows, 0, count))),
        }
        if let Some(payload) = &segment.payload {
            let kinds = [SectionKind::Terms, SectionKind::Sets, SectionKind::Sorted];
            for ((all, kind), (&slot, most)) in
                indexes.iter_mut().zip(kinds).zip(payload.largest.iter().zip(payload.units()))
            {
                let slots = Units::of(s.extent(kind), slot.into(), MIN_UNITS, WARM_UNITS, most);
                if most > 0 {
                    any_length(all, slots);
                }
            }
        }
        if segment.fields().is_some() {
            let unit = u64::from(segment.header.fields.unit);
            any_length(
                &mut fields,
                Units::of(s.extent(SectionKind::Fields), unit, MIN_FIELDS, WARM_FIELDS, count),
            );
        }
    }
    leaves.iter_mut().for_each(|unit: &mut Units| unit.warm = unit.most);
    // Units of indexes and blocks of fields are few and short beside lists.
    let indexes = indexes.into_iter().flatten();
    leaves.into_iter().chain(finest).chain(indexes).chain(fields).chain(of_lists).chain(others).collect()
}

fn any_length(all: &mut Vec<Units>, unit: Units) {
    match all.first_mut() {
        Some(other) => other.join(unit),
        None => all.push(unit),
    }
}
