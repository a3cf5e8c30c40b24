//! Columns from maps; whole files with their indexes; queries as a search makes them.

use crate::error::Error;
use crate::hash::hash;
use crate::id::Ids;
use crate::metric::Metric;
use crate::payload::{Area, Column, FieldColumn, FieldKind, FieldType, Point};
use crate::quant::CodecKind;
use crate::row_set::RowSet;
use crate::segment::payload::encode::EncodedPayload;
use crate::segment::payload::geo::GeoHead;
use crate::segment::payload::{IndexHead, PayloadHead, SetRef, SortedHead, TermBlock, TermsHead, encode};
use crate::segment::{
    FieldSizes, Header, Parts, SectionKind, Segment, encode_ids, encode_order, file_seed, front_length, write,
};
use crate::storage::Read;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers that look random.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        hash(self.0)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

pub(super) fn field(name: &str, of: FieldType, column: Column) -> FieldColumn {
    FieldColumn { name: name.into(), kind: FieldKind::Indexed(of), column }
}

pub(super) fn terms(map: &BTreeMap<String, BTreeSet<u32>>) -> Column {
    let pairs = map.values().zip(0..).flat_map(|(rows, text)| rows.iter().map(move |&row| (text, row)));
    Column::Terms { texts: map.keys().map(|text| text.as_str().into()).collect(), rows: pairs.collect() }
}

pub(super) fn keys(map: &BTreeMap<u64, BTreeSet<u32>>) -> Column {
    Column::Keys(map.iter().flat_map(|(&key, rows)| rows.iter().map(move |&row| (key, row))).collect())
}

pub(super) const FILE_ID: [u8; 16] = *b"a file of a test";

/// A file of so many rows with these fields.
pub(super) fn file(fields: Vec<FieldColumn>, rows: usize) -> Vec<u8> {
    file_of(encode(fields, rows, file_seed(&FILE_ID)).unwrap(), rows)
}

/// A file of so many rows with these sections.
pub(super) fn file_of(payload: EncodedPayload, rows: usize) -> Vec<u8> {
    let seed = file_seed(&FILE_ID);
    let order: Vec<u32> = (0..rows as u32).collect();
    let ids = Ids::Numbers((0..rows as u64).collect());
    let header = Header {
        file_length: 0,
        front_length: 0,
        file_id: FILE_ID,
        count: rows,
        dim: 1,
        metric: Metric::Dot,
        stages: vec![CodecKind::F32],
        text_ids: false,
        m: 0,
        ef_construction: 0,
        seed: 0,
        fields: FieldSizes::default(),
        sections: Vec::new(),
    };
    let sections = vec![
        (SectionKind::CodeParameters, vec![Vec::new()]),
        (SectionKind::Codes, vec![vec![0; 4 * rows]]),
        (SectionKind::Ids, vec![encode_ids(&ids, &order)]),
        (SectionKind::IdOrder, vec![encode_order(&ids, &order, &order, seed)]),
        (SectionKind::Payload, vec![payload.head]),
        (SectionKind::Terms, payload.terms),
        (SectionKind::Sets, payload.sets),
        (SectionKind::Sorted, payload.sorted),
    ];
    let mut out = Vec::new();
    write(Parts { header, sections }, &mut out, &mut |_, _| ()).unwrap();
    out
}

/// A file that was opened.
pub(super) struct Opened<'a> {
    pub(super) file: &'a [u8],
    pub(super) segment: Segment,
    /// Whether units are compared with their checksums, as they are unless a file is mapped.
    pub(super) checked: bool,
}

impl<'a> Opened<'a> {
    pub(super) fn new(file: &'a [u8]) -> Result<Self, Error> {
        let length = file.len() as u64;
        let front = front_length(file, length)?;
        let segment = Segment::open(&file[..front as usize], length)?;
        Ok(Opened { file, segment, checked: true })
    }

    pub(super) fn verify(&self) -> Result<(), Error> {
        let mut read = |extent: crate::storage::Extent, into: &mut [u8]| {
            into.copy_from_slice(&self.file[extent.offset as usize..extent.end() as usize]);
            Ok(())
        };
        self.segment.verify(&mut read, false).map(drop)
    }

    pub(super) fn head(&self) -> &PayloadHead {
        self.segment.payload.as_ref().unwrap()
    }

    fn index(&self, name: &str) -> &IndexHead {
        &self.head().fields[self.head().field(name).unwrap()].index
    }

    pub(super) fn terms(&self, name: &str) -> &TermsHead {
        match self.index(name) {
            IndexHead::Terms(head) => head,
            _ => panic!("{name} has no terms"),
        }
    }

    pub(super) fn sorted(&self, name: &str) -> &SortedHead {
        match self.index(name) {
            IndexHead::Sorted(head) => head,
            _ => panic!("{name} has no keys"),
        }
    }

    pub(super) fn geo(&self, name: &str) -> &GeoHead {
        match self.index(name) {
            IndexHead::Geo(head) => head,
            _ => panic!("{name} has no points"),
        }
    }

    /// The bytes of a unit, compared with their checksum.
    pub(super) fn bytes(&self, read: Read) -> Result<&'a [u8], Error> {
        let bytes = &self.file[read.extent.offset as usize..read.extent.end() as usize];
        if self.checked {
            self.segment.check(read, bytes)?;
        }
        Ok(bytes)
    }

    pub(super) fn block(&self, terms: &'a TermsHead, number: usize) -> Result<&'a [u8], Error> {
        match terms.block(number) {
            TermBlock::Here(bytes) => Ok(bytes),
            TermBlock::At(read) => self.bytes(read),
        }
    }

    fn add(&self, set: SetRef<'_>, words: &mut [u64]) -> Result<(), Error> {
        let bytes = if let SetRef::At(read) = set { self.bytes(read)? } else { &[] };
        self.head().add_set(set, bytes, words).map(drop)
    }

    fn words(&self) -> Vec<u64> {
        RowSet::no_words(self.segment.count()).unwrap()
    }

    fn rows(&self, words: Vec<u64>) -> Vec<u32> {
        RowSet::of_words(words, self.segment.count()).unwrap().from(0).collect()
    }

    /// The rows that have a text, and their number.
    pub(super) fn term(&'a self, name: &str, text: &str) -> Result<Option<(u32, Vec<u32>)>, Error> {
        let terms = self.terms(name);
        let Some(block) = terms.block_of(text) else { return Ok(None) };
        let Some(term) = terms.find(self.block(terms, block)?, text)? else { return Ok(None) };
        let mut words = self.words();
        self.add(term.set, &mut words)?;
        Ok(Some((term.count, self.rows(words))))
    }

    /// All texts with their rows.
    pub(super) fn all_terms(&'a self, name: &str) -> Result<BTreeMap<String, BTreeSet<u32>>, Error> {
        let (terms, mut all) = (self.terms(name), BTreeMap::new());
        for number in 0..terms.blocks() {
            let mut reader = terms.each(self.block(terms, number)?);
            while let Some(term) = reader.read()? {
                let (mut words, text) = (self.words(), term.text.to_owned());
                self.add(term.set, &mut words)?;
                all.insert(text, self.rows(words).into_iter().collect());
            }
        }
        Ok(all)
    }

    /// The rows that have a value.
    pub(super) fn present(&self, name: &str) -> Result<Vec<u64>, Error> {
        let field = &self.head().fields[self.head().field(name).unwrap()];
        let mut words = self.words();
        match field.present() {
            Some(read) => self.add(SetRef::At(read), &mut words)?,
            None if field.rows > 0 => words.fill(u64::MAX),
            None => {}
        }
        Ok(words)
    }

    /// The rows with a key in a range, and the bytes that were read.
    pub(super) fn range(&self, name: &str, low: u64, high: u64) -> Result<(Vec<u32>, u64), Error> {
        let (sorted, mut words) = (self.sorted(name), self.words());
        let plan = sorted.plan(low, high);
        let reads = plan.sets.iter().chain(plan.blocks.iter().map(|(_, read)| read));
        let bytes = reads.map(|read| read.extent.length).sum();
        for &read in &plan.sets {
            self.add(SetRef::At(read), &mut words)?;
        }
        for &(number, read) in &plan.blocks {
            sorted.decode(number, self.bytes(read)?)?.each(&mut |key, row| {
                if (low..=high).contains(&key) != plan.complement {
                    words[row as usize / 64] |= 1 << (row % 64);
                }
            })?;
        }
        if plan.complement {
            let present = self.present(name)?;
            words.iter_mut().zip(present).for_each(|(word, present)| *word = present & !*word);
        }
        Ok((self.rows(words), bytes))
    }

    /// All keys with their rows, in order.
    pub(super) fn pairs(&self, name: &str) -> Result<Vec<(u64, u32)>, Error> {
        let (sorted, mut all) = (self.sorted(name), Vec::new());
        for number in 0..sorted.blocks() {
            let bytes = self.bytes(sorted.block(number).unwrap())?;
            sorted.decode(number, bytes)?.each(&mut |key, row| all.push((key, row)))?;
        }
        Ok(all)
    }

    /// The rows with a point in an area, and how many blocks were read.
    pub(super) fn area(&self, name: &str, area: &Area) -> Result<(Vec<u32>, usize), Error> {
        let (geo, mut words) = (self.geo(name), self.words());
        let plan = geo.plan(area);
        for &(number, read, whole) in &plan {
            geo.decode(number, self.bytes(read)?)?.each(&mut |point: Point, row| {
                if whole || area.contains(point) {
                    words[row as usize / 64] |= 1 << (row % 64);
                }
            })?;
        }
        Ok((self.rows(words), plan.len()))
    }
}
