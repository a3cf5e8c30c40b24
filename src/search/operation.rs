//! The operations on an index of one or several segments, each a value that is stepped: a step goes as far as the available bytes allow, and names
//! the reads that it misses. An operation keeps what it learned from bytes, which may be evicted before the next step.

use super::answer::RowPlace;
use super::driver::Search;
use super::fields::{self, FieldsOfIds};
use super::lookup::{Vector, find};
use super::scratch::Scratch;
use super::select::Selection;
use super::step::Step;
use super::view::View;
use super::{Answer, IndexChoice, SearchOptions, plan};
use crate::error::Error;
use crate::id::Id;
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
    /// Look up the ids of `exclude` and `among`, so that searches with the options of the outcome need not.
    Select(SearchOptions),
    /// Find the row of an id.
    Find(Id),
    /// Read the vector of an id, as stored.
    Vector(Id),
    /// Read the stored fields of ids.
    Fields(Vec<Id>),
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
    Load,
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
                let selection = Selection::of(&mut options);
                let selection = selection.unwrap_or_else(|| Selection::new(options.rows.take()));
                Running::Select { selection, options }
            }
            Operation::Find(id) => Running::Find(id),
            Operation::Vector(id) => Running::Vector(Vector::new(id)),
            Operation::Fields(ids) => {
                fields::check(views)?;
                Running::Fields(FieldsOfIds::new(ids))
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
            Running::Select { selection, options } => selection.step(views)?.map(|rows| {
                let options = std::mem::take(options);
                Outcome::Selected(SearchOptions { rows: Some(rows), ..options })
            }),
            Running::Find(id) => find(views, id)?.map(Outcome::Row),
            Running::Vector(vector) => vector.step(views)?.map(|(vector, _)| Outcome::Vector(vector)),
            Running::Fields(of_ids) => of_ids.step(views, scratch)?.map(Outcome::Fields),
            Running::Load => load(views),
        })
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
