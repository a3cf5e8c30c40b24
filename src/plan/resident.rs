//! What an open index holds in memory, by part: the budget is divided among the sections of a segment that is not built yet, as
//! it is among those of a real one when it is opened.

use crate::budget::{Ledger, Part};
use crate::error::Error;
use crate::id::Id;
use crate::search::plan::{Route, choose};
use crate::search::{IndexChoice, Most, Operation, SearchOptions};
use crate::segment::{Planned, SectionKind, Segment};
use crate::session::{Members, layout, to_load};
use crate::storage::{Paged, Region, places_of_slots};

/// Bytes of memory, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resident {
    /// What `open` reads: parameters of codecs, cells, checksums, heads of the indexes of fields.
    pub fronts: u64,
    /// The codes that are walked or scanned.
    pub codes: u64,
    /// The links of the graph.
    pub graph: u64,
    /// Ids, and their order.
    pub ids: u64,
    /// Checksums of single rows.
    pub checksums: u64,
    /// Leaves of the clusters.
    pub leaves: u64,
    /// Room for lists of the clusters.
    pub lists: u64,
    /// Room for rows by which candidates are ranked again.
    pub rows: u64,
    /// Room for stored fields, and their directory.
    pub fields: u64,
    /// Room for parts of the indexes of fields.
    pub indexes: u64,
    /// Which unit is where, and what fronts take beyond their bytes in the file.
    pub places: u64,
    /// The memory of one search, of ten hits: at most.
    pub search: u64,
}

impl Resident {
    /// All parts with their names.
    pub fn parts(&self) -> [(&'static str, u64); 12] {
        [
            ("fronts", self.fronts),
            ("codes", self.codes),
            ("graph", self.graph),
            ("ids", self.ids),
            ("checksums", self.checksums),
            ("leaves", self.leaves),
            ("lists", self.lists),
            ("rows", self.rows),
            ("fields", self.fields),
            ("indexes", self.indexes),
            ("places", self.places),
            ("search", self.search),
        ]
    }

    /// The bytes of all parts.
    pub fn total(&self) -> u64 {
        self.parts().iter().map(|part| part.1).sum()
    }
}

/// How a segment is held under a budget.
pub(super) struct Held {
    pub(super) resident: Resident,
    pub(super) route: Route,
    /// The budget to open it with: what is left beside places and the memory of a search.
    pub(super) memory_budget: u64,
    /// The least budget that holds codes and graph whole.
    pub(super) whole: u64,
    /// Bytes of the file, and of each of its sections.
    pub(super) file: u64,
    pub(super) sections: Vec<(&'static str, u64)>,
    /// Lists that have room, and all lists.
    pub(super) lists: [u64; 2],
}

/// # Errors
/// `budget`, with the least under which a search works.
pub(super) fn hold(planned: &Planned, budget: u64) -> Result<Held, Error> {
    let members = Members::new(vec![(Segment::planned(planned)?, None)])?;
    let least = match layout(&members, 0, IndexChoice::Auto) {
        Err(Error::Budget { needed, .. }) => needed,
        Err(error) => return Err(error),
        Ok(_) => 0,
    };
    // What lies beside the budget of an index is of that of a plan, and grows with it.
    let with_beside = |of_index: u64| Ok::<u64, Error>(of_index + Opened::new(&members, of_index)?.beside());
    let (load, needed) = (to_load(&members), with_beside(least)?);
    if budget < needed {
        return Err(Error::Budget { needed, budget });
    }
    let whole = with_beside(load)?;
    let beside = Opened::new(&members, budget)?.beside();
    let floor = if budget >= whole { load } else { least };
    let memory_budget = budget.saturating_sub(beside).max(floor);
    let opened = Opened::new(&members, memory_budget)?;
    let segment = members.first();
    let lists = segment.clusters.as_ref().map_or(0, |clusters| clusters.cells.leaf_count() as u64);
    Ok(Held {
        resident: opened.resident(),
        route: opened.route,
        memory_budget,
        whole,
        file: segment.header.file_length,
        sections: segment.header.sections.iter().map(|s| (s.kind.name(), s.extent.length)).collect(),
        lists: [opened.slots(SectionKind::Lists), lists],
    })
}

/// A segment that is opened, and the memory that it would reserve.
struct Opened<'a> {
    members: &'a Members,
    regions: Vec<Region>,
    route: Route,
    /// Places that are reserved before anything is read.
    places: u64,
    search: u64,
}

impl<'a> Opened<'a> {
    fn new(members: &'a Members, budget: u64) -> Result<Self, Error> {
        let regions = layout(members, budget, IndexChoice::Auto)?;
        let ledger = Ledger::new(u64::MAX);
        let _fronts = members.reserve(&ledger)?;
        let mut paged = Paged::new(regions.clone(), &ledger)?;
        // As if all that fits had been read.
        paged.speculative_bytes = u64::MAX;
        let options = SearchOptions::default();
        // By the vector of a row, which needs its set of rows as well.
        let operation = Operation::Similar { id: Id::Number(0), options: options.clone() };
        let (route, search) = members.with_views(&paged, |views| {
            let route = views.first().map(|view| choose(view, &options));
            (route, Most::of(views, &operation).beside(0))
        });
        let (route, _) = route.ok_or_else(|| Error::internal("a plan of no segment"))??;
        Ok(Opened { members, regions, route, places: ledger.memory().of(Part::Places).reserved, search })
    }

    fn beside(&self) -> u64 {
        self.places() + self.search
    }

    fn places(&self) -> u64 {
        let slots = self.regions.iter().filter(|region| self.uses(region)).map(|region| match region {
            // A unit has half of the bytes of the longest, or there are fewer slots in use than there could be.
            Region::Slots { sections, slot, slots } => {
                let length: u64 = sections.iter().map(|section| section.length).sum();
                places_of_slots((*slots as u64).min(2 * length / slot.max(&1)) as usize)
            }
            Region::Whole { .. } => 0,
        });
        self.places + slots.sum::<u64>()
    }

    fn kind(&self, region: &Region) -> SectionKind {
        let mut sections = self.members.first().header.sections.iter();
        sections
            .find(|section| section.extent == region.first())
            .map_or(SectionKind::Unknown, |section| section.kind)
    }

    /// Slots of a section.
    fn slots(&self, kind: SectionKind) -> u64 {
        let mut regions = self.regions.iter().filter(|region| self.kind(region) == kind);
        regions
            .find_map(
                |region| if let Region::Slots { slots, .. } = region { Some(*slots as u64) } else { None },
            )
            .unwrap_or(0)
    }

    /// Whether searches by the route read what the region holds.
    fn uses(&self, region: &Region) -> bool {
        let kind = self.kind(region);
        let clusters = self.route == Route::Clusters;
        let finest = self.members.first().finest().extent;
        match region {
            Region::Whole { .. } => !clusters || !matches!(kind, SectionKind::Codes | SectionKind::Graph),
            Region::Slots { .. } => match kind {
                SectionKind::Leaves | SectionKind::Lists => clusters,
                SectionKind::Codes | SectionKind::Refine | SectionKind::Exact if clusters => {
                    region.first() == finest
                }
                // Codes that are held whole rank their own candidates.
                SectionKind::Codes => !self
                    .regions
                    .iter()
                    .any(|other| matches!(other, Region::Whole { .. }) && self.kind(other) == kind),
                _ => true,
            },
        }
    }

    fn resident(&self) -> Resident {
        let (places, search) = (self.places(), self.search);
        let mut resident = Resident { fronts: self.members.fronts(), places, search, ..Resident::default() };
        for region in self.regions.iter().filter(|region| self.uses(region)) {
            let part = match (region, self.kind(region)) {
                (Region::Whole { .. }, SectionKind::Codes) => &mut resident.codes,
                (_, SectionKind::Graph) => &mut resident.graph,
                (_, SectionKind::Ids | SectionKind::IdOrder) => &mut resident.ids,
                (_, SectionKind::RefineChecksums | SectionKind::ExactChecksums) => &mut resident.checksums,
                (_, SectionKind::Leaves) => &mut resident.leaves,
                (_, SectionKind::Lists) => &mut resident.lists,
                (_, SectionKind::FieldDirectory | SectionKind::Fields) => &mut resident.fields,
                (_, SectionKind::Terms | SectionKind::Sets | SectionKind::Sorted) => &mut resident.indexes,
                _ => &mut resident.rows,
            };
            *part += region.bytes();
        }
        resident
    }
}
