//! FORMAT.md read a second time: where the fields are, and how to make a changed file's checksums right again, which
//! is what somebody who means harm does.

use xxhash_rust::xxh3::xxh3_64_with_seed;

pub(crate) const TABLE: usize = 96;
pub(crate) const ENTRY: usize = 40;
pub(crate) const SUMS: u32 = 3;
pub(crate) const CELLS: u32 = 5;
pub(crate) const CODES: u32 = 16;
pub(crate) const ROWS: u32 = 17;
pub(crate) const ROW_SUMS: u32 = 18;
pub(crate) const GRAPH: u32 = 19;
pub(crate) const IDS: u32 = 20;
pub(crate) const LEAVES: u32 = 22;
pub(crate) const LISTS: u32 = 23;
pub(crate) const NODE_SUMS: u32 = 24;
pub(crate) const EXACT: u32 = 25;
pub(crate) const EXACT_SUMS: u32 = 26;

/// One line of the section table, as it stands in the file, right or wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// Where its entry stands.
    pub(crate) entry: usize,
    pub(crate) kind: u32,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) grain: usize,
    pub(crate) sum: u64,
}

pub(crate) fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"))
}

pub(crate) fn u64_at(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(file[at..at + 8].try_into().expect("eight bytes"))
}

pub(crate) fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Where the header's checksum stands.
pub(crate) fn header_end(file: &[u8]) -> usize {
    TABLE + (u32_at(file, 20) as usize).min(64) * ENTRY
}

pub(crate) fn sections(file: &[u8]) -> Vec<Section> {
    let read = |entry: usize| Section {
        entry,
        kind: u32_at(file, entry),
        offset: u64_at(file, entry + 8) as usize,
        length: u64_at(file, entry + 16) as usize,
        grain: u64_at(file, entry + 24) as usize,
        sum: u64_at(file, entry + 32),
    };
    let end = header_end(file).min(file.len().saturating_sub(ENTRY));
    (TABLE..end).step_by(ENTRY).map(read).collect()
}

/// The section of a kind that is there.
pub(crate) fn section(file: &[u8], kind: u32) -> Section {
    sections(file).into_iter().find(|s| s.kind == kind).expect("the section is there")
}

pub(crate) fn has(file: &[u8], kind: u32) -> bool {
    sections(file).iter().any(|s| s.kind == kind)
}

fn seed(file: &[u8]) -> u64 {
    xxh3_64_with_seed(&file[40..56], 0)
}

fn sum_at(seed: u64, offset: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, seed.wrapping_add(offset.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// Recomputes the sum of the header alone.
pub(crate) fn seal_header(file: &mut [u8]) {
    let end = header_end(file);
    if end + 8 <= file.len() {
        let sum = sum_at(0, 0, &file[..end]);
        put(file, end, &sum.to_le_bytes());
    }
}

/// Recomputes every sum: rows' own, blocks', the table of sums', the header's. What lies outside the file is left.
pub(crate) fn seal(file: &mut [u8]) {
    seal_rows(file, ROWS, ROW_SUMS);
    seal_rows(file, EXACT, EXACT_SUMS);
    seal_nodes(file);
    let seed = seed(file);
    let all = sections(file);
    let table = all.iter().find(|s| s.kind == SUMS).copied();
    let inside = |s: &&Section| s.offset.checked_add(s.length).is_some_and(|end| end <= file.len());
    let sound: Vec<Section> =
        all.iter().filter(|s| s.kind != SUMS).filter(inside).chain(&table).copied().collect();
    for s in sound {
        let bytes = file.get(s.offset..s.offset.saturating_add(s.length)).unwrap_or_default().to_vec();
        let sums: Vec<u64> = bytes
            .chunks(s.grain.max(1))
            .enumerate()
            .map(|(i, block)| sum_at(seed, (s.offset + i * s.grain.max(1)) as u64, block))
            .collect();
        if let [] | [_] = sums.as_slice() {
            let one = sums.first().copied().unwrap_or_else(|| sum_at(seed, s.offset as u64, &[]));
            put(file, s.entry + 32, &one.to_le_bytes());
            continue;
        }
        let Some(table) = table else { continue };
        for (i, sum) in sums.iter().enumerate() {
            let place = (s.sum as usize).saturating_add(i).saturating_mul(8);
            let at = table.offset.saturating_add(place);
            if place < table.length && at.saturating_add(8) <= file.len() {
                put(file, at, &sum.to_le_bytes());
            }
        }
    }
    seal_header(file);
}

fn seal_rows(file: &mut [u8], rows: u32, sums: u32) {
    if !has(file, rows) || !has(file, sums) {
        return;
    }
    let (rows, sums, seed) = (section(file, rows), section(file, sums), seed(file));
    let Some(stride) = rows.length.checked_div(u32_at(file, 56) as usize).filter(|&s| s > 0) else { return };
    let end = rows.offset.saturating_add(rows.length);
    for (i, at) in (rows.offset..end).step_by(stride).enumerate() {
        let place = sums.offset.saturating_add(i * 4);
        if at + stride > file.len() || place.saturating_add(4) > file.len() {
            break;
        }
        let sum = sum_at(seed, !(i as u64), &file[at..at + stride]) as u32;
        put(file, place, &sum.to_le_bytes());
    }
}

/// Of each node its code, and its links in layer 0, which are the last of the graph.
fn seal_nodes(file: &mut [u8]) {
    if ![CODES, GRAPH, NODE_SUMS].iter().all(|&kind| has(file, kind)) {
        return;
    }
    let [codes, graph, sums] = [CODES, GRAPH, NODE_SUMS].map(|kind| section(file, kind));
    let (count, m, seed) = (u32_at(file, 56) as usize, u32_at(file, 68) as usize, seed(file));
    let Some(stride) = codes.length.checked_div(count).filter(|&s| s > 0) else { return };
    let Some(base) = m.checked_mul(8 * count).and_then(|links| graph.length.checked_sub(links)) else {
        return;
    };
    for node in 0..count {
        let parts = [
            (codes.offset.saturating_add(node * stride), stride, seed),
            (graph.offset.saturating_add(base + node * 8 * m), 8 * m, seed ^ 0x4C49_4E4B),
        ];
        for (part, (at, length, seed)) in parts.into_iter().enumerate() {
            let place = sums.offset.saturating_add(node * 8 + part * 4);
            let Some(bytes) = file.get(at..at.saturating_add(length)) else { return };
            let sum = sum_at(seed, !(node as u64), bytes) as u32;
            if place.saturating_add(4) <= file.len() {
                put(file, place, &sum.to_le_bytes());
            }
        }
    }
}
