//! What of a segment is held under a memory budget, and how: a pure choice, made when the segment is opened.

use crate::error::Error;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Extent, Region};

/// At least so many rows can be rescored in one wave.
const MIN_ROW_SLOTS: u64 = 64;

/// The regions that hold a segment's sections, within `budget` bytes (the front included).
///
/// In this order, as far as they fit: ids and row checksums (whole), the codes (whole, else chunk by chunk), the graph
/// (whole, only beside whole codes: a walk over a source that is not here costs a round trip per hop), then rows.
pub(crate) fn layout(segment: &Segment, budget: u64) -> Result<Vec<Region>, Error> {
    let grain = |kind| segment.header.section(kind).map_or(1, |s| s.grain);
    let section = |kind| segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 });
    let small = [SectionKind::Ids, SectionKind::IdOrder, SectionKind::RowSums];
    let mut regions: Vec<Region> = small
        .into_iter()
        .map(|kind| Region::Whole { section: section(kind), grain: grain(kind) })
        .filter(|r| r.bytes() > 0)
        .collect();
    let (codes, rows, graph) =
        (section(SectionKind::Codes), section(SectionKind::Rows), section(SectionKind::Graph));
    let stride = segment.rows.as_ref().map_or(0, |r| r.stride);
    let row_count = segment.count() as u64;
    let least_rows = stride * MIN_ROW_SLOTS.min(row_count);
    let chunk = grain(SectionKind::Codes).min(codes.length);

    let fixed = segment.header.front_length + regions.iter().map(Region::bytes).sum::<u64>() + least_rows;
    let needed = fixed + chunk;
    let mut left = budget.checked_sub(needed).ok_or(Error::Budget { needed, budget })?;
    if left >= codes.length - chunk {
        left -= codes.length - chunk;
        regions.push(Region::Whole { section: codes, grain: grain(SectionKind::Codes) });
        if graph.length > 0 && left >= graph.length {
            left -= graph.length;
            regions.push(Region::Whole { section: graph, grain: grain(SectionKind::Graph) });
        }
    } else {
        // Half of what is left streams the codes, the rest keeps rows.
        let unit = (chunk + left / 2) / chunk * chunk;
        left -= unit - chunk;
        regions.push(Region::Slots { section: codes, unit, slots: 1 });
    }
    if let Some(slots) = (least_rows + left).checked_div(stride).filter(|_| rows.length > 0) {
        regions.push(Region::Slots { section: rows, unit: stride, slots: slots.min(row_count) as usize });
    }
    regions.retain(|r| r.bytes() > 0);
    Ok(regions)
}
