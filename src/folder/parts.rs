//! A segment as many small files, for hosts that ignore `Range`: the cuts between them, their names, and a reader that
//! presents them as one file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::memory::lock;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Access, Dir, DirFile, Extent, ReadAt, io_error};

/// Bytes of a part of rows, lists or fields, and how many such parts a section has at most; a longer section has larger parts.
/// A search reads a few rows and lists from all over the section, so small parts save bytes. Wordnet's first query
/// reads 102 such parts and 1.7 MB; with parts of 64 KiB it would be 54 and 3.5 MB.
const PIECES: u64 = 16 << 10;
const MAX_PIECES: u64 = 4096;
/// Bytes of a part of leaves. A first search reads about half of these parts.
const LEAVES: u64 = 32 << 10;
/// Bytes of a part of a section that is always read as a whole.
const WHOLE: u64 = 1 << 20;

/// The parts of a segment. The path of a part consists of the segment's content id and the range of its bytes, so equal
/// paths always hold equal bytes, however the segment was cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// The folder of the parts, beside the manifest.
    pub(crate) folder: String,
    /// From byte `.0` of the segment to the next cut, each part has `.1` bytes; the last one may be shorter.
    pub(crate) cuts: Vec<(u64, u64)>,
}

impl Parts {
    /// Cuts a finished segment: the front is one part, and no other part spans two sections.
    pub(crate) fn of(segment: &Segment, folder: String) -> Self {
        let header = &segment.header;
        let mut cuts = vec![(0, header.front_length)];
        for section in header.sections.iter().filter(|s| !s.kind.in_front() && s.extent.length > 0) {
            cuts.push((section.extent.offset, part_size(segment, section.kind, section.extent.length)));
        }
        // Bytes between the front and the first section belong to the front.
        if let [front, next, ..] = cuts.as_mut_slice() {
            front.1 = next.0;
        }
        Parts { folder, cuts }
    }

    /// Checks that the cuts begin at 0, ascend, and lie inside the file.
    pub(crate) fn check(&self, length: u64) -> Result<(), String> {
        let rises = self.cuts.is_sorted_by(|a, b| a.0 < b.0);
        let inside = self.cuts.iter().all(|&(from, size)| from < length && size > 0);
        match self.cuts.first() {
            Some((0, _)) if rises && inside => Ok(()),
            _ => Err("the cuts of its parts must ascend from 0 and lie inside the file".to_owned()),
        }
    }

    /// The part that holds byte `at` of a file of `length` bytes.
    fn around(&self, at: u64, length: u64) -> Extent {
        let next = self.cuts.partition_point(|cut| cut.0 <= at);
        let (from, size) = self.cuts.get(next.saturating_sub(1)).copied().unwrap_or((0, length));
        let end = self.cuts.get(next).map_or(length, |cut| cut.0);
        let offset = from + (at - from) / size * size;
        Extent { offset, length: size.min(end - offset) }
    }

    /// Every part of a file of `length` bytes, in order.
    pub(crate) fn all(&self, length: u64) -> impl Iterator<Item = Extent> {
        let first = (length > 0).then(|| self.around(0, length));
        std::iter::successors(first, move |part| {
            (part.end() < length).then(|| self.around(part.end(), length))
        })
    }

    /// The name of a part beside the manifest: its folder, the first and the last byte, as in a range of HTTP.
    pub(crate) fn name(&self, part: Extent) -> String {
        format!("{}/{}-{}.bin", self.folder, part.offset, part.end() - 1)
    }
}

/// The bytes of the parts of a section. No row is cut in two.
fn part_size(segment: &Segment, kind: SectionKind, length: u64) -> u64 {
    let pieces = PIECES.max(length.div_ceil(MAX_PIECES).next_power_of_two());
    let rows = |stride: u64| (pieces / stride).max(1) * stride;
    let finer = segment.finer.iter().find(|rows| Some(rows.extent) == segment.extent(kind));
    match kind {
        SectionKind::Leaves => LEAVES,
        SectionKind::Lists
        | SectionKind::Terms
        | SectionKind::Sets
        | SectionKind::Sorted
        | SectionKind::Fields => pieces,
        // Codes are read row by row if they are the finest rows and a search by clusters reranks by them.
        SectionKind::Codes if segment.clusters.is_some() && segment.finer.is_empty() => {
            rows(segment.codes.stride)
        }
        _ => finer.map_or(WHOLE, |finer| rows(finer.stride)),
    }
}

/// At most so many part files are open at once.
const OPEN: usize = 16;

/// A part that is open.
type PartFile = Arc<dyn DirFile>;

/// Reads the parts in a folder as one file.
pub(crate) struct PartFiles {
    dir: Arc<dyn Dir>,
    folder: PathBuf,
    parts: Parts,
    length: u64,
    /// The files that were read last; the latest is at the end.
    open: Mutex<Vec<(Extent, PartFile)>>,
}

impl PartFiles {
    /// `parts` must have been checked.
    pub(crate) fn new(dir: Arc<dyn Dir>, folder: &Path, parts: Parts, length: u64) -> Self {
        PartFiles { dir, folder: folder.to_owned(), parts, length, open: Mutex::default() }
    }

    /// The open file of `part`. The lock is not held while a file is opened.
    fn file(&self, part: Extent) -> Result<PartFile, Error> {
        let found = {
            let mut open = lock(&self.open);
            open.iter().position(|o| o.0 == part).map(|at| open.remove(at).1)
        };
        let file = found.map_or_else(|| self.open_part(part), Ok)?;
        let mut open = lock(&self.open);
        open.push((part, Arc::clone(&file)));
        if open.len() > OPEN {
            open.remove(0);
        }
        Ok(file)
    }

    fn open_part(&self, part: Extent) -> Result<PartFile, Error> {
        let path = self.folder.join(self.parts.name(part));
        let file = wait(&self.folder, PATIENCE, || self.dir.open(&path, Access::Read))?;
        match file.length()? {
            found if found == part.length => Ok(file.into()),
            found => {
                let expected = part.length;
                let detail = format!(
                    "it has {found} bytes, but {expected} were published: copy or publish the folder again"
                );
                Err(io_error(&path, io::Error::new(io::ErrorKind::InvalidData, detail)))
            }
        }
    }
}

impl ReadAt for PartFiles {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        if extent.end() > self.length {
            return Err(Error::Length { section: "parts", expected: extent.end(), got: self.length });
        }
        let (mut at, mut rest) = (extent.offset, into);
        while !rest.is_empty() {
            let part = self.parts.around(at, self.length);
            let length = rest.len().min((part.end() - at) as usize);
            let (now, later) = rest.split_at_mut(length);
            self.file(part)?.read_at(now, at - part.offset)?;
            (at, rest) = (at + length as u64, later);
        }
        Ok(())
    }
}
