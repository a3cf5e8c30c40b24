//! The operations on an index, each a value that is stepped: a step goes as far as the available bytes allow, and names
//! the reads that it misses. An operation keeps what it learned from bytes, which may be evicted before the next step.

use super::driver::{Scratch, Search};
use super::step::{Step, missing};
use super::{Answer, IndexChoice, SearchOptions, plan};
use crate::error::Error;
use crate::id::Id;
use crate::segment::clusters::{Leaf, List};
use crate::segment::{SectionKind, Segment};
use crate::storage::{Expected, Read, Source, in_order};

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
    /// Find the position of an id.
    Find(Id),
    /// Read the vector of an id, as stored.
    Vector(Id),
    /// Read codes and graph into memory, so that every later search may walk the graph.
    Load,
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One answer per query.
    Answers(Vec<Answer>),
    /// The position, if there is such an id.
    Position(Option<u32>),
    /// The vector; under cosine of unit length.
    Vector(Vec<f32>),
    /// Codes and graph are in memory.
    Loaded,
}

/// An operation under way.
pub(crate) enum Running {
    Search(Box<Search>),
    Find(Id),
    Vector(Vector),
    Load,
}

impl Running {
    /// Checks the arguments; reads nothing.
    pub(crate) fn new(segment: &Segment, source: &dyn Source, operation: Operation) -> Result<Self, Error> {
        Ok(match operation {
            Operation::Search { queries, options } => {
                Running::Search(Box::new(Search::new(segment, source, &queries, &options)?))
            }
            Operation::Find(id) => Running::Find(id),
            Operation::Vector(id) => Running::Vector(Vector::new(id)),
            Operation::Load => {
                let facts = plan::Facts::of(segment, source);
                plan::route(IndexChoice::Hnsw, plan::Facts { walk_fits: false, ..facts })?;
                Running::Load
            }
        })
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Step<Outcome>, Error> {
        Ok(match self {
            Running::Search(search) => search.step(segment, source, scratch)?.map(Outcome::Answers),
            Running::Find(id) => find(segment, source, id)?.map(Outcome::Position),
            Running::Vector(vector) => vector.step(segment, source)?.map(Outcome::Vector),
            Running::Load => load(segment, source),
        })
    }
}

/// Reads all that a walk over the graph needs, and what a lookup of an id's vector needs.
fn load(segment: &Segment, source: &dyn Source) -> Step<Outcome> {
    let checksums: Vec<SectionKind> = segment.finer.iter().filter_map(|rows| rows.checksums).collect();
    let kinds = [SectionKind::Ids, SectionKind::IdOrder, SectionKind::Graph, SectionKind::Codes];
    let missing = missing(segment, source, &kinds, &checksums);
    if missing.is_empty() { Step::Done(Outcome::Loaded) } else { Step::Need(missing) }
}

/// The position of an id.
pub(crate) fn find(segment: &Segment, source: &dyn Source, id: &Id) -> Result<Step<Option<u32>>, Error> {
    match segment.find(source, id)? {
        Ok(position) => Ok(Step::Done(position)),
        Err(absent) => {
            let mut reads: Vec<Read> =
                absent.into_iter().map(|extent| segment.block_around(extent)).collect();
            in_order(&mut reads);
            reads.dedup();
            Ok(Step::Need(reads))
        }
    }
}

/// A lookup of the vector of an id, under way.
pub(crate) struct Vector {
    id: Id,
    position: Option<u32>,
    leaf: Option<Leaf>,
    checksum: Option<u32>,
}

impl Vector {
    pub(crate) fn new(id: Id) -> Self {
        Vector { id, position: None, leaf: None, checksum: None }
    }

    pub(crate) fn step(&mut self, segment: &Segment, source: &dyn Source) -> Result<Step<Vec<f32>>, Error> {
        let position = match self.position {
            Some(position) => position,
            None => match find(segment, source, &self.id)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(None) => return Err(Error::UnknownId { id: self.id.to_string() }),
                Step::Done(Some(position)) => *self.position.insert(position),
            },
        };
        let rows = segment.finest();
        let extent = rows.row(position);
        if let Some(code) = source.get(extent) {
            let mut vector = vec![0.0; segment.dim()];
            rows.codec.decode(code, &mut vector);
            return Ok(Step::Done(vector));
        }
        let checksum = match self.checksum {
            Some(checksum) => checksum,
            None => match self.row_checksum(segment, source, position)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(checksum) => *self.checksum.insert(checksum),
            },
        };
        Ok(Step::Need(vec![Read { extent, expected: Expected::Row { position, checksum } }]))
    }

    /// The checksum of the finest row at `position`, from the section of checksums, or else from its list. If the
    /// file has neither, the step asks for the row's block, which is checked as a whole.
    fn row_checksum(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        position: u32,
    ) -> Result<Step<u32>, Error> {
        if let Some(checksums) = segment.finest().checksums.and_then(|kind| segment.extent(kind)) {
            let stored =
                source.get(checksums).and_then(|checksums| Segment::stored_row_checksum(checksums, position));
            return Ok(stored.map_or(
                Step::Need(vec![Read { extent: checksums, expected: Expected::Blocks }]),
                Step::Done,
            ));
        }
        let Some(clusters) = &segment.clusters else {
            return Ok(Step::Need(vec![segment.block_around(segment.finest().row(position))]));
        };
        let leaf = match self.leaf {
            Some(leaf) => leaf,
            None => match leaf_of(segment, source, position)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(leaf) => *self.leaf.insert(leaf),
            },
        };
        let Some(bytes) = source.get(leaf.read.extent) else { return Ok(Step::Need(vec![leaf.read])) };
        let text = segment.header.text_ids;
        let list = List::new(bytes, &leaf, &clusters.list_codec, text, segment.count())?;
        Ok(Step::Done(list.row_checksum((position - leaf.start) as usize)))
    }
}

/// The leaf that holds the row at `position`.
fn leaf_of(segment: &Segment, source: &dyn Source, position: u32) -> Result<Step<Leaf>, Error> {
    let clusters = segment.clusters.as_ref().ok_or_else(|| Error::corrupt("cells", "there are none"))?;
    let cells = &clusters.cells;
    let cell = cells.cell_of(position).ok_or_else(|| Error::corrupt("cells", "a row is in no cell"))?;
    let block = cells.block(cell);
    let Some(bytes) = source.get(block.extent) else { return Ok(Step::Need(vec![block])) };
    for leaf in cells.leaves(cell, bytes, clusters.list_codec.stride())?.leaves(segment.count()) {
        let leaf = leaf?;
        if (leaf.start..leaf.end).contains(&position) {
            return Ok(Step::Done(leaf));
        }
    }
    Err(Error::corrupt("leaves", "a row is in no leaf"))
}
