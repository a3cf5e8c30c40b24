//! The operations on an index of one or several segments, each a value that is stepped: a step goes as far as the available bytes allow, and names
//! the reads that it misses. An operation keeps what it learned from bytes, which may be evicted before the next step.

use super::answer::RowPlace;
use super::driver::Search;
use super::fields::{self, FieldsOfIds};
use super::filter::{Facets, Page, RowsQuery, ValueCounts};
use super::lookup::{Vector, find};
use super::rows::{self, RowPage, RowReads};
use super::scratch::Scratch;
use super::select::Selection;
use super::step::Step;
use super::view::View;
use super::{Answer, IndexChoice, SearchOptions, plan};
use crate::error::Error;
use crate::id::Id;
use crate::payload::Filter;
use crate::row_set::{RowSet, Selected, SharedRows};
use crate::segment::SectionKind;

/// An operation on an index.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Find the nearest rows of each query (row-major).
    Search {
        /// One or more.
        queries: Vec<f32>,
        /// How.
        options: SearchOptions,
    },
    /// Find the rows nearest to the vector of an id, without the row itself.
    Similar {
        /// Of the row.
        id: Id,
        /// How.
        options: SearchOptions,
    },
    /// Look up the rows of `exclude`, `among` and `filter`, so that searches with the options of the outcome need not.
    Select(SearchOptions),
    /// Find the row of an id.
    Find(Id),
    /// Read the vector of an id, as stored.
    Vector(Id),
    /// Read the stored fields of ids.
    Fields(Vec<Id>),
    /// Count the rows that a filter matches; `None`: all.
    Count(Option<Filter>),
    /// Count the rows that have each value of a field.
    Facets {
        /// Its name.
        field: String,
        /// Only rows that match count; `None`: all.
        filter: Option<Filter>,
        /// At most so many values are listed.
        limit: usize,
    },
    /// Read a page of the rows that are not dead, in order of segment and position.
    Rows {
        /// The row with which the page begins, or where it would be: the first row is at (0, 0).
        from: RowPlace,
        /// Rows in the page, at most. It is held in memory.
        count: usize,
        /// Whether rows have their vector.
        vectors: bool,
        /// Whether rows have their stored fields.
        fields: bool,
    },
    /// Read a page of the rows that match a filter, sorted or as they are stored.
    Page(RowsQuery),
    /// Read codes and graph into memory, so that every later search may walk the graph.
    Load,
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One answer per query.
    Answers(Vec<Answer>),
    /// The options, with the rows that they select.
    Selected(SearchOptions),
    /// The row, if there is such an id.
    Row(Option<RowPlace>),
    /// The vector; under cosine of unit length.
    Vector(Vec<f32>),
    /// For each id the stored fields of its row, a JSON object; `None` if no row has the id.
    Fields(Vec<Option<Box<str>>>),
    /// So many rows match.
    Count(u64),
    /// The rows of each value.
    Facets(ValueCounts),
    /// The page.
    Rows(RowPage),
    /// Codes and graph are in memory.
    Loaded,
}

impl Outcome {
    /// The answers of a search.
    pub(crate) fn answers(self) -> Result<Vec<Answer>, Error> {
        match self {
            Outcome::Answers(answers) => Ok(answers),
            _ => Err(Error::internal("an operation that is no search gave no answers")),
        }
    }
}

/// An operation under way.
pub(crate) enum Running {
    Search(Box<Search>),
    Select { selection: Selection, options: SearchOptions },
    Similar { vector: Vector, options: SearchOptions },
    Find(Id),
    Vector(Vector),
    Fields(FieldsOfIds),
    Count(Selection),
    Facets(Box<FacetsOfRows>),
    Rows(RowReads),
    Page(Box<Page>),
    Load,
}

/// Facets: first the rows that count, then their values.
pub(crate) struct FacetsOfRows {
    pub(super) selection: Selection,
    pub(super) rows: Option<Selected>,
    pub(super) facets: Facets,
}

impl Running {
    /// Checks the arguments; reads nothing.
    pub(crate) fn new(views: &[View<'_>], operation: Operation) -> Result<Self, Error> {
        Ok(match operation {
            Operation::Search { queries, options } => {
                Running::Search(Box::new(Search::new(views, queries, options)?))
            }
            Operation::Similar { id, options } => {
                options.check()?;
                Running::Similar { vector: Vector::new(id), options }
            }
            Operation::Select(mut options) => {
                let selection = Selection::of(views, &mut options)?;
                let selection = selection.unwrap_or_else(|| Selection::new(options.rows.take()));
                Running::Select { selection, options }
            }
            Operation::Find(id) => Running::Find(id),
            Operation::Vector(id) => Running::Vector(Vector::new(id)),
            Operation::Fields(ids) => {
                fields::check(views)?;
                Running::Fields(FieldsOfIds::new(ids))
            }
            Operation::Count(filter) => Running::Count(Selection::by(views, filter)?),
            Operation::Facets { field, filter, limit } => {
                let facets = Facets::new(views, field, limit)?;
                let selection = Selection::by(views, filter)?;
                Running::Facets(Box::new(FacetsOfRows { selection, rows: None, facets }))
            }
            Operation::Rows { from, count, vectors, fields } => {
                if fields {
                    self::fields::check(views)?;
                }
                Running::Rows(RowReads::new(rows::page(views, from, count), vectors, fields))
            }
            Operation::Page(query) => {
                if query.fields {
                    self::fields::check(views)?;
                }
                Running::Page(Box::new(Page::new(views, query)?))
            }
            Operation::Load => {
                for view in views.iter().filter(|view| view.segment.count() > 0) {
                    let facts = plan::Facts::of(view);
                    plan::route(IndexChoice::Hnsw, plan::Facts { walk_fits: false, ..facts })?;
                }
                Running::Load
            }
        })
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Result<Step<Outcome>, Error> {
        if let Running::Similar { vector, options } = self {
            let (query, row) = match vector.step(views)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(found) => found,
            };
            let search = Search::new(views, query, std::mem::take(options))?.without(row);
            *self = Running::Search(Box::new(search));
        }
        Ok(match self {
            Running::Search(search) => search.step(views, scratch)?.map(Outcome::Answers),
            Running::Similar { .. } => return Err(Error::internal("a search by id did not begin")),
            Running::Select { selection, options } => selection.step(views, scratch)?.map(|rows| {
                let options = std::mem::take(options);
                Outcome::Selected(SearchOptions { rows: Some(rows), ..options })
            }),
            Running::Find(id) => find(views, id)?.map(Outcome::Row),
            Running::Vector(vector) => vector.step(views)?.map(|(vector, _)| Outcome::Vector(vector)),
            Running::Fields(of_ids) => of_ids.step(views, scratch)?.map(Outcome::Fields),
            Running::Count(selection) => selection.step(views, scratch)?.map(|rows| {
                let of = |(view, rows): (&View<'_>, &Option<SharedRows>)| {
                    rows.as_deref().map_or(view.segment.count(), RowSet::count) as u64
                };
                Outcome::Count(views.iter().zip(rows.iter()).map(of).sum())
            }),
            Running::Facets(of_rows) => of_rows.step(views, scratch)?.map(Outcome::Facets),
            Running::Rows(reads) => reads.step(views, scratch)?.map(Outcome::Rows),
            Running::Page(page) => page.step(views, scratch)?.map(Outcome::Rows),
            Running::Load => load(views),
        })
    }
}

impl FacetsOfRows {
    fn step(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Result<Step<ValueCounts>, Error> {
        let rows = match &self.rows {
            Some(rows) => rows,
            None => match self.selection.step(views, scratch)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(rows) => self.rows.insert(rows),
            },
        };
        let rows: Vec<Option<&RowSet>> = rows.iter().map(|rows| rows.as_deref()).collect();
        let mut reads = Vec::new();
        self.facets.step(views, &rows, &mut reads)?;
        Ok(if reads.is_empty() { Step::Done(self.facets.finish()) } else { Step::Need(reads) })
    }
}

/// Reads all that a walk over the graph needs, and what a lookup of an id's vector needs.
fn load(views: &[View<'_>]) -> Step<Outcome> {
    let kinds = [SectionKind::Ids, SectionKind::IdOrder, SectionKind::Graph, SectionKind::Codes];
    let mut missing = Vec::new();
    for view in views {
        missing.extend(view.placed(view.missing(&kinds)));
        missing.extend(view.placed(view.missing(&view.checksums_of_rows())));
    }
    if missing.is_empty() { Step::Done(Outcome::Loaded) } else { Step::Need(missing) }
}
