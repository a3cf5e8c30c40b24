//! The ids of some rows, from bytes in memory.

use std::ops::Range;

use crate::error::Error;
use crate::id::{Id, IdRef, Ids};
use crate::segment::packed::Packed;

pub(super) const SECTION: &str = "ids";

/// The ids of some rows, read where they lie.
#[derive(Clone, Copy)]
pub(crate) struct IdView<'a> {
    pub(super) count: usize,
    kind: Kind<'a>,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Numbers(Packed<'a>),
    /// The whole section.
    Texts(&'a [u8]),
}

impl<'a> IdView<'a> {
    /// Checks the length of `bytes` against `count`.
    pub(crate) fn new(bytes: &'a [u8], count: usize, text: bool) -> Result<Self, Error> {
        if !text {
            return match Packed::split(bytes, count) {
                Some((numbers, [])) => Ok(IdView { count, kind: Kind::Numbers(numbers) }),
                _ => Err(Error::corrupt(SECTION, "their length does not fit the number of rows")),
            };
        }
        // Saturating: usize has 32 bits in wasm.
        let fixed = count.saturating_add(1).saturating_mul(4);
        let expected = fixed.saturating_add(u32_at(bytes, fixed - 4)? as usize);
        match bytes.len() == expected {
            true => Ok(IdView { count, kind: Kind::Texts(bytes) }),
            false => {
                Err(Error::Length { section: SECTION, expected: expected as u64, got: bytes.len() as u64 })
            }
        }
    }

    pub(crate) fn id(&self, position: u32) -> Result<Id, Error> {
        match self.kind {
            Kind::Numbers(numbers) => self.number(numbers, position).map(Id::Number),
            Kind::Texts(bytes) => text_id(self.text(bytes, position)?),
        }
    }

    /// Whether the row has this id.
    #[inline]
    pub(super) fn has(&self, position: u32, id: IdRef<'_>) -> Result<bool, Error> {
        match (self.kind, id) {
            (Kind::Numbers(numbers), IdRef::Number(id)) => Ok(self.number(numbers, position)? == id),
            (Kind::Texts(bytes), IdRef::Text(id)) => Ok(self.text(bytes, position)? == id.as_bytes()),
            _ => Ok(false),
        }
    }

    /// The id without a borrow of the section: the bytes of a text are added to `texts`.
    #[inline]
    pub(crate) fn copy(&self, position: u32, texts: &mut Vec<u8>) -> Result<IdBytes, Error> {
        match self.kind {
            Kind::Numbers(numbers) => self.number(numbers, position).map(IdBytes::Number),
            Kind::Texts(bytes) => {
                let start = texts.len();
                texts.extend_from_slice(self.text(bytes, position)?);
                Ok(IdBytes::Text(start..texts.len()))
            }
        }
    }

    #[inline]
    fn number(&self, numbers: Packed<'_>, position: u32) -> Result<u64, Error> {
        let number = numbers.get(position as usize);
        match number <= Ids::MAX_NUMBER && (position as usize) < self.count {
            true => Ok(number),
            false => Err(Error::corrupt(SECTION, "a number above 2^53 - 1")),
        }
    }

    fn text(&self, bytes: &'a [u8], position: u32) -> Result<&'a [u8], Error> {
        let at = position as usize * 4;
        let base = (self.count + 1) * 4;
        let (start, end) = (u32_at(bytes, at)? as usize, u32_at(bytes, at + 4)? as usize);
        let text = bytes.get(base.saturating_add(start)..base.saturating_add(end));
        text.ok_or_else(|| Error::corrupt(SECTION, "an id's bytes leave the section"))
    }
}

/// An id that [`IdView::copy`] took.
#[derive(Clone)]
pub(crate) enum IdBytes {
    Number(u64),
    /// Where its bytes are.
    Text(Range<usize>),
}

impl IdBytes {
    /// The id; `texts` is where [`IdView::copy`] added its bytes.
    pub(crate) fn id(&self, texts: &[u8]) -> Result<Id, Error> {
        match self {
            IdBytes::Number(number) => Ok(Id::Number(*number)),
            IdBytes::Text(range) => text_id(texts.get(range.clone()).unwrap_or_default()),
        }
    }
}

pub(super) fn text_id(bytes: &[u8]) -> Result<Id, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::corrupt(SECTION, "an id is not UTF-8"))?;
    Ok(Id::Text(text.to_owned()))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let found = bytes.get(at..).and_then(|b| b.first_chunk());
    found.map(|b| u32::from_le_bytes(*b)).ok_or_else(|| Error::corrupt(SECTION, "the section ends too early"))
}
