//! An open index: one segment or several, which any thread can search.

mod admission;
mod building;
mod changes;
mod codes;
mod figures;
mod flight;
mod front;
mod ids;
mod lookup;
mod options;
mod paged;
mod parts;
mod payload;
mod scratches;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use admission::Admission;
pub use building::{append_into, merge_into};
pub(crate) use front::open_segment;
pub use options::{Io, OpenOptions};
use paged::Reading;
use parts::{Held, of_all};
pub use parts::{MissingSegment, SegmentFacts};
pub(crate) use parts::{OpenPart, WholeFile};
use scratches::Scratches;

use crate::budget::{Ledger, Memory, Reservation};
use crate::error::Error;
use crate::exec;
use crate::id::Id;
use crate::pressure::Meter;
use crate::search::{Answer, Operation, Outcome, SearchOptions};
use crate::segment::{Fill, Info};
use crate::session::{Counted, Members};
use crate::storage::{Buffer, Extent, InMemory, ReadAt, Source};
use crate::trace;

/// The bytes of the files: in memory or mapped as a whole, or read piece by piece.
enum Bytes {
    Local { files: Vec<WholeFile>, members: Members, scratches: Arc<Scratches> },
    Paged(Box<Reading>),
}

/// An open index. Any number of threads can search it at once.
pub struct Index {
    bytes: Bytes,
    /// One or several.
    segments: Vec<SegmentFacts>,
    /// The facts of all together, where there are several, or dead rows. They are put together when they are asked for.
    all: OnceLock<Info>,
    ledger: Ledger,
    /// Counts searches.
    meter: Meter,
    /// Shared with the indexes that are made of this one, as the ledger is.
    admission: Arc<Admission>,
    /// What is reserved for each segment.
    held: Vec<Held>,
    /// For the list of the segments.
    _places: Reservation,
    pub(crate) missing: Arc<[MissingSegment]>,
}

impl Index {
    /// Opens a copy of a segment file's bytes.
    ///
    /// # Errors
    /// Those of [`Segment::open`](crate::Segment::open).
    pub fn from_bytes(file: &[u8]) -> Result<Self, Error> {
        let part = OpenPart::whole(Box::new(InMemory(Buffer::copy_of(file)?)), file.len() as u64);
        Index::from_parts(vec![part], &OpenOptions::new())
    }

    /// Opens a file that is read piece by piece, by `reader`, into the memory that `options` allow.
    ///
    /// # Errors
    /// Those of [`Segment::open`](crate::Segment::open) and of `reader`; `budget` if not even one query fits.
    pub fn from_reader(reader: impl ReadAt + 'static, options: &OpenOptions) -> Result<Self, Error> {
        Index::from_parts(vec![OpenPart::paged(Box::new(reader))], options)
    }

    /// The bytes of the file, if the index has one segment and its file is local as a whole: in memory, or mapped.
    pub fn file(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Local { files, .. } => match files.as_slice() {
                [file] => file.get(Extent { offset: 0, length: self.segments[0].info.file_length }),
                _ => None,
            },
            Bytes::Paged(_) => None,
        }
    }

    /// Facts about all segments together: `count` is that of the rows that are not dead, lengths are summed, and what the
    /// segments do not have in common is that of the first.
    pub fn info(&self) -> &Info {
        match self.segments.as_slice() {
            [one] if one.dead == 0 => &one.info,
            segments => self.all.get_or_init(|| of_all(segments)),
        }
    }

    /// The segments in memory.
    fn members(&self) -> &Members {
        match &self.bytes {
            Bytes::Local { members, .. } => members,
            Bytes::Paged(reading) => reading.members(),
        }
    }

    /// Components of a vector.
    fn dim(&self) -> usize {
        self.members().first().dim()
    }

    /// The segments, in order.
    pub fn segments(&self) -> &[SegmentFacts] {
        &self.segments
    }

    /// The path of the open file; `None` for an index that was not opened by path, or has several segments.
    pub fn path(&self) -> Option<&Path> {
        self.only().and_then(|segment| segment.path.as_deref())
    }

    /// The content id that the manifest gives the file: BLAKE3 in hex. `None` without a manifest, or if the index has
    /// several segments.
    pub fn content_id(&self) -> Option<&str> {
        self.only().and_then(|segment| segment.content_id.as_deref())
    }

    /// The segment, if there is one.
    fn only(&self) -> Option<&SegmentFacts> {
        if let [segment] = self.segments.as_slice() { Some(segment) } else { None }
    }

    /// The memory of this process that the index has reserved, by part. The pages of a mapped file are not of it.
    pub fn memory(&self) -> Memory {
        self.ledger.memory()
    }

    /// The ledger from which the index reserves its memory.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How long a search, a count or a page waits for working memory that others hold; at first 0, so that it is the error
    /// `budget` at once. The limit of the working memory is [`Ledger::set_working`]: as many run at once as fit.
    pub fn set_admission_wait(&self, wait: Duration) {
        self.admission.set_wait(wait);
    }

    /// The rows nearest to `query`.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`; `unknown-id` for ids of the options; `io`, `checksum`,
    /// `corrupt` when the file fails.
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        if query.len() != self.dim() {
            return Err(Error::Dimension { expected: self.dim(), got: query.len() });
        }
        let mut answers = self.search_chunk(query, options)?;
        answers.pop().ok_or_else(|| Error::internal("a search gave no answer"))
    }

    /// The rows nearest to the vector of `id`, without the row itself.
    ///
    /// # Errors
    /// `unknown-id`; those of [`Index::search`].
    pub fn similar(&self, id: &Id, options: &SearchOptions) -> Result<Answer, Error> {
        let operation = Operation::Similar { id: id.clone(), options: options.clone() };
        self.answers(1, operation)?.pop().ok_or_else(|| Error::internal("a search gave no answer"))
    }

    /// Looks up the rows of `exclude`, `among` and `filter`. Searches with the options that it returns need not: use it where many
    /// searches have the same.
    ///
    /// # Errors
    /// `unknown-id`; `io`, `checksum`, `corrupt` when the file fails.
    pub fn select(&self, options: &SearchOptions) -> Result<SearchOptions, Error> {
        if options.exclude.is_empty() && options.among.is_none() && options.filter.is_none() {
            return Ok(options.clone());
        }
        match self.run(Operation::Select(options.clone()))? {
            Outcome::Selected(options) => Ok(options),
            _ => Err(Error::internal("a selection gave no rows")),
        }
    }

    /// The rows nearest to each of `queries` (row-major), in parallel.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search_batch(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        const TASK: usize = 16;
        let dim = self.dim();
        if !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() % dim });
        }
        let options = self.select(options)?;
        let parts = exec::map_chunks(queries.len() / dim, TASK, |range| {
            let answers = self.search_chunk(&queries[range.start * dim..range.end * dim], &options);
            answers.map_err(|error| error.of_rows_from(range.start))
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn search_chunk(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        let count = queries.len() / self.dim();
        self.answers(count, Operation::Search { queries: queries.to_vec(), options: options.clone() })
    }

    /// Runs an operation whose outcome are the answers of so many queries.
    fn answers(&self, queries: usize, operation: Operation) -> Result<Vec<Answer>, Error> {
        let _span = trace::search(queries);
        self.meter.timed(queries, || self.run_search(operation))
    }

    fn run_search(&self, operation: Operation) -> Result<Vec<Answer>, Error> {
        let reading = match &self.bytes {
            Bytes::Local { .. } => return self.run(operation)?.answers(),
            Bytes::Paged(reading) => reading,
        };
        let (outcome, moved) = self.admission.run(operation, |operation| reading.run(operation))?;
        let mut answers = outcome.answers()?;
        // The queries of a batch share their reads, so the first answer has the cost of all.
        if let Some(first) = answers.first_mut() {
            let stats = &mut first.stats;
            (stats.bytes, stats.requests, stats.waves) = (moved.bytes, moved.requests, moved.waves);
        }
        Ok(answers)
    }

    fn run(&self, operation: Operation) -> Result<Outcome, Error> {
        self.admission.run(operation, |operation| match &self.bytes {
            Bytes::Local { members, files, scratches } => members.with_files(files, |views| {
                let mut running = Counted::new(views, operation, &self.ledger)?;
                scratches.with(|scratch| running.step(views, scratch))?.whole()
            }),
            Bytes::Paged(reading) => reading.run(operation).map(|(outcome, _)| outcome),
        })
    }

    /// Checks all of each file: every checksum, id and link, and the content id if a manifest names it. Each open file is
    /// read once, in order. About 1 MiB of it is held at a time, beside ids, leaves and checksums (some 30 bytes a row).
    ///
    /// # Errors
    /// The error of the first check that fails.
    pub fn verify(&self) -> Result<(), Error> {
        for number in 0..self.segments.len() {
            self.verify_segment(number)?;
        }
        Ok(())
    }

    /// [`Index::verify`] of one segment.
    ///
    /// # Errors
    /// As there; `argument` if there is no such segment.
    pub fn verify_segment(&self, number: usize) -> Result<(), Error> {
        let none = || Error::argument("segment", format!("there is no segment {number}"));
        let facts = self.segments.get(number).ok_or_else(none)?;
        let length = match &self.bytes {
            Bytes::Local { .. } => facts.info.file_length,
            Bytes::Paged(reading) => reading.files().get(number).ok_or_else(none)?.length(),
        };
        check(facts, &mut |extent, into| self.read(number, extent, into), length)
    }

    /// Reads bytes of a segment's file.
    fn read(&self, number: usize, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        let none = || Error::internal("a segment without a file");
        match &self.bytes {
            Bytes::Local { files, .. } => copy(&**files.get(number).ok_or_else(none)?, extent, into),
            Bytes::Paged(reading) => reading.files().get(number).ok_or_else(none)?.read(extent, into),
        }
    }
}

/// The front is read again, since the file may have changed.
fn check(facts: &SegmentFacts, read: &mut Fill<'_>, length: u64) -> Result<(), Error> {
    let segment = open_segment(read, length)?;
    // The content id is compared last, since any other check names the section that is wrong.
    match segment.verify(read, facts.content_id.is_some())? == facts.content_id {
        true => Ok(()),
        false => Err(Error::corrupt("manifest", "the file has another content id than the manifest names")),
    }
}

fn copy(source: &dyn Source, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
    let bytes = source.get(extent).filter(|bytes| bytes.len() == into.len());
    let missing = Error::Length { section: "file", expected: extent.end(), got: extent.offset };
    into.copy_from_slice(bytes.ok_or(missing)?);
    Ok(())
}
