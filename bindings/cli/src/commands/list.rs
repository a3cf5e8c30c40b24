//! `pagevec list`: the rows of an index as JSON lines, which `build` and `collection upsert` take back.

use super::arguments::Source;
use super::listing::Listing;
use crate::failure::Failure;
use pagevec::{Index, StoredRow};

const EXAMPLES: &str = "\
Examples:
  pagevec list site/index --vectors -o rows.jsonl
  pagevec list site/index --filter '{\"price\":{\"$lt\":50}}' --fields title,url
  pagevec list site/index --sort-by price --descending --limit 20";

/// Rows that are written at once, and those of a page that is sorted, for which the order is found anew.
const TOGETHER: usize = 1000;
const PAGE: usize = 10_000;

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let query = self.listing.query()?;
        let index = self.source.open()?;
        let vectors = self.listing.vectors;
        let fields = has_fields(&index) || !self.listing.fields.is_empty();
        let Some(query) = query else {
            let mut rows = index.rows(vectors, fields);
            let mut next = || rows.by_ref().take(TOGETHER).collect::<Result<Vec<StoredRow>, _>>();
            let mut some = next()?;
            let mut lines = self.listing.lines()?;
            while !some.is_empty() {
                lines.add(some)?;
                some = next()?;
            }
            return lines.finish();
        };
        let page = |done: usize| {
            let (offset, limit) = (query.offset.saturating_add(done), PAGE.min(query.limit - done));
            let mut page = query.clone().offset(offset).vectors(vectors).fields(fields);
            page.limit = limit;
            index.page(page).map(|page| page.rows)
        };
        let (mut done, mut some) = (0, page(0)?);
        let mut lines = self.listing.lines()?;
        loop {
            done += some.len();
            let is_last = some.len() < PAGE || done == query.limit;
            lines.add(some)?;
            if is_last {
                return lines.finish();
            }
            some = page(done)?;
        }
    }
}

/// Whether a segment has stored fields.
fn has_fields(index: &Index) -> bool {
    index.segments().iter().any(|of| of.info.sections.iter().any(|section| section.name == "fields"))
}
