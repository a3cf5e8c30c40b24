//! Position -> id, and back by a binary search over the positions in the order of their ids.
//!
//! Numbers: packed (`packed.rs`). Text: count + 1 offsets (u32) into the UTF-8 bytes that follow.

use std::cmp::Ordering;

use super::packed::{self, Packed};
use crate::error::Error;
use crate::id::{Id, Ids};

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
            Kind::Texts(bytes) => {
                let text = std::str::from_utf8(self.text(bytes, position)?);
                let text = text.map_err(|_| Error::corrupt(SECTION, "an id is not UTF-8"))?;
                Ok(Id::Text(text.to_owned()))
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

    fn compare(&self, position: u32, id: &Id) -> Result<Ordering, Error> {
        Ok(match (id, self.kind) {
            (Id::Number(n), Kind::Numbers(numbers)) => self.number(numbers, position)?.cmp(n),
            (Id::Text(t), Kind::Texts(bytes)) => self.text(bytes, position)?.cmp(t.as_bytes()),
            // Numbers stand before texts, as in `Id`.
            (Id::Number(_), Kind::Texts(_)) => Ordering::Greater,
            (Id::Text(_), Kind::Numbers(_)) => Ordering::Less,
        })
    }
}

/// Ids and their order: who has this id?
pub(crate) struct Lookup<'a> {
    pub(crate) ids: IdView<'a>,
    /// The IdOrder section.
    pub(crate) order: &'a [u8],
}

impl Lookup<'_> {
    pub(crate) fn position_at(&self, rank: usize) -> Result<u32, Error> {
        let position = u32_at(self.order, rank * 4)?;
        match (position as usize) < self.ids.count {
            true => Ok(position),
            false => Err(Error::corrupt("id order", "a position beyond the last row")),
        }
    }

    pub(crate) fn find(&self, id: &Id) -> Result<Option<u32>, Error> {
        let (mut low, mut high) = (0, self.ids.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let position = self.position_at(middle)?;
            match self.ids.compare(position, id)? {
                Ordering::Equal => return Ok(Some(position)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let found = bytes.get(at..).and_then(|b| b.first_chunk());
    found.map(|b| u32::from_le_bytes(*b)).ok_or_else(|| Error::corrupt(SECTION, "the section ends too early"))
}
