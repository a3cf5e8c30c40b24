//! Position -> id, and back by hashes.
//!
//! Numbers: packed (`packed.rs`). Text: count + 1 offsets (u32) into the UTF-8 bytes that follow.
//!
//! The id order holds each row's hash and position in the order of hashes. Hashes are spread evenly, so the place of one
//! is known to within a few times the root of their number: an id is found in a few blocks, whatever ids look like.

use std::ops::Range;

use super::packed::{self, One, Packed};
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::storage::{Extent, Source, checksum};

const SECTION: &str = "ids";

/// Refuses ids that are too long, too large, or there twice; returns the rows in the order of their ids.
pub(crate) fn check_ids(ids: &Ids, count: usize) -> Result<Vec<u32>, Error> {
    if ids.len() != count {
        return Err(Error::argument("ids", format!("{} ids for {count} rows: give one each", ids.len())));
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    match ids {
        Ids::Numbers(numbers) => {
            if let Some(n) = numbers.iter().find(|&&n| n > Ids::MAX_NUMBER) {
                return Err(Error::argument(
                    "ids",
                    format!("{n} is above 2^53 - 1, the largest number JS holds exactly"),
                ));
            }
            order.sort_unstable_by_key(|&r| numbers[r as usize]);
        }
        Ids::Texts(texts) => {
            if let Some(row) = texts.iter().position(|t| t.len() > Ids::MAX_TEXT) {
                return Err(Error::argument(
                    "ids",
                    format!("the id of row {row} is longer than {} bytes", Ids::MAX_TEXT),
                ));
            }
            if texts.iter().map(|t| t.len() as u64).sum::<u64>() > u64::from(u32::MAX) {
                return Err(Error::argument("ids", "all ids together are longer than 4 GiB: use numbers"));
            }
            order.sort_unstable_by(|&a, &b| texts[a as usize].cmp(&texts[b as usize]));
        }
    }
    let same = |a: u32, b: u32| match ids {
        Ids::Numbers(n) => n[a as usize] == n[b as usize],
        Ids::Texts(t) => t[a as usize] == t[b as usize],
    };
    match order.windows(2).find(|w| same(w[0], w[1])) {
        Some(twice) => Err(Error::DuplicateId { id: id_of(ids, twice[0]).to_string() }),
        None => Ok(order),
    }
}

fn id_of(ids: &Ids, row: u32) -> Id {
    match ids {
        Ids::Numbers(n) => Id::Number(n[row as usize]),
        Ids::Texts(t) => Id::Text(t[row as usize].clone()),
    }
}

/// The ids of rows in the order `rows`.
pub(crate) fn encode(ids: &Ids, rows: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    match ids {
        Ids::Numbers(numbers) => packed::encode(rows.iter().map(|&row| numbers[row as usize]), &mut out),
        Ids::Texts(texts) => {
            let mut end = 0u32;
            out.extend(end.to_le_bytes());
            for &row in rows {
                end += texts[row as usize].len() as u32;
                out.extend(end.to_le_bytes());
            }
            rows.iter().for_each(|&row| out.extend(texts[row as usize].as_bytes()));
        }
    }
    out
}

/// The ids of some rows in place.
#[derive(Clone, Copy)]
pub(crate) struct IdView<'a> {
    count: usize,
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

    /// The id without what it lies in: the bytes of a text are added to `texts`.
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

/// Beside the file's seed, for hashes of ids.
const HASH: u64 = 0x4944_4F52;
/// Bytes of an entry of the id order: the hash of an id, the position of its row.
const ENTRY: u64 = 8;

/// The hash by which an id is looked up.
fn hash(file_seed: u64, id: &Id) -> u32 {
    let seed = file_seed ^ HASH;
    match id {
        Id::Number(number) => checksum::sum_at(seed, 0, &number.to_le_bytes()) as u32,
        Id::Text(text) => checksum::sum_at(seed, 0, text.as_bytes()) as u32,
    }
}

/// An id that [`IdView::copy`] took from what it lay in.
#[derive(Clone)]
pub(crate) enum IdBytes {
    Number(u64),
    /// Where its bytes are.
    Text(Range<usize>),
}

impl IdBytes {
    /// The id; `texts` is what its bytes were added to.
    pub(crate) fn id(&self, texts: &[u8]) -> Result<Id, Error> {
        match self {
            IdBytes::Number(number) => Ok(Id::Number(*number)),
            IdBytes::Text(range) => text_id(texts.get(range.clone()).unwrap_or_default()),
        }
    }
}

/// The id order of `ids`, whose rows stand in the file in the order `rows`. `by_id` are the rows in order of their ids:
/// so equal hashes stand in order of the ids.
pub(crate) fn encode_order(ids: &Ids, by_id: &[u32], rows: &[u32], file_seed: u64) -> Vec<u8> {
    let mut position = vec![0u32; rows.len()];
    rows.iter().zip(0..).for_each(|(&row, p)| position[row as usize] = p);
    let entry = |&row: &u32| (hash(file_seed, &id_of(ids, row)), position[row as usize]);
    let mut entries: Vec<(u32, u32)> = by_id.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.0);
    entries.iter().flat_map(|&(hash, position)| [hash, position]).flat_map(u32::to_le_bytes).collect()
}

/// The id order, here as a whole.
pub(crate) struct IdOrder<'a>(pub(crate) &'a [u8]);

impl IdOrder<'_> {
    fn entry(&self, rank: usize) -> Result<(u32, u32), Error> {
        let at = rank.saturating_mul(ENTRY as usize);
        Ok((u32_at(self.0, at)?, u32_at(self.0, at.saturating_add(4))?))
    }

    /// The ranks of a hash among the first `count` entries.
    fn run(&self, hash: u32, count: usize) -> Result<Range<usize>, Error> {
        let first = |enough: &dyn Fn(u32) -> bool| {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                if enough(self.entry(middle)?.0) { high = middle } else { low = middle + 1 }
            }
            Ok(low)
        };
        let start = first(&|stored| stored >= hash)?;
        Ok(start..first(&|stored| stored > hash)?.max(start))
    }

    /// Every id of the file has its entry, and none is there twice: entries rise by hash and id.
    pub(crate) fn verify(&self, ids: &IdView<'_>, file_seed: u64) -> Result<(), Error> {
        let mut before = None;
        for rank in 0..ids.count {
            let (stored, position) = self.entry(rank)?;
            if position as usize >= ids.count {
                return Err(Error::corrupt("id order", "a position beyond the last row"));
            }
            let id = ids.id(position)?;
            if stored != hash(file_seed, &id) {
                return Err(Error::corrupt("id order", format!("{id} has another hash")));
            }
            let entry = Some((stored, id));
            if before >= entry {
                let id = entry.map(|e| e.1.to_string()).unwrap_or_default();
                return Err(Error::corrupt("id order", format!("{id} is out of order or there twice")));
            }
            before = entry;
        }
        Ok(())
    }
}

/// What a lookup comes to: the outcome, or the extents that it needs and that are not here.
pub(crate) type Found<T> = Result<T, Vec<Extent>>;

/// Ids and their order in a file of which only parts may be here: who has this id?
pub(crate) struct Lookup<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) ids: Extent,
    pub(crate) order: Extent,
    pub(crate) count: usize,
    pub(crate) text: bool,
    pub(crate) file_seed: u64,
}

impl Lookup<'_> {
    /// The position of `id`, if a row has it.
    pub(crate) fn find(&self, id: &Id) -> Result<Found<Option<u32>>, Error> {
        if self.text != matches!(id, Id::Text(_)) || self.count == 0 {
            return Ok(Ok(None));
        }
        let positions = match self.positions(hash(self.file_seed, id))? {
            Ok(positions) => positions,
            Err(absent) => return Ok(Err(absent)),
        };
        let mut absent = Vec::new();
        for position in positions {
            match self.id(position)? {
                Ok(found) if found == *id => return Ok(Ok(Some(position))),
                Ok(_) => {}
                Err(needed) => absent.extend(needed),
            }
        }
        Ok(if absent.is_empty() { Ok(None) } else { Err(absent) })
    }

    /// The rows whose ids have this hash.
    fn positions(&self, hash: u32) -> Result<Found<Vec<u32>>, Error> {
        let count = self.count as u64;
        let place = (u64::from(hash) * count) >> 32;
        // Three standard deviations: one id of 400 lies outside.
        let mut around = (count.isqrt() * 3 / 2).max(1);
        loop {
            let (first, end) = (place.saturating_sub(around), place.saturating_add(around + 1).min(count));
            let window = Extent { offset: self.order.offset + first * ENTRY, length: (end - first) * ENTRY };
            let Some(bytes) = self.source.get(window) else { return Ok(Err(vec![window])) };
            let entries = IdOrder(bytes);
            let run = entries.run(hash, (end - first) as usize)?;
            let starts = run.start > 0 || first == 0;
            let ends = run.end < (end - first) as usize || end == count;
            if starts && ends {
                let position = |rank| match entries.entry(rank)?.1 {
                    position if u64::from(position) < count => Ok(position),
                    _ => Err(Error::corrupt("id order", "a position beyond the last row")),
                };
                return Ok(Ok(run.map(position).collect::<Result<_, _>>()?));
            }
            around = around.saturating_mul(4);
        }
    }

    /// The id of a row, from the parts of the ids that tell it.
    fn id(&self, position: u32) -> Result<Found<Id>, Error> {
        let part = |range: Range<u64>| -> Result<Found<&[u8]>, Error> {
            let length = range.end.saturating_sub(range.start);
            if range.end > self.ids.length || range.start > range.end {
                return Err(Error::corrupt(SECTION, "an id's bytes leave the section"));
            }
            let extent = Extent { offset: self.ids.offset + range.start, length };
            match length {
                0 => Ok(Ok(&[])),
                _ => Ok(self.source.get(extent).ok_or_else(|| vec![extent])),
            }
        };
        if !self.text {
            let head = match part(0..One::HEAD)? {
                Ok(head) => head,
                Err(absent) => return Ok(Err(absent)),
            };
            let one = One::of(head, position).ok_or_else(|| Error::corrupt(SECTION, "numbers too wide"))?;
            return match part(one.bytes())? {
                Ok(bytes) if one.number(bytes) <= Ids::MAX_NUMBER => Ok(Ok(Id::Number(one.number(bytes)))),
                Ok(_) => Err(Error::corrupt(SECTION, "a number above 2^53 - 1")),
                Err(absent) => Ok(Err(absent)),
            };
        }
        let at = u64::from(position) * 4;
        let offsets = match part(at..at + 8)? {
            Ok(offsets) => [u32_at(offsets, 0)?, u32_at(offsets, 4)?].map(u64::from),
            Err(absent) => return Ok(Err(absent)),
        };
        let base = (self.count as u64 + 1) * 4;
        match part(base + offsets[0]..base + offsets[1])? {
            Ok(text) => text_id(text).map(Ok),
            Err(absent) => Ok(Err(absent)),
        }
    }
}

fn text_id(bytes: &[u8]) -> Result<Id, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::corrupt(SECTION, "an id is not UTF-8"))?;
    Ok(Id::Text(text.to_owned()))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let found = bytes.get(at..).and_then(|b| b.first_chunk());
    found.map(|b| u32::from_le_bytes(*b)).ok_or_else(|| Error::corrupt(SECTION, "the section ends too early"))
}
