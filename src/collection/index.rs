//! One segment, opened, and searched from any thread.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::exec;
use crate::id::Id;
use crate::index::{
    Answer, IndexChoice, Operation, Outcome, Scratch, Search, SearchOptions, Session, Stepped,
};
use crate::segment::{HEAD, Info, Segment, content_id, front_length};
use crate::storage::{Buffer, Extent, ReadAt, Source, Whole};

/// Where the bytes are.
enum Bytes {
    Here { source: Box<dyn Source + Send + Sync>, segment: Box<Segment>, scratch: Mutex<Vec<Scratch>> },
    Elsewhere(Box<Mutex<(Session, Box<dyn ReadAt>)>>),
}

/// A segment that is searched from any number of threads.
pub struct Index {
    bytes: Bytes,
    info: Info,
    /// Where the file lies, and what the manifest says its content is.
    pub(crate) path: Option<PathBuf>,
    pub(crate) content_id: Option<String>,
}

impl Index {
    /// Opens a copy of a segment file's bytes.
    ///
    /// # Errors
    /// Those of [`Segment::open`].
    pub fn from_bytes(file: &[u8]) -> Result<Self, Error> {
        Index::over(Box::new(Whole(Buffer::copy_of(file)?)), file.len() as u64)
    }

    /// The segment in a file of `length` bytes that is here as a whole; reads its front alone.
    pub(crate) fn segment_of(source: &dyn Source, length: u64) -> Result<Segment, Error> {
        let first = |length: u64| source.get(Extent { offset: 0, length }).unwrap_or_default();
        Segment::open(first(front_length(first(length.min(HEAD)), length)?), length)
    }

    /// Over a file of `length` bytes that is here as a whole.
    pub(crate) fn over(source: Box<dyn Source + Send + Sync>, length: u64) -> Result<Self, Error> {
        let segment = Index::segment_of(&*source, length)?;
        let info = segment.info();
        let bytes = Bytes::Here { source, segment: Box::new(segment), scratch: Mutex::default() };
        Ok(Index { bytes, info, path: None, content_id: None })
    }

    /// Opens a file that is read piece by piece, of which at most `memory_budget` bytes are held.
    ///
    /// # Errors
    /// Those of [`Segment::open`] and of `file`; `budget` if not even one query fits.
    pub fn reading(file: Box<dyn ReadAt>, memory_budget: u64) -> Result<Self, Error> {
        Index::reading_for(IndexChoice::Auto, file, memory_budget)
    }

    /// As [`Index::reading`], with the memory laid out as [`Session::favouring`] does.
    ///
    /// # Errors
    /// As there.
    pub fn reading_for(
        index: IndexChoice,
        mut file: Box<dyn ReadAt>,
        memory_budget: u64,
    ) -> Result<Self, Error> {
        let length = file.length();
        let mut read = |length: u64| -> Result<Vec<u8>, Error> {
            let mut bytes = vec![0; length as usize];
            file.read(Extent { offset: 0, length }, &mut bytes)?;
            Ok(bytes)
        };
        let head = read(length.min(HEAD))?;
        let front = read(front_length(&head, length)?)?;
        let session = Session::favouring(index, Segment::open(&front, length)?, memory_budget)?;
        let info = session.segment().info();
        Ok(Index {
            bytes: Bytes::Elsewhere(Box::new(Mutex::new((session, file)))),
            info,
            path: None,
            content_id: None,
        })
    }

    /// The bytes of the file, if they are here as a whole: given, or mapped.
    pub fn file(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Here { source, .. } => source.get(Extent { offset: 0, length: self.info.file_length }),
            Bytes::Elsewhere(_) => None,
        }
    }

    /// The segment's facts.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The file that is open; `None` for bytes.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the manifest says the content of the file is: BLAKE3 in hex; `None` without a manifest.
    pub fn content_id(&self) -> Option<&str> {
        self.content_id.as_deref()
    }

    /// The rows nearest to `query`.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`; `io`, `checksum`, `corrupt` when the file fails.
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        if query.len() != self.info.dim {
            return Err(Error::Dimension { expected: self.info.dim, got: query.len() });
        }
        let mut answers = self.search_chunk(query, options)?;
        answers.pop().ok_or_else(|| Error::internal("a search gave no answer"))
    }

    /// The rows nearest to each of `queries` (row-major), in parallel over mapped or given bytes.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search_batch(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        const TASK: usize = 16;
        let dim = self.info.dim;
        if !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() % dim });
        }
        let parts = exec::map_chunks(queries.len() / dim, TASK, |range| {
            let answers = self.search_chunk(&queries[range.start * dim..range.end * dim], options);
            answers.map_err(|error| error.of_rows_from(range.start))
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn search_chunk(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        match &self.bytes {
            Bytes::Here { source, segment, scratch } => {
                let mut search = Search::new(segment, &**source, queries, options)?;
                let mut mine = lock(scratch).pop().unwrap_or_default();
                let answers = search.run(segment, &**source, &mut mine);
                lock(scratch).push(mine);
                answers
            }
            Bytes::Elsewhere(session) => {
                let operation = Operation::Search { queries: queries.to_vec(), options: *options };
                let (outcome, reads) = run(&mut lock(session), operation)?;
                let Outcome::Answers(mut answers) = outcome else { return Ok(Vec::new()) };
                // The batch read together: its first answer carries the cost.
                if let Some(first) = answers.first_mut() {
                    (first.stats.bytes, first.stats.requests, first.stats.waves) = reads;
                }
                Ok(answers)
            }
        }
    }

    /// The position of `id`, if it is in the index.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn find(&self, id: &Id) -> Result<Option<u32>, Error> {
        match &self.bytes {
            Bytes::Here { source, segment, .. } => crate::index::find(segment, &**source, id)?.whole(),
            Bytes::Elsewhere(session) => match run(&mut lock(session), Operation::Find(id.clone()))?.0 {
                Outcome::Position(position) => Ok(position),
                _ => Ok(None),
            },
        }
    }

    /// The stored vector of `id`: decoded from the finest rows, about of unit length under cosine.
    ///
    /// # Errors
    /// `unknown-id`; `io`, `checksum`, `corrupt`.
    pub fn vector(&self, id: &Id) -> Result<Vec<f32>, Error> {
        match &self.bytes {
            Bytes::Here { source, segment, .. } => crate::index::vector(segment, &**source, id)?.whole(),
            Bytes::Elsewhere(session) => match run(&mut lock(session), Operation::Vector(id.clone()))?.0 {
                Outcome::Vector(vector) => Ok(vector),
                _ => Err(Error::UnknownId { id: id.to_string() }),
            },
        }
    }

    /// The complete check: every checksum, id and link, and the content id if a manifest names it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        let file = match (&self.path, &self.bytes) {
            (Some(path), _) => std::fs::read(path)
                .map_err(|source| Error::Io { path: path.display().to_string(), source })?,
            (None, Bytes::Here { source, segment, .. }) => return crate::index::verify(segment, &**source),
            (None, Bytes::Elsewhere(at)) => read_all(&mut *lock(at).1)?,
        };
        // First the finer check: it says where.
        let segment = Segment::open(&file, file.len() as u64)?;
        crate::index::verify(&segment, &Whole(Buffer::copy_of(&file)?))?;
        match self.content_id.as_ref().is_some_and(|id| *id != content_id(&file)) {
            true => Err(Error::corrupt("manifest", "the file's content id is another")),
            false => Ok(()),
        }
    }
}

/// Steps one operation to its end, reading what it needs. Returns bytes, reads and waves beside the outcome.
fn run(
    at: &mut (Session, Box<dyn ReadAt>),
    operation: Operation,
) -> Result<(Outcome, (u64, u64, u64)), Error> {
    let (session, file) = at;
    let ticket = session.begin(operation)?;
    let mut reads = (0, 0, 0);
    let mut bytes = Vec::new();
    loop {
        match session.step(ticket)? {
            Stepped::Done(outcome) => return Ok((outcome, reads)),
            Stepped::Wait => return Err(Error::internal("the room is held by an operation that is over")),
            Stepped::Need(extents) => {
                reads.2 += 1;
                file.prefetch(&extents);
                for extent in extents {
                    bytes.resize(extent.length as usize, 0);
                    let delivered =
                        file.read(extent, &mut bytes).and_then(|()| session.deliver(extent, &bytes));
                    delivered.inspect_err(|_| session.cancel(ticket))?;
                    reads.0 += extent.length;
                    reads.1 += 1;
                }
            }
        }
    }
}

fn read_all(file: &mut dyn ReadAt) -> Result<Vec<u8>, Error> {
    let length = file.length();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| Error::OutOfMemory { bytes: length })?;
    bytes.resize(length as usize, 0);
    file.read(Extent { offset: 0, length }, &mut bytes)?;
    Ok(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
