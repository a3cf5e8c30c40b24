//! The rows of a segment by texts: the texts of a block rise, and each has its rows in a set, which is read alone unless it stands
//! in the block.

use super::{Ordered, fitting};
use crate::error::Error;
use crate::memory::bytes;
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
    Inline(Vec<u8>),
    At(Read),
}

impl Waiting {
    pub(super) fn bytes(&self) -> u64 {
        let set = if let Set::Inline(set) = &self.set { bytes(set) } else { 0 };
        (size_of::<Self>() + self.text.len()) as u64 + set
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
        // Where the sets of all rows are read, so many rows will be found: of these, as many as are left of all.
        let (mut at, mut coming) = (0, 0);
        let wanted = |of: &Self| (most - of.found.len()).min(of.count) as u64 * rows as u64;
        while self.found.len() < most && self.count > 0 && coming < wanted(self) && at < AHEAD {
            let Some(waiting) = self.waiting.get(at) else {
                if self.next >= self.blocks {
                    break;
                }
                match block(view, head, self.block(self.next, down)) {
                    Ok(bytes) => self.wait(head, bytes, down)?,
                    Err(_) => {
                        let ahead = self.ahead(most, down);
                        missing.terms = ahead.filter_map(|number| block(view, head, number).err()).collect();
                        break;
                    }
                }
                continue;
            };
            let bytes = match &waiting.set {
                Set::Inline(_) => Some(&[][..]),
                Set::At(read) => view.source.get(read.extent).or_else(|| {
                    missing.sets.push(*read);
                    None
                }),
            };
            if missing.sets.is_empty() {
                let bytes = bytes.unwrap_or_default();
                if let Some(waiting) = self.waiting.pop_front() {
                    self.find(payload, waiting, bytes, (rows, most))?;
                }
            } else {
                coming += u64::from(waiting.count) * self.count as u64;
                at += 1;
            }
        }
        missing.sets = fitting(view, missing.sets);
        missing.terms = fitting(view, missing.terms);
        missing.into_reads(view, reads);
        Ok(())
    }

    /// Lets the texts of the next block wait, whose bytes these are.
    fn wait(&mut self, head: &TermsHead, bytes: &[u8], down: bool) -> Result<(), Error> {
        let (mut terms, mut all) = (head.each(bytes), Vec::new());
        while let Some(term) = terms.read()? {
            let set = match term.set {
                SetRef::Inline(bytes) => Set::Inline(bytes.to_vec()),
                SetRef::At(read) => Set::At(read),
            };
            all.push(Waiting { text: term.text.into(), count: term.count, set });
        }
        if down {
            all.reverse();
        }
        self.waiting.extend(all);
        self.next += 1;
        Ok(())
    }

    /// Finds the rows of a text that are left, from the first position on.
    fn find(
        &mut self,
        payload: &PayloadHead,
        Waiting { text, set, .. }: Waiting,
        bytes: &[u8],
        (rows, most): (usize, usize),
    ) -> Result<(), Error> {
        let (key, before) = (self.texts.len() as u64, self.found.len());
        match set {
            Set::Inline(set) => payload.each_inline(&set, &mut |position| self.take(key, position))?,
            Set::At(read) => {
                let mut words = RowSet::no_words(rows)?;
                payload.add_set(SetRef::At(read), bytes, &mut words)?;
                words.iter_mut().zip(&self.left).for_each(|(word, left)| *word &= left);
                let found = RowSet::of_words(words, rows)?;
                found.from(0).take(most - before).for_each(|position| self.take(key, position));
            }
        }
        if self.found.len() > before {
            self.texts.push(text);
        }
        Ok(())
    }
}
