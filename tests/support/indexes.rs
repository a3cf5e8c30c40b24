//! FORMAT.md, "Payload indexes", read a second time: fields, units and their sums, values with their positions.

use super::format::{self, put, sum_at};
use super::positions;
use pagevec::PositionSet;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(crate) const PAYLOAD: u32 = 7;
pub(crate) const TERMS: u32 = 28;
pub(crate) const SETS: u32 = 29;
pub(crate) const SORTED: u32 = 31;
/// The sections of units, with the seeds of their sums.
const SECTIONS: [(u32, u64); 3] = [(TERMS, 0x5445_524D), (SETS, 0x5345_5455), (SORTED, 0x534F_5254)];

/// A field, as payload says.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) rows: u64,
    pub(crate) values: u64,
    pub(crate) present: Option<Unit>,
    pub(crate) index: Index,
}

pub(crate) enum Index {
    None,
    /// The block in the head, or the blocks in terms.
    Terms {
        here: Range<usize>,
        blocks: Vec<Unit>,
    },
    /// Pairs of a block, blocks with their first keys, sets of buckets.
    Keys {
        pairs: u64,
        blocks: Vec<(u64, Unit)>,
        buckets: Vec<Unit>,
    },
    /// Pairs of a block, blocks with their boxes.
    Points {
        pairs: u64,
        blocks: Vec<([i32; 4], Unit)>,
    },
}

/// A unit in the file, and where its sum stands.
#[derive(Clone)]
pub(crate) struct Unit {
    section: usize,
    pub(crate) bytes: Range<usize>,
    sum: usize,
}

/// A text of a block: its rows where it stands, or its set.
struct Term {
    text: Vec<u8>,
    set: Result<Vec<u32>, Unit>,
}

/// A reader of a part of the file.
struct Cursor<'a> {
    file: &'a [u8],
    at: Range<usize>,
}

impl Cursor<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.file[self.take(1)?.start];
            number |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<Range<usize>> {
        let end =
            self.at.start.checked_add(usize::try_from(length).ok()?).filter(|&end| end <= self.at.end)?;
        let taken = self.at.start..end;
        self.at.start = end;
        Some(taken)
    }

    fn number(&mut self, bytes: u64) -> Option<u64> {
        let at = self.take(bytes)?;
        Some(self.file[at].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Length and sum of the unit that starts at `at`, which is moved behind it.
    fn unit(&mut self, section: usize, at: &mut usize) -> Option<Unit> {
        let length = usize::try_from(self.varint()?).ok()?;
        let sum = self.take(4)?.start;
        let end = at.checked_add(length).filter(|&end| end <= self.file.len())?;
        let bytes = *at..end;
        *at = end;
        Some(Unit { section, bytes, sum })
    }

    /// A text, after `last`.
    fn text(&mut self, last: &[u8]) -> Option<Vec<u8>> {
        let (shared, more) = (self.varint()?, self.varint()?);
        let mut text = last.get(..usize::try_from(shared).ok()?)?.to_vec();
        let rest = self.take(more)?;
        text.extend(&self.file[rest]);
        Some(text)
    }
}

fn range(file: &[u8], kind: u32) -> Range<usize> {
    let section = format::find(file, kind);
    let range = section.map_or(0..0, |s| s.offset..s.offset.saturating_add(s.length));
    if range.end <= file.len() { range } else { 0..0 }
}

/// The fields, as far as they can be read.
pub(crate) fn fields(file: &[u8]) -> Vec<Field> {
    let mut cursor = Cursor { file, at: range(file, PAYLOAD) };
    let mut ends = SECTIONS.map(|(kind, _)| range(file, kind).start);
    let mut fields = Vec::new();
    let count = cursor.varint().unwrap_or(0);
    // The longest units, which a reader that has all of the file does not need.
    for _ in 0..3 {
        cursor.varint();
    }
    for _ in 0..count {
        let Some(field) = field(&mut cursor, &mut ends) else { break };
        fields.push(field);
    }
    fields
}

fn field(cursor: &mut Cursor<'_>, [terms, sets, sorted]: &mut [usize; 3]) -> Option<Field> {
    let length = cursor.varint()?;
    let name = cursor.take(length)?;
    let name = String::from_utf8_lossy(&cursor.file[name]).into_owned();
    let (kind, _) = (cursor.number(1)? as u8, cursor.number(1)?);
    if kind == 0 {
        return Some(Field { name, kind, rows: 0, values: 0, present: None, index: Index::None });
    }
    let (rows, values, length) = (cursor.varint()?, cursor.varint()?, cursor.varint()?);
    let sets_end = sets.checked_add(usize::try_from(length).ok()?)?;
    let sets_end = Some(sets_end).filter(|&end| end <= cursor.file.len())?;
    let some = rows > 0 && rows < format::u32_at(cursor.file, 56).into();
    let present = if some {
        let mut unit = cursor.unit(1, &mut 0)?;
        unit.bytes = sets_end.checked_sub(unit.bytes.end)?..sets_end;
        Some(unit)
    } else {
        None
    };
    let index = match kind {
        1 | 4 => {
            let (_, count) = (cursor.varint()?, cursor.varint()?);
            let here = if count == 0 { cursor.varint()? } else { 0 };
            let here = cursor.take(here)?;
            let (mut blocks, mut last) = (Vec::new(), Vec::new());
            for _ in 0..count {
                last = cursor.text(&last)?;
                blocks.push(cursor.unit(0, terms)?);
            }
            Index::Terms { here, blocks }
        }
        2 | 3 | 5 => {
            let pairs = cursor.varint()?;
            let (mut blocks, mut buckets, mut key) = (Vec::new(), Vec::new(), 0);
            for number in 0..values.div_ceil(pairs.max(1)) {
                key = if number == 0 { cursor.number(8)? } else { cursor.varint()?.checked_add(key)? };
                blocks.push((key, cursor.unit(2, sorted)?));
            }
            if values > 0 {
                let (_, of_bucket) = (cursor.varint()?, cursor.varint()?);
                for _ in 0..(blocks.len() as u64)
                    .checked_div(of_bucket)
                    .map_or(0, |_| (blocks.len() as u64).div_ceil(of_bucket))
                {
                    buckets.push(cursor.unit(1, sets)?);
                }
            }
            Index::Keys { pairs, blocks, buckets }
        }
        _ => {
            let (pairs, mut blocks) = (cursor.varint()?, Vec::new());
            for _ in 0..values.div_ceil(pairs.max(1)) {
                let mut sides = [0; 4];
                for side in &mut sides {
                    *side = cursor.number(4)? as i32;
                }
                blocks.push((sides, cursor.unit(2, sorted)?));
            }
            Index::Points { pairs, blocks }
        }
    };
    *sets = sets_end;
    Some(Field { name, kind, rows, values, present, index })
}

/// The texts of a block.
fn terms(file: &[u8], block: Range<usize>) -> Vec<Term> {
    let (mut cursor, mut terms) = (Cursor { file, at: block }, Vec::new());
    let sets = range(file, SETS);
    let mut term = |last: &[u8]| {
        let text = cursor.text(last)?;
        let (_, inline) = (cursor.varint()?, cursor.varint()?);
        if inline == 0 {
            let mut at = sets.start.checked_add(usize::try_from(cursor.varint()?).ok()?)?;
            return Some(Term { text, set: Err(cursor.unit(1, &mut at)?) });
        }
        let (mut rest, mut rows, mut next) = (Cursor { file, at: cursor.take(inline)? }, Vec::new(), 0);
        while !rest.at.is_empty() {
            let row = rest.varint()?.checked_add(next)?;
            rows.push(u32::try_from(row).ok()?);
            next = row + 1;
        }
        Some(Term { text, set: Ok(rows) })
    };
    let mut last = Vec::new();
    while let Some(found) = term(&last) {
        last.clone_from(&found.text);
        terms.push(found);
    }
    terms
}

/// All units, those of sets first.
pub(crate) fn units(file: &[u8]) -> Vec<Unit> {
    let (mut sets, mut blocks) = (Vec::new(), Vec::new());
    for field in fields(file) {
        match field.index {
            Index::None => {}
            Index::Terms { here, blocks: own } => {
                let all = std::iter::once(here).chain(own.iter().map(|unit| unit.bytes.clone()));
                sets.extend(all.flat_map(|block| terms(file, block)).filter_map(|term| term.set.err()));
                blocks.extend(own);
            }
            Index::Keys { blocks: own, buckets, .. } => {
                sets.extend(buckets);
                blocks.extend(own.into_iter().map(|(_, unit)| unit));
            }
            Index::Points { blocks: own, .. } => blocks.extend(own.into_iter().map(|(_, unit)| unit)),
        }
        sets.extend(field.present);
    }
    sets.append(&mut blocks);
    sets
}

/// Makes the sums of units right again, those within sets too.
pub(crate) fn seal(file: &mut [u8], file_seed: u64) {
    if format::find(file, PAYLOAD).is_none() {
        return;
    }
    for unit in units(file) {
        let (kind, seed) = SECTIONS[unit.section];
        let at = unit.bytes.start.wrapping_sub(range(file, kind).start) as u64;
        if kind == SETS {
            positions::seal_at(&mut file[unit.bytes.clone()], file_seed, at);
        }
        let sum = sum_at(file_seed ^ seed, at, &file[unit.bytes.clone()]) as u32;
        put(file, unit.sum, &sum.to_le_bytes());
    }
}

/// Number `at` of those packed in `width` bits.
fn bits(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bit = |i: usize| u64::from(bytes[(at * width + i) / 8] >> ((at * width + i) % 8) & 1) << i;
    (0..width).map(bit).sum()
}

/// Packed numbers without their first two fields, and what follows them.
fn packed(bytes: &[u8], count: usize, width: usize) -> (Vec<u64>, &[u8]) {
    let (own, rest) = bytes.split_at((count * width).div_ceil(8));
    ((0..count).map(|at| bits(own, at, width)).collect(), rest)
}

/// Positions, with which a block ends.
fn positions_of(bytes: &[u8], count: usize) -> Vec<u32> {
    let least = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
    let (numbers, rest) = packed(&bytes[9..], count, bytes[8].into());
    assert!(rest.is_empty());
    numbers.into_iter().map(|number| (least + number) as u32).collect()
}

/// The values of a field, as text, with the positions that have them; of a file that is right.
pub(crate) fn values(file: &[u8], field: &Field) -> BTreeMap<String, BTreeSet<u32>> {
    let mut values: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut add = |value: String, position: u32| {
        assert!(values.entry(value).or_default().insert(position), "a pair twice");
    };
    match &field.index {
        Index::None => {}
        Index::Terms { here, blocks } => {
            let all = std::iter::once(here.clone()).chain(blocks.iter().map(|unit| unit.bytes.clone()));
            for term in all.flat_map(|block| terms(file, block)) {
                let text = String::from_utf8(term.text).expect("texts are UTF-8");
                let rows = term.set.unwrap_or_else(|unit| set(file, &unit));
                rows.into_iter().for_each(|row| add(text.clone(), row));
            }
        }
        Index::Keys { pairs, blocks, .. } => {
            for (number, (first, unit)) in blocks.iter().enumerate() {
                let count = (field.values - number as u64 * pairs).min(*pairs) as usize;
                let bytes = &file[unit.bytes.clone()];
                let (shift, width) = (bytes[0], usize::from(bytes[1]));
                let (low, rest) = packed(&bytes[2..], count, width.min(32));
                let (high, rest) = packed(rest, count, width - width.min(32));
                for (at, position) in positions_of(rest, count).into_iter().enumerate() {
                    let key = first + ((high[at] << 32 | low[at]) << shift);
                    let integer = (key ^ 1 << 63) as i64;
                    let float = if key >> 63 == 1 { key ^ 1 << 63 } else { !key };
                    let float = f64::from_bits(float);
                    add(if field.kind == 3 { float.to_string() } else { integer.to_string() }, position);
                }
            }
        }
        Index::Points { pairs, blocks } => {
            for (number, ([south, west, north, east], unit)) in blocks.iter().enumerate() {
                let count = (field.values - number as u64 * pairs).min(*pairs) as usize;
                let width = |least: i32, most: i32| (32 - most.abs_diff(least).leading_zeros()) as usize;
                let bytes = &file[unit.bytes.clone()];
                let (lats, rest) = packed(bytes, count, width(*south, *north));
                let (lons, rest) = packed(rest, count, width(*west, *east));
                for (at, position) in positions_of(rest, count).into_iter().enumerate() {
                    let [lat, lon] = [(south, lats[at]), (west, lons[at])]
                        .map(|(least, above)| i64::from(*least) + above as i64);
                    let earth = [900_000_000, 1_800_000_000];
                    assert!(lat.abs() <= earth[0] && (-earth[1]..earth[1]).contains(&lon));
                    add(format!("{lat}, {lon}"), position);
                }
            }
        }
    }
    values
}

/// The positions of a set.
pub(crate) fn set(file: &[u8], unit: &Unit) -> Vec<u32> {
    let offset = (unit.bytes.start - range(file, SETS).start) as u64;
    let id = file[40..56].try_into().expect("16 bytes");
    let rows = format::u32_at(file, 56) as usize;
    let set = PositionSet::decode(&file[unit.bytes.clone()], rows, id, offset).expect("a set that is right");
    set.iter().collect()
}
