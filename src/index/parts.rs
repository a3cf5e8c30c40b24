//! From the files of an index to an open index: the fronts are read, and nothing else.

use std::path::PathBuf;

use super::front::open_segment;
use super::options::OpenOptions;
use super::paged::Reading;
use super::scratches::Scratches;
use super::{Bytes, Index};
use crate::budget::{Ledger, Part};
use crate::error::Error;
use crate::segment::{HEAD, Info, PositionSet, Segment, front_length};
use crate::session::Members;
use crate::storage::{Extent, ReadAt, Source};

/// The bytes of a segment file, as a whole: in memory or mapped.
pub(crate) type WholeFile = Box<dyn Source + Send + Sync>;

/// A segment file that is to be opened.
pub(crate) struct OpenPart {
    file: PartFile,
    /// What [`OpenPart::open`] has read.
    opened: Option<Segment>,
    /// Its dead rows.
    pub(crate) dead: Option<PositionSet>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) content_id: Option<String>,
}

enum PartFile {
    Whole(WholeFile, u64),
    Paged(Box<dyn ReadAt>),
}

impl OpenPart {
    /// A file of `length` bytes that is here as a whole.
    pub(crate) fn whole(file: WholeFile, length: u64) -> Self {
        OpenPart {
            file: PartFile::Whole(file, length),
            opened: None,
            dead: None,
            path: None,
            content_id: None,
        }
    }

    /// A file that is read piece by piece.
    pub(crate) fn paged(file: Box<dyn ReadAt>) -> Self {
        OpenPart { file: PartFile::Paged(file), opened: None, dead: None, path: None, content_id: None }
    }

    /// The segment in a file of `length` bytes that is here as a whole. Only its front is read.
    pub(crate) fn segment_of(source: &dyn Source, length: u64) -> Result<Segment, Error> {
        let first = |length: u64| source.get(Extent { offset: 0, length }).unwrap_or_default();
        Segment::open(first(front_length(first(length.min(HEAD)), length)?), length)
    }

    /// The segment. Its front is read once.
    pub(crate) fn open(&mut self) -> Result<&Segment, Error> {
        let segment = match (self.opened.take(), &self.file) {
            (Some(segment), _) => segment,
            (None, PartFile::Whole(file, length)) => OpenPart::segment_of(&**file, *length)?,
            (None, PartFile::Paged(file)) => {
                open_segment(&mut |extent, into| file.read(extent, into), file.length())?
            }
        };
        Ok(self.opened.insert(segment))
    }
}

/// One segment of an open index.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SegmentFacts {
    /// The facts of the file. It counts dead rows too.
    pub info: Info,
    /// Rows that are not found any more: a later segment has their ids.
    pub dead: usize,
    /// The path of the file; `None` if it was not opened by path.
    pub path: Option<PathBuf>,
    /// The content id that the manifest gives the file: BLAKE3 in hex. `None` without a manifest.
    pub content_id: Option<String>,
}

/// A segment that an index opened with [`OpenOptions::degraded`] is without.
#[derive(Debug)]
#[non_exhaustive]
pub struct MissingSegment {
    /// Its file, or the folder of its parts.
    pub path: PathBuf,
    /// The content id that the manifest gives it.
    pub content_id: String,
    /// Its live rows, by the manifest.
    pub count: u64,
    /// Why it could not be opened.
    pub error: Error,
}

impl Index {
    /// The segments that the manifest names and that could not be opened; none unless the index was opened with
    /// [`OpenOptions::degraded`]. Their rows are not found, and neither are the earlier rows that they replaced.
    pub fn missing(&self) -> &[MissingSegment] {
        &self.missing
    }

    /// Opens the files of an index, in order. Either all are whole, or all are read piece by piece, into the memory that
    /// `options` allow.
    ///
    /// # Errors
    /// Those of [`Segment::open`] and of the readers; `argument` if the segments do not belong together; `corrupt`
    /// for dead rows of another number of rows; `budget` if not even one query fits.
    pub(crate) fn from_parts(parts: Vec<OpenPart>, options: &OpenOptions) -> Result<Self, Error> {
        let (mut segments, mut facts) = (Vec::new(), Vec::new());
        let (mut whole, mut paged) = (Vec::new(), Vec::new());
        for mut part in parts {
            part.open()?;
            let Some(segment) = part.opened.take() else {
                return Err(Error::internal("no segment was opened"));
            };
            let (info, dead, path, content_id) = (segment.info(), part.dead, part.path, part.content_id);
            facts.push(SegmentFacts { info, dead: dead.as_ref().map_or(0, |d| d.len()), path, content_id });
            segments.push((segment, dead));
            match part.file {
                PartFile::Whole(file, _) => whole.push(file),
                PartFile::Paged(file) => paged.push(file),
            }
        }
        let members = Members::new(segments)?;
        // What is here as a whole was allowed before it was opened.
        let ledger = Ledger::new(if whole.is_empty() { options.memory_budget } else { u64::MAX });
        let in_memory = whole.iter().map(|file| file.allocated()).sum();
        let mut held = vec![ledger.reserve(Part::Sections, in_memory)?];
        let bytes = match (whole.is_empty(), paged.is_empty()) {
            (false, true) => Bytes::Local { files: whole, members, scratches: Scratches::new(&ledger) },
            (true, false) => Bytes::Paged(Box::new(Reading::new(members, paged, options, &ledger)?)),
            _ => return Err(Error::internal("some files of an index are whole and some are not")),
        };
        let plain = matches!(facts.as_slice(), [one] if one.dead == 0);
        let members = match &bytes {
            Bytes::Local { members, .. } => members,
            Bytes::Paged(reading) => reading.members(),
        };
        held.extend(members.reserve(&ledger)?);
        let all = (!plain).then(|| of_all(&facts)).transpose()?;
        Ok(Index { bytes, all, segments: facts, ledger, _held: held, missing: Vec::new() })
    }
}

/// The facts of an index: those of its segments together.
fn of_all(segments: &[SegmentFacts]) -> Result<Info, Error> {
    let [first, more @ ..] = segments else { return Err(Error::internal("an index without segments")) };
    let mut all = first.info.clone();
    all.count -= first.dead;
    for SegmentFacts { info, dead, .. } in more {
        all.count += info.count - dead;
        all.graph &= info.graph;
        all.clusters &= info.clusters;
        all.file_length += info.file_length;
        all.memory_to_open += info.memory_to_open;
        all.sections.extend(info.sections.iter().cloned());
    }
    Ok(all)
}
