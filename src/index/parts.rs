//! From the files of an index to an open index: the fronts are read, and nothing else.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::front::open_segment;
use super::options::OpenOptions;
use super::paged::{ReadFile, Reading};
use super::scratches::Scratches;
use super::{Bytes, Index};
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::memory::Shared;
use crate::pressure::Meter;
use crate::row_set::{RowSet, SharedRows};
use crate::segment::{FieldInfo, HEAD, Info, PositionSet, Segment, front_length};
use crate::session::{Member, Members, alive_rows};
use crate::storage::{Extent, ReadAt, Source};
use crate::trace;

/// The bytes of a segment file, as a whole: in memory or mapped.
pub(crate) type WholeFile = Arc<dyn Source + Send + Sync>;

/// A segment file that is to be opened.
pub(crate) struct OpenPart {
    file: PartFile,
    /// What [`OpenPart::open`] has read.
    opened: Option<Segment>,
    /// Its dead rows.
    pub(crate) dead: Option<PositionSet>,
    /// Its rows that are not dead, where they are known so. `None`: all but those of `dead`.
    alive: Option<SharedRows>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) content_id: Option<String>,
}

#[derive(Clone)]
pub(super) enum PartFile {
    Whole(WholeFile, u64),
    Paged(ReadFile),
}

impl OpenPart {
    /// A file of `length` bytes that is here as a whole.
    pub(crate) fn whole(file: Box<dyn Source + Send + Sync>, length: u64) -> Self {
        OpenPart::of(PartFile::Whole(file.into(), length))
    }

    /// A file that is read piece by piece.
    pub(crate) fn paged(file: Box<dyn ReadAt>) -> Self {
        OpenPart::of(PartFile::Paged(file.into()))
    }

    /// The same, with these rows that are not dead.
    #[cfg(test)]
    pub(crate) fn with_alive(self, alive: SharedRows) -> Self {
        OpenPart { alive: Some(alive), ..self }
    }

    fn of(file: PartFile) -> Self {
        OpenPart { file, opened: None, dead: None, alive: None, path: None, content_id: None }
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

/// A segment of an index that is put together.
pub(super) struct Opened {
    pub(super) segment: Shared<Segment>,
    pub(super) alive: Option<SharedRows>,
    pub(super) facts: SegmentFacts,
    pub(super) file: PartFile,
    /// What another index has reserved for it from the same ledger.
    pub(super) held: Option<Held>,
}

impl Opened {
    /// Reads the front of a file.
    pub(super) fn new(mut part: OpenPart) -> Result<Self, Error> {
        part.open()?;
        let segment = part.opened.take().ok_or_else(|| Error::internal("no segment was opened"))?;
        let alive = match part.alive {
            Some(alive) => Some(alive),
            None => alive_rows(&segment, part.dead)?,
        };
        let info = Arc::new(segment.info());
        let facts = SegmentFacts { info, dead: 0, path: part.path, content_id: part.content_id };
        Ok(Opened { segment: segment.into(), alive, facts, file: part.file, held: None })
    }
}

/// What is reserved for a segment, as long as some index has it.
#[derive(Clone)]
pub(super) struct Held {
    /// For its front, for what that has in memory beyond its bytes, and for a file in memory.
    _opened: Arc<[Reservation; 3]>,
    /// For the set of its live rows.
    pub(super) alive: Option<Arc<Reservation>>,
}

impl Held {
    fn new(member: &Member, file: &PartFile, ledger: &Ledger) -> Result<Self, Error> {
        let front = member.segment.header.front_length;
        let in_memory = if let PartFile::Whole(file, _) = file { file.allocated() } else { 0 };
        let opened = [
            ledger.reserve(Part::Fronts, front)?,
            ledger.reserve(Part::Places, member.bytes().saturating_sub(front))?,
            ledger.reserve(Part::Sections, in_memory)?,
        ];
        let alive = member.alive.as_deref();
        let alive = alive.map(|rows| Held::of_rows(rows, ledger)).transpose()?;
        Ok(Held { _opened: Arc::new(opened), alive })
    }

    /// What a set of rows has allocated.
    pub(super) fn of_rows(rows: &RowSet, ledger: &Ledger) -> Result<Arc<Reservation>, Error> {
        ledger.reserve(Part::Places, rows.bytes()).map(Arc::new)
    }
}

/// One segment of an open index.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SegmentFacts {
    /// The facts of the file. It counts dead rows too.
    pub info: Arc<Info>,
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
        let _span = trace::open(parts.len());
        let whole = parts.iter().any(|part| matches!(part.file, PartFile::Whole(..)));
        let opened = parts.into_iter().map(Opened::new).collect::<Result<_, _>>()?;
        // What is here as a whole was allowed before it was opened.
        let ledger = Ledger::new(if whole { u64::MAX } else { options.memory_budget });
        let scratches = Arc::new(Scratches::new(&ledger));
        Index::of_opened(opened, ledger, scratches, options)
    }

    /// An index of segments that are open. `scratches` are of the ledger.
    pub(super) fn of_opened(
        opened: Vec<Opened>,
        ledger: Ledger,
        scratches: Arc<Scratches>,
        options: &OpenOptions,
    ) -> Result<Self, Error> {
        let (mut parts, mut facts, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        for Opened { segment, alive, facts: of_one, file, held } in opened {
            segments.push((segment, alive));
            facts.push(of_one);
            parts.push((file, held));
        }
        let members = Members::of(segments)?;
        let places = ledger.reserve(Part::Places, members.bytes())?;
        let (mut whole, mut paged) = (Vec::new(), Vec::new());
        for (file, _) in &parts {
            match file {
                PartFile::Whole(file, _) => whole.push(Arc::clone(file)),
                PartFile::Paged(file) => paged.push(Arc::clone(file)),
            }
        }
        let bytes = match (whole.is_empty(), paged.is_empty()) {
            (false, true) => Bytes::Local { files: whole, members, scratches },
            (true, false) => Bytes::Paged(Box::new(Reading::new(members, paged, options, scratches)?)),
            _ => return Err(Error::internal("some files of an index are whole and some are not")),
        };
        let (all, missing) = (OnceLock::new(), Arc::default());
        let mut index = Index {
            bytes,
            all,
            segments: facts,
            ledger,
            meter: Meter::default(),
            admission: Arc::default(),
            held: Vec::new(),
            _places: places,
            missing,
        };
        let reserve = |(member, (file, held)): (&Member, (PartFile, Option<Held>))| match held {
            Some(held) => Ok(held),
            None => Held::new(member, &file, &index.ledger),
        };
        let held = index.members().iter().zip(parts).map(reserve).collect::<Result<_, Error>>()?;
        index.held = held;
        index.count_dead();
        Ok(index)
    }

    /// Sets the numbers of dead rows to those of the segments in memory.
    pub(super) fn count_dead(&mut self) {
        let dead = self.members().iter().map(|member| member.segment.count() - member.count());
        let dead: Vec<usize> = dead.collect();
        self.segments.iter_mut().zip(dead).for_each(|(facts, dead)| facts.dead = dead);
    }
}

/// The facts of an index: those of its segments together.
pub(super) fn of_all(segments: &[SegmentFacts]) -> Info {
    let mut all = Info::clone(&segments[0].info);
    all.count -= segments[0].dead;
    for SegmentFacts { info, dead, .. } in &segments[1..] {
        all.count += info.count - dead;
        all.graph &= info.graph;
        all.clusters &= info.clusters;
        all.file_length += info.file_length;
        all.memory_to_open += info.memory_to_open;
        info.fields.iter().for_each(|field| FieldInfo::add(&mut all.fields, field));
        all.sections.extend(info.sections.iter().cloned());
    }
    all
}
