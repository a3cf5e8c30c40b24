//! The codes of rows as they are stored, for collections: a row of which only the fields change keeps them.

use super::Index;
use crate::error::Error;
use crate::memory::room_for;
use crate::quant::CodecKind;
use crate::search::RowPlace;
use crate::segment::{STAGES, Segment};
use crate::storage::Extent;

/// Of one stage: its codec, and the parameters of that.
pub(crate) type StageOf = (CodecKind, Vec<u8>);

impl Index {
    /// The codes of a row by all stages, one after another, compared with their checksums.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`, `out-of-memory`.
    pub(crate) fn codes_at(&self, place: RowPlace) -> Result<Vec<u8>, Error> {
        let segment = self.segment(place.segment)?;
        let mut codes = Vec::new();
        for matrix in std::iter::once(&segment.codes).chain(&segment.finer) {
            codes.extend(self.checked(place.segment, matrix.row(place.position))?);
        }
        Ok(codes)
    }

    /// The row at a place, decoded from its finest codes; `codes` are those of all stages.
    ///
    /// # Errors
    /// `internal` for codes of another segment.
    pub(crate) fn decoded(&self, segment: u32, codes: &[u8]) -> Result<Vec<f32>, Error> {
        let (finest, mut row) = (self.segment(segment)?.finest(), vec![0.0; self.dim()]);
        let code = codes.len().checked_sub(finest.stride as usize).and_then(|start| codes.get(start..));
        finest.codec.decode(code.ok_or_else(|| Error::internal("codes of no row"))?, &mut row);
        Ok(row)
    }

    /// Whether the finest rows of a segment are f32.
    ///
    /// # Errors
    /// `internal` for a segment that is not there.
    pub(crate) fn is_exact(&self, number: u32) -> Result<bool, Error> {
        Ok(self.segment(number)?.header.stages.last() == Some(&CodecKind::F32))
    }

    /// The stages of a segment.
    ///
    /// # Errors
    /// As [`Index::codes_at`].
    pub(crate) fn stages_of(&self, number: u32) -> Result<Vec<StageOf>, Error> {
        let segment = self.segment(number)?;
        let mut stages = Vec::new();
        for (form, &kind) in STAGES.iter().zip(&segment.header.stages) {
            let parameters = match kind.parameter_bytes(segment.dim()) {
                0 => Vec::new(),
                _ => self.checked(number, segment.required(form.parameters)?)?,
            };
            stages.push((kind, parameters));
        }
        Ok(stages)
    }

    fn segment(&self, number: u32) -> Result<&Segment, Error> {
        let member = self.members().iter().nth(number as usize);
        member.map(|member| &*member.segment).ok_or_else(|| Error::internal("a segment that is not there"))
    }

    /// Bytes within a section, read with the blocks around them.
    fn checked(&self, number: u32, extent: Extent) -> Result<Vec<u8>, Error> {
        let segment = self.segment(number)?;
        let read = segment.block_around(extent);
        let mut bytes = room_for(read.extent.length as usize)?;
        bytes.resize(read.extent.length as usize, 0);
        self.read(number as usize, read.extent, &mut bytes)?;
        segment.check(read, &bytes)?;
        let start = (extent.offset - read.extent.offset) as usize;
        bytes.truncate(start + extent.length as usize);
        bytes.drain(..start);
        Ok(bytes)
    }
}
