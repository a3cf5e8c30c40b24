//! Every field of a file, by what it means: what somebody who means harm would change. Sums are none of them, as they
//! are made right again.

use super::format::{self, CELLS, CODES, EXACT, GRAPH, IDS, LISTS, ROWS, Section, TABLE, header_end, u32_at};
use super::{clusters, indexes, stored};
use std::ops::Range;

/// What the bits of a field say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    /// A count, a position, an offset, a length, a width.
    Number,
    /// f32 of 32 bits, bf16 of 16.
    Float,
    /// Anything.
    Bits,
}

/// Bits `at..at + width` of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) width: usize,
    pub(crate) meaning: Meaning,
}

/// Fields of one part of the file, and its units: runs of bytes of which one may take another's place.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
    pub(crate) units: Vec<Range<usize>>,
}

impl Part {
    fn new(name: &'static str) -> Self {
        Part { name, fields: Vec::new(), units: Vec::new() }
    }

    /// `count` fields of `width` bits from byte `at` on.
    fn add(&mut self, at: usize, width: usize, count: usize, meaning: Meaning) {
        let field = |i: usize| Field { at: at * 8 + i * width, width, meaning };
        self.fields.extend((0..count).map(field));
    }

    fn units(mut self, at: usize, stride: usize, count: usize) -> Self {
        self.units.extend((0..count).map(|i| at + i * stride..at + (i + 1) * stride));
        self
    }
}

use Meaning::{Bits, Float, Number};

/// Of a file that is right.
pub(crate) fn parts(file: &[u8]) -> Vec<Part> {
    let mut parts = vec![header(file), table(file)];
    for s in format::sections(file).iter().filter(|s| s.length > 0) {
        match s.kind {
            1 | 2 | 4 | 6 => {
                let mut part = Part::new("parameters");
                part.add(s.offset, 32, s.length / 4, Float);
                parts.push(part);
            }
            CODES | ROWS | EXACT => parts.push(rows(file, s)),
            GRAPH => parts.extend(graph(file, s)),
            IDS => parts.push(ids("ids", file, s.offset..s.offset + s.length, u32_at(file, 56) as usize)),
            21 => {
                let mut part = Part::new("id order");
                part.add(s.offset, 32, s.length / 4, Number);
                parts.push(part.units(s.offset, 4, s.length / 4));
            }
            CELLS => parts.extend(cells(file)),
            LISTS => parts.extend(leaves_and_lists(file)),
            stored::DIRECTORY => parts.push(field_directory(s)),
            stored::FIELDS => parts.extend(stored_fields(file)),
            indexes::PAYLOAD => parts.push(bytes("payload", s)),
            indexes::SORTED => parts.extend(index_units(file)),
            _ => {}
        }
    }
    parts.retain(|part| !part.fields.is_empty());
    parts
}

fn header(file: &[u8]) -> Part {
    let mut part = Part::new("header");
    part.add(8, 32, 4, Number);
    part.add(24, 64, 2, Number);
    part.add(40, 32, 4, Bits);
    part.add(56, 32, 2, Number);
    part.add(64, 8, 4, Number);
    part.add(68, 32, 2, Number);
    part.add(76, 64, 1, Bits);
    part.add(84, 8, 2, Number);
    part.add(86, 16, 1, Number);
    part.add(88, 32, 2, Number);
    part.add(header_end(file), 64, 1, Bits);
    part
}

fn table(file: &[u8]) -> Part {
    let mut part = Part::new("section table");
    let end = header_end(file);
    for entry in (TABLE..end).step_by(format::ENTRY) {
        part.add(entry, 32, 2, Number);
        part.add(entry + 8, 64, 4, Number);
        part.units.push(entry..entry + format::ENTRY);
        part.units.push(entry + 4..entry + format::ENTRY);
    }
    part
}

/// Codes and rows: their bytes, and the four that may be a scale or a sum at any place.
fn rows(file: &[u8], s: &Section) -> Part {
    let count = (u32_at(file, 56) as usize).max(1);
    let stride = s.length / count;
    let mut part = Part::new("rows");
    for row in 0..count {
        let at = s.offset + row * stride;
        part.add(at, 8, stride, Bits);
        if stride >= 12 {
            part.add(at + stride - 12, 32, 3, Float);
        }
        if stride >= 8 {
            part.add(at + stride - 8, 32, 2, Number);
        }
    }
    part.units(s.offset, stride, count)
}

fn graph(file: &[u8], s: &Section) -> Vec<Part> {
    let (count, m) = (u32_at(file, 56) as usize, u32_at(file, 68) as usize);
    let word = |i: usize| u32_at(file, s.offset + i * 4) as usize;
    let (uppers, links) = (word(2), word(3));
    let mut head = Part::new("graph head");
    head.add(s.offset, 32, 16, Number);
    let mut upper = Part::new("upper layers");
    upper.add(s.offset + 64, 32, uppers * 2 + 1 + links, Number);
    let upper = upper.units(s.offset + 64 + (uppers * 2 + 1) * 4, m * 4, links / m.max(1));
    let Some(record) = format::record(count, m) else { return vec![head, upper] };
    let width = record * 8 / (2 * m);
    let base = s.offset + s.length - record * count;
    let mut links = Part::new("links");
    for node in 0..count {
        links.add(base + node * record, width, 2 * m, Number);
    }
    vec![head, upper, links.units(base, record, count)]
}

/// Numbers packed, or texts with their offsets. The header tells which.
fn ids(name: &'static str, file: &[u8], at: Range<usize>, count: usize) -> Part {
    let mut part = Part::new(name);
    if file[67] == 1 {
        part.add(at.start, 32, count + 1, Number);
        let texts = at.start + (count + 1) * 4;
        part.add(texts, 8, at.end - texts, Bits);
    } else {
        packed(&mut part, file, at.start, count);
    }
    part
}

fn packed(part: &mut Part, file: &[u8], at: usize, count: usize) {
    part.add(at, 64, 1, Number);
    part.add(at + 8, 8, 1, Number);
    part.add(at + 9, file[at + 8].max(1).into(), if file[at + 8] == 0 { 0 } else { count }, Number);
}

fn field_directory(s: &Section) -> Part {
    let mut part = Part::new("field directory");
    part.add(s.offset, 32, s.length / 4, Number);
    part
}

fn stored_fields(file: &[u8]) -> Vec<Part> {
    let (mut directories, mut blocks) = (Part::new("block directories"), Part::new("blocks of fields"));
    for group in stored::groups(file) {
        for block in &group.blocks {
            directories.add(block.entry, 16, 3, Number);
            directories.units.push(block.entry..block.entry + 10);
            blocks.add(block.bytes.start, 8, block.bytes.len(), Bits);
            blocks.add(block.bytes.start, 8, block.bytes.len().min(16), Number);
            blocks.units.push(block.bytes.clone());
        }
    }
    vec![directories, blocks]
}

/// Numbers of few bytes each, all of which mean something.
fn bytes(name: &'static str, s: &Section) -> Part {
    let mut part = Part::new(name);
    part.add(s.offset, 8, s.length, Number);
    part
}

fn index_units(file: &[u8]) -> Vec<Part> {
    let mut part = Part::new("units of indexes");
    for unit in indexes::units(file) {
        part.add(unit.bytes.start, 8, unit.bytes.len(), Bits);
        part.add(unit.bytes.start, 8, unit.bytes.len().min(16), Number);
        part.units.push(unit.bytes);
    }
    vec![part]
}

fn cells(file: &[u8]) -> Vec<Part> {
    let Some(c) = clusters::cells(file) else { return Vec::new() };
    let mut head = Part::new("cells");
    head.add(c.at, 32, 6, Number);
    head.add(c.at + clusters::SHARES, 32, 2, Float);
    head.add(c.at + clusters::SHARES + 8, 32, 4, Number);
    for width in 0..clusters::WIDTHS {
        let at = c.at + clusters::CURVES + width * clusters::WIDTH;
        head.add(at, 32, 5, Number);
        head.add(at + 20, 32, 2, Float);
    }
    let mut table = Part::new("places of cells");
    table.add(c.at + clusters::OFFSETS, 64, c.count + 1, Number);
    table.add(c.first, 32, 2 * (c.count + 1), Number);
    table.add(c.spreads, 32, c.count, Float);
    let section = format::section(file, CELLS);
    let mut codes = Part::new("codes of cells");
    codes.add(c.codes, 8, section.offset + section.length - c.codes, Bits);
    for cell in 0..c.count {
        codes.add(c.codes + (cell + 1) * c.centroid - 4, 32, 1, Float);
    }
    vec![head, table.units(c.first, 4, 2 * (c.count + 1)), codes.units(c.codes, c.centroid, c.count)]
}

fn leaves_and_lists(file: &[u8]) -> Vec<Part> {
    let Some(c) = clusters::cells(file) else { return Vec::new() };
    let [mut leaves, mut spilled, mut centres, mut codes, mut positions, mut names] =
        ["leaves", "spilled", "centres of lists", "codes of lists", "positions of lists", "ids of lists"]
            .map(Part::new);
    for block in clusters::blocks(file) {
        let count = block.leaves.len();
        let labels = block.bytes.start + 8 + count * 8;
        let starts = labels + count * 6;
        leaves.add(block.bytes.start, 64, 1, Number);
        leaves.add(labels, 32, count, Number);
        spilled.add(labels + count * 4, 16, count, Number);
        leaves.add(starts, 32, count + 1, Number);
        leaves.add(starts + (count + 1) * 4, 16, count, Float);
        leaves.add(block.bytes.end - count * c.stride, 8, count * c.stride, Bits);
        leaves.units.push(block.bytes.clone());
        for leaf in &block.leaves {
            spilled.units.push(leaf.list.clone());
            let Some(list) = clusters::list(file, leaf, &c) else { continue };
            for code in list.centre.clone().step_by(c.centroid) {
                centres.add(code, 8, c.centroid, Bits);
                centres.add(code + c.centroid - 4, 32, 1, Float);
                centres.units.push(code..code + c.centroid);
            }
            let rows = leaf.rows.len() + leaf.spilled;
            for code in 0..rows {
                let at = list.codes.start + code * c.stride;
                codes.add(at, 8, c.stride - 4, Bits);
                codes.add(at + c.stride - 4, 16, 2, Float);
                codes.units.push(at..at + c.stride);
            }
            packed(&mut positions, file, list.positions.start, leaf.spilled);
            let of_list = ids("ids of lists", file, list.ids, rows);
            names.fields.extend(of_list.fields);
        }
    }
    vec![leaves, spilled, centres, codes, positions, names]
}
