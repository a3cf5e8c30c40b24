//! What an index knows of single rows: by id where they are, their vectors and their fields.

use super::{Bytes, Index};
use crate::error::Error;
use crate::id::Id;
use crate::quant::CodecKind;
use crate::search::{Operation, Outcome, RowPlace};

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
