//! An open index: one segment that any thread can search.

mod front;
mod options;
mod paged;
mod scratches;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use front::open_segment;
pub use options::{Io, OpenOptions};
use paged::Reading;
use scratches::Scratches;

use crate::error::Error;
use crate::exec;
use crate::id::Id;
use crate::quant::CodecKind;
use crate::search::{Answer, Operation, Outcome, Running, Search, SearchOptions, View};
use crate::segment::{Fill, HEAD, Info, Segment, front_length};
use crate::storage::{Buffer, Extent, InMemory, ReadAt, Source};

/// The bytes of the file: in memory or mapped as a whole, or read piece by piece.
enum Bytes {
    Local { source: Box<dyn Source + Send + Sync>, segment: Box<Segment>, scratches: Scratches },
    Paged(Box<Reading>),
}

/// An open index. Any number of threads can search it at once.
pub struct Index {
    bytes: Bytes,
    info: Info,
    /// The path of the file, and the content id that the manifest gives it.
    pub(crate) path: Option<PathBuf>,
    pub(crate) content_id: Option<String>,
}

impl Index {
    /// Opens a copy of a segment file's bytes.
    ///
    /// # Errors
    /// Those of [`Segment::open`].
    pub fn from_bytes(file: &[u8]) -> Result<Self, Error> {
        Index::from_source(Box::new(InMemory(Buffer::copy_of(file)?)), file.len() as u64)
    }

    /// The segment in a file of `length` bytes that is local as a whole. Only its front is read.
    pub(crate) fn segment_of(source: &dyn Source, length: u64) -> Result<Segment, Error> {
        let first = |length: u64| source.get(Extent { offset: 0, length }).unwrap_or_default();
        Segment::open(first(front_length(first(length.min(HEAD)), length)?), length)
    }

    /// Opens a file of `length` bytes that is local as a whole.
    pub(crate) fn from_source(source: Box<dyn Source + Send + Sync>, length: u64) -> Result<Self, Error> {
        let segment = Index::segment_of(&*source, length)?;
        let info = segment.info();
        let bytes = Bytes::Local { source, segment: Box::new(segment), scratches: Scratches::default() };
        Ok(Index { bytes, info, path: None, content_id: None })
    }

    /// Opens a file that is read piece by piece, by `reader`, into the memory that `options` allow.
    ///
    /// # Errors
    /// Those of [`Segment::open`] and of `reader`; `budget` if not even one query fits.
    pub fn from_reader(reader: impl ReadAt + 'static, options: &OpenOptions) -> Result<Self, Error> {
        let reading = Reading::open(Box::new(reader), options)?;
        let info = reading.segment().info();
        Ok(Index { bytes: Bytes::Paged(Box::new(reading)), info, path: None, content_id: None })
    }

    /// The bytes of the file, if it is local as a whole: in memory, or mapped.
    pub fn file(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Local { source, .. } => source.get(Extent { offset: 0, length: self.info.file_length }),
            Bytes::Paged(_) => None,
        }
    }

    /// Facts about the segment.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The path of the open file; `None` for an index that was not opened by path.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The content id that the manifest gives the file: BLAKE3 in hex. `None` without a manifest.
    pub fn content_id(&self) -> Option<&str> {
        self.content_id.as_deref()
    }

    /// The rows nearest to `query`.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`; `unknown-id` for ids of the options; `io`, `checksum`,
    /// `corrupt` when the file fails.
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        if query.len() != self.info.dim {
            return Err(Error::Dimension { expected: self.info.dim, got: query.len() });
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
        self.answers(operation)?.pop().ok_or_else(|| Error::internal("a search gave no answer"))
    }

    /// Looks up the ids of `exclude` and `among`. Searches with the options that it returns need not: use it where many
    /// searches have the same ids.
    ///
    /// # Errors
    /// `unknown-id`; `io`, `checksum`, `corrupt` when the file fails.
    pub fn select(&self, options: &SearchOptions) -> Result<SearchOptions, Error> {
        if options.exclude.is_empty() && options.among.is_none() {
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
        let dim = self.info.dim;
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
        match &self.bytes {
            Bytes::Local { source, segment, scratches } => {
                let view = View::new(segment, &**source);
                let mut search = Search::new(&view, queries.to_vec(), options.clone())?;
                scratches.with(|scratch| search.step(&view, scratch))?.whole()
            }
            Bytes::Paged(_) => {
                self.answers(Operation::Search { queries: queries.to_vec(), options: options.clone() })
            }
        }
    }

    /// Runs an operation whose outcome are answers.
    fn answers(&self, operation: Operation) -> Result<Vec<Answer>, Error> {
        let (outcome, moved) = match &self.bytes {
            Bytes::Local { .. } => return self.run(operation)?.answers(),
            Bytes::Paged(reading) => reading.run(operation)?,
        };
        let mut answers = outcome.answers()?;
        // The queries of a batch share their reads, so the first answer has the cost of all.
        if let Some(first) = answers.first_mut() {
            let stats = &mut first.stats;
            (stats.bytes, stats.requests, stats.waves) = (moved.bytes, moved.requests, moved.waves);
        }
        Ok(answers)
    }

    fn run(&self, operation: Operation) -> Result<Outcome, Error> {
        match &self.bytes {
            Bytes::Local { source, segment, scratches } => {
                let view = View::new(segment, &**source);
                let mut running = Running::new(&view, operation)?;
                scratches.with(|scratch| running.step(&view, scratch))?.whole()
            }
            Bytes::Paged(reading) => reading.run(operation).map(|(outcome, _)| outcome),
        }
    }

    /// Whether a row has this id.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn has(&self, id: &Id) -> Result<bool, Error> {
        self.position(id).map(|position| position.is_some())
    }

    /// The position of the row with this id, if there is one. Rows are stored in order of position.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn position(&self, id: &Id) -> Result<Option<u32>, Error> {
        match self.run(Operation::Find(id.clone()))? {
            Outcome::Position(position) => Ok(position),
            _ => Ok(None),
        }
    }

    /// The stored rows as they lie in the file, without a copy: `count` rows of `dim` numbers, row-major, the row of
    /// position `p` at `p * dim .. (p + 1) * dim` (see [`Index::position`] and [`Hit::position`](crate::Hit)). Under
    /// cosine they have unit length. Their checksums are not compared here: [`Index::verify`] does that.
    ///
    /// `None` if the finest rows that are stored are not f32, or if the file is read piece by piece
    /// ([`Io::Pread`], [`Io::Parts`]).
    pub fn rows_f32(&self) -> Option<&[f32]> {
        let Bytes::Local { source, segment, .. } = &self.bytes else { return None };
        let stored = segment.header.stages.last()?;
        let bytes = source.get(segment.finest().extent).filter(|_| *stored == CodecKind::F32)?;
        bytemuck::try_cast_slice(bytes).ok()
    }

    /// The stored vector of `id`, decoded from the finest rows. Under cosine it has about unit length.
    ///
    /// # Errors
    /// `unknown-id`; `io`, `checksum`, `corrupt`.
    pub fn vector(&self, id: &Id) -> Result<Vec<f32>, Error> {
        match self.run(Operation::Vector(id.clone()))? {
            Outcome::Vector(vector) => Ok(vector),
            _ => Err(Error::internal("a lookup gave no vector")),
        }
    }

    /// Checks the whole file: every checksum, id and link, and the content id if a manifest names it. The open file is
    /// read once, in order. About 1 MiB of it is held at a time, beside ids, leaves and checksums (some 30 bytes a
    /// row).
    ///
    /// # Errors
    /// The error of the first check that fails.
    pub fn verify(&self) -> Result<(), Error> {
        match &self.bytes {
            Bytes::Local { source, .. } => {
                self.check(&mut |extent, into| copy(&**source, extent, into), self.info.file_length)
            }
            Bytes::Paged(reading) => {
                let file = reading.file();
                self.check(&mut |extent, into| file.read(extent, into), file.length())
            }
        }
    }

    /// The front is read again, since the file may have changed.
    fn check(&self, read: &mut Fill<'_>, length: u64) -> Result<(), Error> {
        let segment = open_segment(read, length)?;
        // The content id is compared last, since any other check names the section that is wrong.
        match segment.verify(read, self.content_id.is_some())? == self.content_id {
            true => Ok(()),
            false => {
                Err(Error::corrupt("manifest", "the file has another content id than the manifest names"))
            }
        }
    }
}

fn copy(source: &dyn Source, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
    let bytes = source.get(extent).filter(|bytes| bytes.len() == into.len());
    let missing = Error::Length { section: "file", expected: extent.end(), got: extent.offset };
    into.copy_from_slice(bytes.ok_or(missing)?);
    Ok(())
}
