//! Divides a memory budget among the sections of a segment. The division is computed once, when the segment is opened.

use crate::error::Error;
use crate::search::IndexChoice;
use crate::segment::{Matrix, SectionKind, Segment};
use crate::storage::{Extent, Region, WALKS_FROM_DISK};

/// A session can hold at least so many rows and lists at once: those are reranked and scanned in one wave.
const MIN_ROWS: u64 = 64;
const MIN_LISTS: u64 = 16;
/// So many lists and rows get room before codes and graph do. Codes and graph are read only by `load` or by a search
/// that names their index; and without this room each query of a large index would read its lists again (wordnet at 64
/// MiB: 650 KB for the 100th query).
const WARM_LISTS: u64 = 512;
const WARM_ROWS: u64 = 1024;
/// The codes and links of at least so many nodes have room where the graph is read node by node.
const MIN_NODES: u64 = 128;
/// At most so many rows have room where lists need it as well.
const MANY_ROWS: u64 = 4096;

/// The slots of one section: their size, how many there are, how many make searches fast, and how many are of use.
struct Units {
    section: Extent,
    slot: u64,
    slots: u64,
    warm: u64,
    most: u64,
}

impl Units {
    /// Grows to up to `slots` slots, as far as `left` bytes allow.
    fn grow(&mut self, slots: u64, left: &mut u64) {
        let more = (*left / self.slot.max(1)).min(slots.min(self.most).saturating_sub(self.slots));
        *left -= more * self.slot;
        self.slots += more;
    }
}

/// The regions that hold a segment's sections, within `budget` bytes (the front included).
///
/// Room is given in this order, as far as the budget goes: ids and row checksums; some leaves, lists and rows; codes
/// (whole, or in chunks if there are no clusters); the graph, if the codes are whole (a walk over a remote graph costs
/// a round trip per hop); then more leaves, lists and rows. If `favour` is hnsw, codes and graph come first; if they do
/// not fit, the graph gets what a walk node by node needs, and it is an error if that does not fit either.
pub(crate) fn layout(segment: &Segment, budget: u64, favour: IndexChoice) -> Result<Vec<Region>, Error> {
    let grain = |kind| segment.header.section(kind).map_or(1, |s| s.block_size);
    let section = |kind| segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 });
    let whole = |kind| Region::Whole { section: section(kind), block_size: grain(kind) };
    let mut regions = vec![whole(SectionKind::Ids), whole(SectionKind::IdOrder)];
    regions.extend(segment.finer.iter().filter_map(|rows| rows.checksums).map(whole));
    // Where the graph is favoured, clusters get the least with which they work.
    let mut units = units(segment, if favour == IndexChoice::Hnsw { 1 } else { MIN_LISTS });
    let codes = section(SectionKind::Codes);
    // With clusters, a search does not need the codes. A scan needs a chunk of them, which must be longer than one row:
    // `plan` distinguishes the two by that.
    let chunk = match segment.clusters {
        Some(_) => 0,
        None => {
            let grain = grain(SectionKind::Codes).max(1);
            (grain * (2 * segment.codes.stride).div_ceil(grain)).min(codes.length)
        }
    };

    let fixed = segment.header.front_length + regions.iter().map(Region::bytes).sum::<u64>();
    let needed = fixed + chunk + units.iter().map(|u| u.slot * u.slots).sum::<u64>();
    let whole_graph = codes.length - chunk + section(SectionKind::Graph).length;
    let left = budget.checked_sub(needed);
    if WALKS_FROM_DISK && favour == IndexChoice::Hnsw && left.is_none_or(|left| left < whole_graph) {
        // The error names the smaller of two budgets: for the whole graph, or for a walk node by node.
        let too_small = |more: u64| Error::Budget { needed: needed + more.min(whole_graph), budget };
        if let Some(walking) = walking(segment, &mut units, left.unwrap_or(0)) {
            regions.extend(walking.map_err(too_small)?);
            left.ok_or_else(|| too_small(0))?;
            regions.retain(|r| r.bytes() > 0);
            return Ok(regions);
        }
    }
    let mut left = left.ok_or(Error::Budget { needed, budget })?;
    if favour != IndexChoice::Hnsw {
        units.iter_mut().for_each(|u| u.grow(u.warm, &mut left));
    }
    if left >= codes.length - chunk {
        left -= codes.length - chunk;
        regions.push(whole(SectionKind::Codes));
        if left >= section(SectionKind::Graph).length {
            left -= section(SectionKind::Graph).length;
            regions.push(whole(SectionKind::Graph));
        }
    } else if let Some(chunks) = (left / 2).checked_div(chunk) {
        // Half of the rest is for chunks of codes, the other half for rows.
        let slot = chunk + chunks * chunk;
        left -= chunks * chunk;
        regions.push(Region::Slots { section: codes, slot, slots: 1 });
    }
    for mut unit in units {
        unit.grow(unit.most, &mut left);
        regions.push(Region::Slots { section: unit.section, slot: unit.slot, slots: unit.slots as usize });
    }
    regions.retain(|r| r.bytes() > 0);
    Ok(regions)
}

/// The smallest budget under which [`layout`] holds codes and graph whole, where it favours no index.
pub(crate) fn to_load(segment: &Segment) -> u64 {
    let length = |kind| segment.extent(kind).map_or(0, |e| e.length);
    let kinds = [SectionKind::Ids, SectionKind::IdOrder, SectionKind::Codes, SectionKind::Graph];
    let sums = segment.finer.iter().filter_map(|rows| rows.checksums);
    let whole = kinds.into_iter().chain(sums).map(length).sum::<u64>();
    let units = units(segment, MIN_LISTS);
    let units = units.iter().map(|u| u.slot * u.slots.max(u.warm.min(u.most))).sum::<u64>();
    segment.header.front_length + whole + units
}

/// The regions of a walk node by node, and of `units`, in `left` bytes; the error is the number of bytes they need.
/// `None` if the segment cannot be walked so: it has no checksums of nodes, or no clusters.
fn walking(segment: &Segment, units: &mut Vec<Units>, left: u64) -> Option<Result<Vec<Region>, u64>> {
    let section = |kind| segment.header.section(kind);
    let (sums, codes) = (section(SectionKind::NodeChecksums)?, section(SectionKind::Codes)?);
    let parts = segment.graph_parts()?;
    segment.clusters.as_ref()?;
    let count = segment.count() as u64;
    let unit = |section, slot| Units { section, slot, slots: MIN_NODES.min(count), warm: 0, most: count };
    let mut regions = vec![
        Region::Whole { section: sums.extent, block_size: sums.block_size },
        Region::Whole { section: parts.upper, block_size: parts.block_size },
    ];
    let mut links = unit(parts.base, parts.stride);
    let mut needed = regions.iter().map(Region::bytes).sum::<u64>() + links.slot * links.slots;
    let all = left >= needed + codes.extent.length;
    if all {
        needed += codes.extent.length;
        regions.push(Region::Whole { section: codes.extent, block_size: codes.block_size });
    } else if !segment.finer.is_empty() {
        let codes = unit(codes.extent, segment.codes.stride);
        needed += codes.slot * codes.slots;
        units.insert(0, codes);
    } else if let Some(at) = units.iter().position(|u| u.section == codes.extent) {
        // The codes are the finest rows, which have room already: they come first.
        units[at].most = count;
        units.swap(0, at);
    }
    let Some(mut left) = left.checked_sub(needed) else { return Some(Err(needed)) };
    // A search reads the links of a node once, but a code several times: codes get more of the room.
    links.grow(links.slots + left / if all { 2 } else { 8 } / links.slot, &mut left);
    units.push(links);
    for unit in units {
        unit.grow(unit.most, &mut left);
        regions.push(Region::Slots { section: unit.section, slot: unit.slot, slots: unit.slots as usize });
    }
    Some(Ok(regions))
}

/// The slots of leaves, rows and lists that every search needs, in the order in which they get more room.
fn units(segment: &Segment, lists: u64) -> Vec<Units> {
    let count = segment.count() as u64;
    let of = |kind, slot, least: u64, warm, most: u64| {
        let section = segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 });
        Units { section, slot, slots: least.min(most), warm, most }
    };
    let of_rows = |rows: &Matrix, warm, most: u64| Units {
        section: rows.extent,
        slot: rows.stride,
        slots: MIN_ROWS.min(most),
        warm,
        most,
    };
    // Clusters are reranked by the finest rows; the rows of other stages only rank what a graph or a scan finds.
    let finer = segment.finer.iter().rev();
    match &segment.clusters {
        Some(clusters) => {
            let cells = clusters.cells.len() as u64;
            let [block, list] = clusters.cells.longest;
            let mut units = vec![
                of(SectionKind::Leaves, block, 1, cells, cells),
                of_rows(segment.finest(), WARM_ROWS, MANY_ROWS.min(count)),
                of(SectionKind::Lists, list, lists, WARM_LISTS, clusters.cells.leaf_count() as u64),
            ];
            units.extend(finer.skip(1).map(|rows| of_rows(rows, 0, MANY_ROWS.min(count))));
            units
        }
        None => finer.map(|rows| of_rows(rows, 0, count)).collect(),
    }
}
