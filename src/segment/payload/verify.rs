//! The complete check of the indexes: every unit, in the order of the file. It holds the numbers of the sets that terms
//! name, the rows of small sets (at most a bit for each row of the segment, or what they take in the file), and a digest of each
//! set with which later blocks are compared.

use super::cursor::{Cursor, put};
use super::geo::GeoHead;
use super::head::{IndexHead, PayloadField, PayloadHead};
use super::sorted::SortedHead;
use super::terms::{SetRef, TermBlock, TermsHead, add_inline};
use super::{NAME, SORTED_NAME, TERMS_NAME};
use crate::error::Error;
use crate::hash::hash;
use crate::row_set::RowSet;
use crate::segment::Segment;
use crate::segment::stream::Stream;
use crate::storage::Read;

/// What later sections are compared with.
#[derive(Default)]
pub(in crate::segment) struct Check {
    fields: Vec<Seen>,
}

/// What was seen of a field.
#[derive(Default)]
struct Seen {
    /// Of its terms: how many, their values, the rows of small sets, and the sets that are read, with their counts.
    terms: u32,
    values: u64,
    rows: Rows,
    sets: Vec<(Read, u32)>,
    /// Digests of the sets of its buckets, and of the set of the rows that have a value.
    buckets: Vec<u64>,
    present: Option<u64>,
}

/// The rows of small sets: these sets, or once they would take more, a bit for each row.
#[derive(Default)]
struct Rows {
    sets: Vec<u8>,
    words: Vec<u64>,
}

impl Rows {
    fn add(&mut self, set: &[u8], rows: usize) -> Result<(), Error> {
        put(&mut self.sets, set.len() as u64);
        self.sets.extend(set);
        if self.sets.len() > rows / 8 { self.words(rows).map(drop) } else { Ok(()) }
    }

    /// As bits.
    fn words(&mut self, rows: usize) -> Result<&mut Vec<u64>, Error> {
        if self.words.is_empty() {
            self.words = RowSet::no_words(rows)?;
        }
        let mut cursor = Cursor { left: &self.sets, section: TERMS_NAME };
        while !cursor.left.is_empty() {
            let length = cursor.number()? as usize;
            add_inline(cursor.take(length)?, rows, &mut self.words)?;
        }
        self.sets.clear();
        Ok(&mut self.words)
    }
}

impl Check {
    /// Before the first section of units: the terms that stand in the head are checked.
    pub(in crate::segment) fn new(segment: &Segment, head: &PayloadHead) -> Result<Self, Error> {
        let mut check = Check::default();
        for field in &head.fields {
            let mut seen = Seen::default();
            if let IndexHead::Terms(terms) = &field.index
                && let TermBlock::Here(bytes) = terms.block(0)
            {
                seen.read_terms(terms, 0, bytes, segment.count())?;
                seen.end_terms(field, terms, segment.count())?;
            }
            check.fields.push(seen);
        }
        Ok(check)
    }

    /// Checks the section of terms; the stream is before it.
    pub(in crate::segment) fn terms(
        &mut self,
        segment: &Segment,
        head: &PayloadHead,
        stream: &mut Stream<'_>,
    ) -> Result<(), Error> {
        for (field, seen) in head.fields.iter().zip(&mut self.fields) {
            let IndexHead::Terms(terms) = &field.index else { continue };
            for number in 0..terms.blocks() {
                let TermBlock::At(read) = terms.block(number) else { continue };
                let bytes = stream.get(read.extent)?;
                segment.check(read, bytes)?;
                seen.read_terms(terms, number, bytes, segment.count())?;
            }
            if field.bytes[1] > 0 {
                seen.end_terms(field, terms, segment.count())?;
            }
        }
        Ok(())
    }

    /// Checks the section of sets; the stream is before it.
    pub(in crate::segment) fn sets(
        &mut self,
        segment: &Segment,
        head: &PayloadHead,
        stream: &mut Stream<'_>,
    ) -> Result<(), Error> {
        let rows = segment.count();
        let mut set = |read: Read, words: &mut Vec<u64>| {
            let bytes = stream.get(read.extent)?;
            segment.check(read, bytes)?;
            head.add_set(SetRef::At(read), bytes, words)
        };
        for (field, seen) in head.fields.iter().zip(&mut self.fields).filter(|(field, _)| field.bytes[2] > 0)
        {
            for (read, count) in std::mem::take(&mut seen.sets) {
                if set(read, seen.rows.words(rows)?)? != count as usize {
                    return Err(wrong(TERMS_NAME, field, "a term has another number of rows than its set"));
                }
            }
            if let IndexHead::Sorted(sorted) = &field.index {
                for bucket in sorted.buckets() {
                    let mut words = RowSet::no_words(rows)?;
                    set(bucket, &mut words)?;
                    seen.buckets.push(digest(&words));
                }
            }
            if let Some(read) = field.present() {
                let mut words = RowSet::no_words(rows)?;
                if set(read, &mut words)? != field.rows as usize {
                    return Err(wrong(NAME, field, "its set of rows has another number of them"));
                }
                seen.present = Some(digest(&words));
            }
            if let IndexHead::Terms(_) = &field.index {
                let words = std::mem::take(seen.rows.words(rows)?);
                seen.compare(field, &words)?;
            }
        }
        Ok(())
    }

    /// Checks the section of sorted blocks; the stream is before it.
    pub(in crate::segment) fn sorted(
        &mut self,
        segment: &Segment,
        head: &PayloadHead,
        stream: &mut Stream<'_>,
    ) -> Result<(), Error> {
        for (field, seen) in head.fields.iter().zip(&mut self.fields).filter(|(field, _)| field.bytes[3] > 0)
        {
            let words = match &field.index {
                IndexHead::Sorted(sorted) => seen.read_keys(field, sorted, segment, stream)?,
                IndexHead::Geo(geo) => read_points(geo, segment, stream)?,
                IndexHead::Terms(_) | IndexHead::None => continue,
            };
            seen.compare(field, &words)?;
        }
        Ok(())
    }
}

impl Seen {
    /// Checks block `number` of terms.
    fn read_terms(
        &mut self,
        head: &TermsHead,
        number: usize,
        bytes: &[u8],
        rows: usize,
    ) -> Result<(), Error> {
        let mut reader = head.each(bytes);
        let (least, below) = (head.separator(number), number + 1 < head.blocks());
        while let Some(term) = reader.read()? {
            let text = term.text.as_bytes();
            if text < least || (below && text >= head.separator(number + 1)) {
                return Err(Error::corrupt(TERMS_NAME, "a term stands in another block than its own"));
            }
            self.terms = self.terms.saturating_add(1);
            self.values = self.values.saturating_add(u64::from(term.count));
            match term.set {
                SetRef::Inline(set) => self.rows.add(set, rows)?,
                SetRef::At(read) => self.sets.push((read, term.count)),
            }
        }
        Ok(())
    }

    /// After the last block of terms of a field.
    fn end_terms(&mut self, field: &PayloadField, head: &TermsHead, rows: usize) -> Result<(), Error> {
        if self.terms != head.terms || self.values != field.values {
            return Err(wrong(TERMS_NAME, field, "another number of terms or values than the head says"));
        }
        let mut next = head.places.start;
        for (read, _) in &self.sets {
            let at = read.extent.offset - head.sets_offset();
            if at != next {
                return Err(wrong(TERMS_NAME, field, "its sets do not follow one another"));
            }
            next = at + read.extent.length;
        }
        if next != head.places.end {
            return Err(wrong(TERMS_NAME, field, "a set is of none of its terms"));
        }
        if field.bytes[2] > 0 {
            return Ok(());
        }
        let words = std::mem::take(self.rows.words(rows)?);
        self.compare(field, &words)
    }

    /// Checks the blocks of keys; returns the rows in them.
    fn read_keys(
        &self,
        field: &PayloadField,
        head: &SortedHead,
        segment: &Segment,
        stream: &mut Stream<'_>,
    ) -> Result<Vec<u64>, Error> {
        let rows = segment.count();
        let (mut all, mut words) = (RowSet::no_words(rows)?, RowSet::no_words(rows)?);
        let (mut before, mut buckets) = (None, self.buckets.iter());
        for number in 0..head.blocks() {
            let Some(read) = head.block(number) else { continue };
            let bytes = stream.get(read.extent)?;
            segment.check(read, bytes)?;
            let (mut first, mut rises) = (None, true);
            head.decode(number, bytes)?.each(&mut |key, position| {
                first = first.or(Some(key));
                rises &= before < Some((key, position));
                before = Some((key, position));
                words[position as usize / 64] |= 1 << (position % 64);
            })?;
            if !rises || first != head.keys(number).map(|keys| keys.0) {
                return Err(wrong(SORTED_NAME, field, "a block does not begin with its key"));
            }
            if head.ends_bucket(number) {
                if buckets.next().is_some_and(|&bucket| bucket != digest(&words)) {
                    return Err(wrong(SORTED_NAME, field, "the set of a bucket is not that of its rows"));
                }
                all.iter_mut().zip(&mut words).for_each(|(all, word)| *all |= std::mem::take(word));
            }
        }
        let last = head.blocks().checked_sub(1).and_then(|number| head.keys(number));
        match before.map(|pair| pair.0) == last.map(|keys| keys.1) {
            true => Ok(all),
            false => Err(wrong(SORTED_NAME, field, "its greatest key is another than the head says")),
        }
    }

    /// Compares the rows that were found with those that have a value.
    fn compare(&self, field: &PayloadField, words: &[u64]) -> Result<(), Error> {
        let count: u64 = words.iter().map(|word| u64::from(word.count_ones())).sum();
        let same = count == u64::from(field.rows);
        match same && self.present.is_none_or(|present| present == digest(words)) {
            true => Ok(()),
            false => Err(wrong(NAME, field, "its values are of other rows than those that have one")),
        }
    }
}

/// Checks the blocks of points; returns the rows in them.
fn read_points(head: &GeoHead, segment: &Segment, stream: &mut Stream<'_>) -> Result<Vec<u64>, Error> {
    let mut words = RowSet::no_words(segment.count())?;
    for number in 0..head.blocks() {
        let Some(read) = head.block(number) else { continue };
        let bytes = stream.get(read.extent)?;
        segment.check(read, bytes)?;
        head.decode(number, bytes)?.each(&mut |_, position| {
            words[position as usize / 64] |= 1 << (position % 64);
        })?;
    }
    Ok(words)
}

/// Tells sets of rows apart.
fn digest(words: &[u64]) -> u64 {
    words.iter().fold(0, |digest, &word| hash(digest ^ word))
}

fn wrong(section: &'static str, field: &PayloadField, detail: &str) -> Error {
    Error::corrupt(section, format!("{:?}: {detail}", field.name))
}
