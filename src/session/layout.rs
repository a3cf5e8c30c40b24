//! Divides a memory budget among the sections of an index's segments. The division is computed once, when the index is opened.
//! `units` has the slots of what is read unit by unit.

mod units;

use super::members::{Member, Members};
use crate::error::Error;
use crate::search::IndexChoice;
use crate::segment::SectionKind;
use crate::storage::{Extent, Region, WALKS_FROM_DISK};
use units::{Units, join, units};

/// A session can hold at least so many lists at once: those are scanned in one wave.
const MIN_LISTS: u64 = 16;
/// The codes and links of at least so many nodes have room where the graph is read node by node.
const MIN_NODES: u64 = 128;

/// What a segment's sections need, in addresses.
struct Sections<'a>(&'a Member);

impl Sections<'_> {
    fn extent(&self, kind: SectionKind) -> Extent {
        self.placed(self.0.segment.extent(kind).unwrap_or(Extent { offset: 0, length: 0 }))
    }

    fn placed(&self, extent: Extent) -> Extent {
        Extent { offset: extent.offset + self.0.base, ..extent }
    }

    fn grain(&self, kind: SectionKind) -> u64 {
        self.0.segment.header.section(kind).map_or(1, |section| section.block_size)
    }

    fn whole(&self, kind: SectionKind) -> Region {
        Region::Whole { section: self.extent(kind), block_size: self.grain(kind) }
    }

    fn length(&self, kinds: &[SectionKind]) -> u64 {
        kinds.iter().map(|&kind| self.extent(kind).length).sum()
    }

    /// The chunk of codes that a scan needs, if codes do not fit whole. With clusters, a search does not need the codes.
    /// A chunk must be longer than one row: `plan` distinguishes the two by that.
    fn chunk(&self) -> u64 {
        match self.0.segment.clusters {
            Some(_) => 0,
            None => {
                let grain = self.grain(SectionKind::Codes).max(1);
                let two = (2 * self.0.segment.codes.stride).div_ceil(grain);
                (grain * two).min(self.extent(SectionKind::Codes).length)
            }
        }
    }

    /// The sections that are held whole before all else.
    fn always(&self) -> Vec<Region> {
        let sums = self.0.segment.finer.iter().filter_map(|rows| rows.checksums);
        [SectionKind::Ids, SectionKind::IdOrder, SectionKind::FieldDirectory]
            .into_iter()
            .chain(sums)
            .map(|kind| self.whole(kind))
            .collect()
    }
}

const WALKED: [SectionKind; 2] = [SectionKind::Codes, SectionKind::Graph];

/// The regions that hold the segments' sections, within `budget` bytes (the fronts included).
///
/// Room is given in this order, as far as the budget goes: ids, row checksums and field directories; some leaves, lists, rows
/// and blocks of fields; the codes of all segments (whole, or in chunks where there are no clusters); their graphs, if the codes are whole (a walk over a
/// remote graph costs a round trip per hop); then more leaves, lists, rows and blocks. Slots are shared by all segments, so the
/// least with which searches work does not grow with their number. If `favour` is hnsw, codes and graphs come first; if
/// they do not fit, the graphs get what a walk node by node needs, and it is an error if that does not fit either.
pub(crate) fn layout(members: &Members, budget: u64, favour: IndexChoice) -> Result<Vec<Region>, Error> {
    let all: Vec<Sections<'_>> = members.iter().map(Sections).collect();
    let mut regions: Vec<Region> = all.iter().flat_map(Sections::always).collect();
    // Where the graph is favoured, clusters get the least with which they work.
    let mut units = units(members, if favour == IndexChoice::Hnsw { 1 } else { MIN_LISTS });
    let chunks: u64 = all.iter().map(Sections::chunk).sum();
    let fixed = members.fronts() + regions.iter().map(Region::bytes).sum::<u64>();
    let needed = fixed + chunks + units.iter().map(Units::bytes).sum::<u64>();
    let [codes, graphs] = WALKED.map(|kind| all.iter().map(|s| s.length(&[kind])).sum::<u64>());
    let whole_graph = codes - chunks + graphs;
    let left = budget.checked_sub(needed);
    if WALKS_FROM_DISK && favour == IndexChoice::Hnsw && left.is_none_or(|left| left < whole_graph) {
        // The error names the smaller of two budgets: for the whole graph, or for a walk node by node.
        let too_small = |more: u64| Error::Budget { needed: needed + more.min(whole_graph), budget };
        if let Some(walking) = walking(&all, &mut units, left.unwrap_or(0)) {
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
    if left >= codes - chunks {
        left -= codes - chunks;
        regions.extend(all.iter().map(|s| s.whole(SectionKind::Codes)));
        if left >= graphs {
            left -= graphs;
            regions.extend(all.iter().map(|s| s.whole(SectionKind::Graph)));
        }
    } else {
        // Half of the rest is for chunks of codes, the other half for rows.
        let more = (left / 2).checked_div(chunks).unwrap_or(0);
        left -= more * chunks;
        for scanned in all.iter().filter(|s| s.chunk() > 0) {
            let (sections, slot) = (vec![scanned.extent(SectionKind::Codes)], scanned.chunk());
            regions.push(Region::Slots { sections, slot: slot + more * slot, slots: 1 });
        }
    }
    for mut unit in units {
        unit.grow(unit.most, &mut left);
        regions.push(unit.into_region());
    }
    regions.retain(|r| r.bytes() > 0);
    Ok(regions)
}

/// The smallest budget under which [`layout`] holds codes and graphs whole, where it favours no index.
pub(crate) fn to_load(members: &Members) -> u64 {
    let whole = members
        .iter()
        .map(Sections)
        .map(|s| s.always().iter().map(Region::bytes).sum::<u64>() + s.length(&WALKED));
    let units = units(members, MIN_LISTS);
    let units = units.iter().map(|u| u.slot * u.slots.max(u.warm.min(u.most))).sum::<u64>();
    members.fronts() + whole.sum::<u64>() + units
}

/// The regions of a walk node by node, and of `units`, in `left` bytes; the error is the number of bytes they need.
/// `None` if some segment cannot be walked so: it has no checksums of nodes, or no clusters.
fn walking(all: &[Sections<'_>], units: &mut Vec<Units>, left: u64) -> Option<Result<Vec<Region>, u64>> {
    let (mut regions, mut links, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for s in all.iter().filter(|s| s.0.segment.count() > 0) {
        let segment = &s.0.segment;
        let parts = segment.graph_parts()?;
        segment.header.section(SectionKind::NodeChecksums)?;
        segment.clusters.as_ref()?;
        let count = segment.count() as u64;
        let unit = |section, slot| Units::of(section, slot, MIN_NODES, 0, count);
        regions.push(s.whole(SectionKind::NodeChecksums));
        regions.push(Region::Whole { section: s.placed(parts.upper), block_size: parts.block_size });
        join(&mut links, unit(s.placed(parts.base), parts.stride));
        codes.push((s.whole(SectionKind::Codes), unit(s.extent(SectionKind::Codes), segment.codes.stride)));
    }
    let mut needed =
        regions.iter().map(Region::bytes).sum::<u64>() + links.iter().map(Units::bytes).sum::<u64>();
    let all_codes: u64 = codes.iter().map(|(whole, _)| whole.bytes()).sum();
    let fits = left >= needed + all_codes;
    if fits {
        needed += all_codes;
        regions.extend(codes.into_iter().map(|(whole, _)| whole));
    } else {
        let rows_of_all = all.iter().map(|s| s.0.segment.count() as u64).sum();
        let mut more = Vec::new();
        for (_, unit) in codes {
            match units.iter_mut().find(|u| u.sections.contains(&unit.sections[0])) {
                // The codes are the finest rows, which have room already.
                Some(rows) => rows.most = rows_of_all,
                None => join(&mut more, unit),
            }
        }
        needed += more.iter().map(Units::bytes).sum::<u64>();
        let scored = |u: &Units| codes_of(all, u);
        // Codes come first.
        let at = units.iter().position(scored);
        match (more.is_empty(), at) {
            (true, Some(at)) => units.swap(0, at),
            _ => drop(units.splice(0..0, more)),
        }
    }
    let Some(mut left) = left.checked_sub(needed) else { return Some(Err(needed)) };
    // A search reads the links of a node once, but a code several times: codes get more of the room.
    for mut links in links {
        links.grow(links.slots + left / if fits { 2 } else { 8 } / links.slot, &mut left);
        units.push(links);
    }
    for mut unit in std::mem::take(units) {
        unit.grow(unit.most, &mut left);
        regions.push(unit.into_region());
    }
    Some(Ok(regions))
}

/// Whether these are slots of codes.
fn codes_of(all: &[Sections<'_>], units: &Units) -> bool {
    all.iter().any(|s| units.sections.contains(&s.extent(SectionKind::Codes)))
}
