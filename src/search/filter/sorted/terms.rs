//! The rows of a segment by texts: the texts of a block rise, and each has its rows in a set, which is read alone unless it stands
//! in the block.

use super::{Ordered, fitting};
use crate::error::Error;
use crate::row_set::RowSet;
use crate::search::filter::{Missing, block};
use crate::search::view::View;
use crate::segment::payload::{PayloadHead, SetRef, TermsHead};
use crate::storage::Read;

/// Beyond so many texts no more are looked at ahead of the one whose set is missing.
const AHEAD: usize = 1024;

/// A text whose rows are not found yet.
pub(super) struct Waiting {
    text: Box<str>,
    /// So many rows have it.
    count: u32,
    set: Set,
}

enum Set {
    Inline(Box<[u8]>),
    At(Read),
}

impl Waiting {
    pub(super) fn bytes(&self) -> u64 {
        let set = if let Set::Inline(set) = &self.set { set.len() } else { 0 };
        (size_of::<Self>() + self.text.len() + set) as u64
    }
}

impl Ordered {
    pub(super) fn by_terms(
        &mut self,
        view: &View<'_>,
        (payload, head): (&PayloadHead, &TermsHead),
        down: bool,
        most: usize,
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        let rows = view.segment.count();
        let mut missing = Missing::default();
        let mut waiting = std::mem::take(&mut self.waiting);
        // Where the sets of all rows are read, so many rows will be found: of these, as many as are left of all.
        let (mut at, mut coming) = (self.first, 0);
        let wanted = |of: &Self| (most - of.found.len()).min(of.count) as u64 * rows as u64;
        while self.found.len() < most && self.count > 0 && coming < wanted(self) && at < self.first + AHEAD {
            let Some(next) = waiting.get(at) else {
                if self.next >= self.blocks {
                    break;
                }
                let Ok(bytes) = block(view, head, self.block(self.next, down)) else {
                    let read = |number| block(view, head, number).err();
                    missing.terms = self.ahead(view, most, down, &read);
                    break;
                };
                wait(head, bytes, down, &mut waiting)?;
                self.next += 1;
                continue;
            };
            let mut bytes = &[][..];
            if let Set::At(read) = next.set {
                match view.source.get(read.extent) {
                    Some(set) => bytes = set,
                    None => missing.sets.push(read),
                }
            }
            at += 1;
            if missing.sets.is_empty() {
                self.find(payload, next, bytes, (rows, most))?;
                self.first = at;
            } else {
                coming += u64::from(next.count) * self.count as u64;
            }
        }
        if self.first == waiting.len() {
            waiting.clear();
            self.first = 0;
        }
        self.waiting = waiting;
        missing.sets = fitting(view, missing.sets);
        missing.into_reads(view, reads);
        Ok(())
    }

    /// Finds the rows of a text that are left, from the first position on.
    fn find(
        &mut self,
        payload: &PayloadHead,
        next: &Waiting,
        bytes: &[u8],
        (rows, most): (usize, usize),
    ) -> Result<(), Error> {
        let (key, before) = (self.texts.len() as u64, self.found.len());
        match &next.set {
            Set::Inline(set) => payload.each_inline(set, &mut |position| self.take(key, position))?,
            Set::At(read) => {
                let mut words = RowSet::no_words(rows)?;
                payload.add_set(SetRef::At(*read), bytes, &mut words)?;
                for position in RowSet::of_words(words, rows)?.from(0) {
                    if self.found.len() >= most {
                        break;
                    }
                    self.take(key, position);
                }
            }
        }
        if self.found.len() > before {
            self.texts.push(next.text.clone());
        }
        Ok(())
    }
}

/// Lets the texts of a block wait, whose bytes these are.
fn wait(head: &TermsHead, bytes: &[u8], down: bool, waiting: &mut Vec<Waiting>) -> Result<(), Error> {
    let start = waiting.len();
    let mut terms = head.each(bytes);
    while let Some(term) = terms.read()? {
        let set = match term.set {
            SetRef::Inline(bytes) => Set::Inline(bytes.into()),
            SetRef::At(read) => Set::At(read),
        };
        waiting.push(Waiting { text: term.text.into(), count: term.count, set });
    }
    if down {
        waiting[start..].reverse();
    }
    Ok(())
}
