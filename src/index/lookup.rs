//! What an index knows of single rows: by id where they are, their vectors and their fields.

use super::{Bytes, Index};
use crate::error::Error;
use crate::id::Id;
use crate::quant::CodecKind;
use crate::search::{Operation, Outcome, RowPlace, StoredRow};

/// Rows, and ids alone, that are read at a time.
const ROWS: usize = 256;
const IDS: usize = 8192;

impl Index {
    /// Whether a row has this id.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn has(&self, id: &Id) -> Result<bool, Error> {
        self.find(id).map(|row| row.is_some())
    }

    /// Where the row with this id is, if there is one: of several segments, in the last that has it.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn find(&self, id: &Id) -> Result<Option<RowPlace>, Error> {
        match self.run(Operation::Find(id.clone()))? {
            Outcome::Row(row) => Ok(row),
            _ => Ok(None),
        }
    }

    /// The stored rows of a segment as they lie in its file, without a copy: `count` rows of `dim` numbers, row-major, the
    /// row of position `p` at `p * dim .. (p + 1) * dim` (see [`Index::find`] and [`Hit::position`](crate::Hit)). Under
    /// cosine they have unit length. Their checksums are not compared here: [`Index::verify`] does that.
    ///
    /// `None` if the finest rows that are stored are not f32, if the file is read piece by piece ([`Io::Pread`](crate::Io::Pread),
    /// [`Io::Parts`](crate::Io::Parts)), or if there is no such segment.
    pub fn rows_f32(&self, segment: usize) -> Option<&[f32]> {
        let Bytes::Local { files, members, .. } = &self.bytes else { return None };
        let (file, segment) = (files.get(segment)?, &members.iter().nth(segment)?.segment);
        let stored = segment.header.stages.last()?;
        let bytes = file.get(segment.finest().extent).filter(|_| *stored == CodecKind::F32)?;
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

    /// Whether any of the segments has stored fields.
    pub(crate) fn has_fields(&self) -> bool {
        self.members().iter().any(|member| member.segment.fields().is_some())
    }

    /// All rows that are not dead, in the order in which they are stored: by segment, then by position. They are read in pages of
    /// a few hundred; the iterator ends after an error.
    ///
    /// # Errors
    /// `argument` where `fields` are wanted of an index that has none; `io`, `checksum`, `corrupt`.
    pub fn rows(&self, vectors: bool, fields: bool) -> impl Iterator<Item = Result<StoredRow, Error>> {
        self.in_pages(ROWS, vectors, fields)
    }

    /// The ids of all rows that are not dead, in the order of [`Index::rows`].
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn ids(&self) -> impl Iterator<Item = Result<Id, Error>> {
        self.in_pages(IDS, false, false).map(|row| row.map(|row| row.id))
    }

    fn in_pages(
        &self,
        count: usize,
        vectors: bool,
        fields: bool,
    ) -> impl Iterator<Item = Result<StoredRow, Error>> {
        let mut next = Some(RowPlace { segment: 0, position: 0 });
        let pages = std::iter::from_fn(move || {
            let from = next.take()?;
            Some(match self.run(Operation::Rows { from, count, vectors, fields }) {
                Ok(Outcome::Rows(page)) => {
                    next = page.next;
                    Ok(page.rows)
                }
                Ok(_) => Err(Error::internal("a page has no rows")),
                Err(error) => Err(error),
            })
        });
        pages.flat_map(|page| {
            let (rows, error) = match page {
                Ok(rows) => (rows, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            rows.into_iter().map(Ok).chain(error.map(Err))
        })
    }

    /// The stored fields of ids: of each a JSON object, `{}` if its row has no fields; `None` if no row has the id.
    ///
    /// # Errors
    /// `argument` if the index has no stored fields; `io`, `checksum`, `corrupt`.
    pub fn fields(&self, ids: &[Id]) -> Result<Vec<Option<Box<str>>>, Error> {
        match self.run(Operation::Fields(ids.to_vec()))? {
            Outcome::Fields(fields) => Ok(fields),
            _ => Err(Error::internal("a lookup gave no fields")),
        }
    }
}
