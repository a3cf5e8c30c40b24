//! What of a segment is held under a memory budget, and how: a pure choice, made when the segment is opened.

use crate::error::Error;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Extent, Region};

/// At least so many rows can be rescored in one wave, and so many lists scanned.
const MIN_ROWS: u64 = 64;
const MIN_LISTS: u64 = 16;
/// Rows kept at the most where lists want the room as well.
const MANY_ROWS: u64 = 4096;

/// Units of one section: what a search must have, and all there are.
struct Units {
    section: Extent,
    slot: u64,
    least: u64,
    most: u64,
}

/// The regions that hold a segment's sections, within `budget` bytes (the front included).
///
/// In this order, as far as they fit: ids and row checksums, the least of leaves, lists and rows; codes (whole, else
/// chunk by chunk if nothing else can search); the graph beside whole codes (a walk over a source that is not here
/// costs a round trip per hop); then more leaves, lists and rows.
pub(crate) fn layout(segment: &Segment, budget: u64) -> Result<Vec<Region>, Error> {
    let grain = |kind| segment.header.section(kind).map_or(1, |s| s.grain);
    let section = |kind| segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 });
    let whole = |kind| Region::Whole { section: section(kind), grain: grain(kind) };
    let mut regions = vec![whole(SectionKind::Ids), whole(SectionKind::IdOrder), whole(SectionKind::RowSums)];
    let units = units(segment);
    let codes = section(SectionKind::Codes);
    // Clusters search without the codes; a scan needs at least a chunk of them.
    let chunk = if segment.clusters.is_some() { 0 } else { grain(SectionKind::Codes).min(codes.length) };

    let fixed = segment.header.front_length + regions.iter().map(Region::bytes).sum::<u64>();
    let needed = fixed + chunk + units.iter().map(|u| u.slot * u.least).sum::<u64>();
    let mut left = budget.checked_sub(needed).ok_or(Error::Budget { needed, budget })?;
    if left >= codes.length - chunk {
        left -= codes.length - chunk;
        regions.push(whole(SectionKind::Codes));
        if left >= section(SectionKind::Graph).length {
            left -= section(SectionKind::Graph).length;
            regions.push(whole(SectionKind::Graph));
        }
    } else if let Some(chunks) = (left / 2).checked_div(chunk) {
        // Half of what is left streams the codes, the rest keeps rows.
        let slot = chunk + chunks * chunk;
        left -= chunks * chunk;
        regions.push(Region::Slots { section: codes, slot, slots: 1 });
    }
    for unit in units {
        let more = (left / unit.slot.max(1)).min(unit.most - unit.least);
        left -= more * unit.slot;
        let slots = (unit.least + more) as usize;
        regions.push(Region::Slots { section: unit.section, slot: unit.slot, slots });
    }
    regions.retain(|r| r.bytes() > 0);
    Ok(regions)
}

/// In the order in which room that is left goes to them.
fn units(segment: &Segment) -> Vec<Units> {
    let rows = segment.finest();
    let count = segment.count() as u64;
    let of = |kind, slot, least, most: u64| {
        let section = segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 });
        Units { section, slot, least: u64::min(least, most), most }
    };
    let mut units = Vec::new();
    if let Some(clusters) = &segment.clusters {
        let cells = clusters.cells.len() as u64;
        let [block, list] = clusters.cells.longest;
        units.push(of(SectionKind::Leaves, block, 1, cells));
        units.push(Units {
            section: rows.extent,
            slot: rows.stride,
            least: MIN_ROWS.min(count),
            most: MANY_ROWS.min(count),
        });
        units.push(of(SectionKind::Lists, list, MIN_LISTS, clusters.cells.leaf_count() as u64));
    } else if segment.rows.is_some() {
        units.push(Units {
            section: rows.extent,
            slot: rows.stride,
            least: MIN_ROWS.min(count),
            most: count,
        });
    }
    units
}
