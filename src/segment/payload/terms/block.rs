//! From the bytes of a block to its texts. Each stands without the bytes that it shares with the one before it, with the
//! number of rows that have it, and their set or its place.

use super::TermsHead;
use crate::error::Error;
use crate::segment::payload::cursor::Cursor;
use crate::segment::payload::units::Unit;
use crate::segment::payload::{MAX_INLINE, MAX_TERM, TERMS_NAME};
use crate::storage::Read;

/// A text, and how many rows have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<'a> {
    pub(crate) text: &'a str,
    pub(crate) count: u32,
    pub(crate) set: SetRef<'a>,
}

/// A set of rows, or where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SetRef<'a> {
    Inline(&'a [u8]),
    At(Read),
}

/// The texts of a block, rising.
pub(crate) struct TermReader<'a> {
    head: &'a TermsHead,
    cursor: Cursor<'a>,
    text: Vec<u8>,
    first: bool,
    /// Of the last text.
    pub(super) set: SetRef<'a>,
}

impl<'a> TermReader<'a> {
    pub(super) fn new(head: &'a TermsHead, cursor: Cursor<'a>) -> Self {
        TermReader { head, cursor, text: Vec::new(), first: true, set: SetRef::Inline(&[]) }
    }

    /// The next text, if there is one.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn read(&mut self) -> Result<Option<Term<'_>>, Error> {
        let bad = |detail: &str| Err(Error::corrupt(TERMS_NAME, detail));
        let cursor = &mut self.cursor;
        if cursor.left.is_empty() {
            return Ok(None);
        }
        let (shared, rest) = shared(cursor, self.text.len())?;
        if !self.first && !rises(&self.text, shared, rest) {
            return bad("terms that do not rise");
        }
        self.first = false;
        self.text.truncate(shared);
        self.text.extend(rest);
        let (count, inline) = (cursor.short()?, cursor.number()?);
        if count == 0 || count > self.head.rows {
            return bad("a term that no row has, or more rows than there are");
        }
        self.set = if inline == 0 {
            let unit = Unit { at: cursor.number()?, length: cursor.short()?, checksum: cursor.u32()? };
            let places = &self.head.places;
            if unit.at < places.start || unit.end() > places.end || !self.head.sets.hold(unit) {
                return bad("a set that is not among those of its field");
            }
            SetRef::At(self.head.sets.read(unit))
        } else {
            let set = cursor.take(inline.min(MAX_INLINE as u64 + 1) as usize)?;
            let ends = set.iter().filter(|&&byte| byte < 0x80).count();
            if set.len() > MAX_INLINE || ends != count as usize {
                return bad("a set of another length or number of rows");
            }
            SetRef::Inline(set)
        };
        match std::str::from_utf8(&self.text) {
            Ok(text) => Ok(Some(Term { text, count, set: self.set })),
            Err(_) => bad("a term that is not UTF-8"),
        }
    }
}

/// How many bytes a text shares with the one of `last` bytes before it, and the bytes that follow these.
pub(super) fn shared<'a>(cursor: &mut Cursor<'a>, last: usize) -> Result<(usize, &'a [u8]), Error> {
    let (shared, more) = (cursor.number()?, cursor.number()?);
    match shared <= last as u64 && more <= MAX_TERM as u64 - shared {
        true => Ok((shared as usize, cursor.take(more as usize)?)),
        false => Err(Error::corrupt(cursor.section, "a text that shares more than there is, or is too long")),
    }
}

/// Whether a text that shares so many bytes with `last` is above it.
pub(super) fn rises(last: &[u8], shared: usize, rest: &[u8]) -> bool {
    rest > last.get(shared..).unwrap_or_default()
}
