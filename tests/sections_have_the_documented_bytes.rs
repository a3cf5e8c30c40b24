//! What FORMAT.md says of lengths is what `info` says and what the file holds.

mod support;

use pagevec::{CodecKind, Fields, Id, Index, Metric};
use support::{CODECS, METRICS, clusters, data, file, format, options, stored, texts};

fn stride(codec: CodecKind, dim: usize, metric: Metric) -> usize {
    match codec {
        CodecKind::F32 => 4 * dim,
        CodecKind::F16 => 2 * dim,
        CodecKind::Sq8 if metric == Metric::L2 => dim + 12,
        CodecKind::Sq8 => dim + 8,
        CodecKind::Binary => dim.div_ceil(8),
        CodecKind::Sq4 if metric == Metric::L2 => dim.div_ceil(2) + 8,
        CodecKind::Sq4 => dim.div_ceil(2) + 4,
        CodecKind::Pq(parts) => parts.into(),
    }
}

fn parameters(codec: CodecKind, dim: usize) -> usize {
    match codec {
        CodecKind::F32 | CodecKind::F16 => 0,
        CodecKind::Sq8 | CodecKind::Binary | CodecKind::Sq4 => 4 * dim,
        CodecKind::Pq(_) => (4 + 4 + 256) * dim + 4,
    }
}

fn length(index: &Index, name: &str) -> Option<u64> {
    index.info().sections.iter().find(|s| s.name == name).map(|s| s.length)
}

#[test]
fn codes_rows_and_parameters() {
    for n in [1, 37] {
        for dim in [1, 3, 7, 8, 65, 100] {
            let rows = data::clustered(n, dim, 31);
            for (metric, codec) in METRICS.into_iter().flat_map(|m| CODECS.map(|c| (m, c))) {
                // From the finest on; coarser rows than the codes are refused.
                let finest = [CodecKind::F32, CodecKind::F16, CodecKind::Sq8];
                let last = finest.iter().position(|&c| c == codec).map_or(3, |at| at + 1);
                for stored in finest[..last].iter().copied().map(Some).chain([None]) {
                    let options = options(metric, codec).refine(stored).m(2).ef_construction(8);
                    let bytes = file(&rows, dim, None, &options);
                    let index = Index::from_bytes(&bytes).unwrap();
                    index.verify().unwrap();
                    let info = index.info();
                    let finer = stored
                        .or(matches!(codec, CodecKind::Binary | CodecKind::Sq4 | CodecKind::Pq(_))
                            .then_some(CodecKind::Sq8))
                        .filter(|&r| r != codec);
                    assert_eq!((info.codec, info.refine), (codec, finer));
                    let bytes_of = |codec| (n * stride(codec, dim, metric)) as u64;
                    assert_eq!(length(&index, "codes"), Some(bytes_of(codec)), "{codec:?} {dim}");
                    assert_eq!(length(&index, "refine rows"), finer.map(bytes_of));
                    assert_eq!(length(&index, "refine checksums"), finer.map(|_| n as u64 * 4));
                    assert_eq!(length(&index, "code parameters"), Some(parameters(codec, dim) as u64));
                    assert_eq!(length(&index, "refine parameters"), finer.map(|r| parameters(r, dim) as u64));
                    assert_eq!(length(&index, "id order"), Some(n as u64 * 8));
                    assert_eq!(info.file_length, bytes.len() as u64);
                }
            }
        }
    }
}

#[test]
fn three_stages() {
    let (n, dim) = (37, 9);
    let rows = data::clustered(n, dim, 33);
    let [sq8, f16, f32] = [CodecKind::Sq8, CodecKind::F16, CodecKind::F32];
    for (codec, stored, exact, stages) in [
        (CodecKind::Pq(4), None, Some(f32), [CodecKind::Pq(4), sq8, f32]),
        (CodecKind::Binary, Some(f16), Some(f32), [CodecKind::Binary, f16, f32]),
        (CodecKind::Sq4, Some(sq8), Some(f16), [CodecKind::Sq4, sq8, f16]),
    ] {
        for metric in METRICS {
            let options = options(metric, codec).refine(stored).exact(exact).m(2);
            let index = Index::from_bytes(&file(&rows, dim, None, &options)).unwrap();
            index.verify().unwrap();
            let info = index.info();
            assert_eq!([Some(info.codec), info.refine, info.exact], stages.map(Some));
            for (codec, names) in stages.into_iter().zip([
                ["code parameters", "codes", "node checksums"],
                ["refine parameters", "refine rows", "refine checksums"],
                ["exact parameters", "exact rows", "exact checksums"],
            ]) {
                let bytes = [parameters(codec, dim), n * stride(codec, dim, metric)].map(|l| Some(l as u64));
                assert_eq!([length(&index, names[0]), length(&index, names[1])], bytes);
                assert_eq!(
                    length(&index, names[2]),
                    Some(n as u64 * if names[1] == "codes" { 8 } else { 4 })
                );
            }
        }
    }
    // Exact rows straight after the codes are their rows.
    let two = options(Metric::Dot, sq8).exact(f16);
    let info = Index::from_bytes(&file(&rows, dim, None, &two)).unwrap().info().clone();
    assert_eq!((info.codec, info.refine, info.exact), (sq8, Some(f16), None));
}

#[test]
fn ids_graph_and_front() {
    let (n, dim) = (300, 8);
    let rows = data::clustered(n, dim, 32);
    let plain = support::plain(Metric::Cosine, CodecKind::Sq8);
    let built = |ids| Index::from_bytes(&file(&rows, dim, ids, &plain)).unwrap();
    let narrow = built(None);
    assert_eq!(length(&narrow, "ids"), Some(9 + (n as u64 * 9).div_ceil(8)), "300 ids of 9 bits");
    let wide: Vec<u64> = (0..n as u64).map(|i| i << 40).collect();
    assert_eq!(
        length(&built(Some(pagevec::Ids::Numbers(wide))), "ids"),
        Some(9 + (n as u64 * 49).div_ceil(8))
    );
    let ids = texts(n);
    let pagevec::Ids::Texts(words) = &ids else { unreachable!() };
    let bytes: usize = words.iter().map(String::len).sum();
    assert_eq!(length(&built(Some(ids.clone())), "ids"), Some((4 * (n + 1) + bytes) as u64));

    // Every node has 2 M links of 9 bits; above layer 0 M of 4 bytes: one node in M is in layer 1, one in M² in layer 2.
    assert!((257..=512).contains(&n));
    let above = length(&narrow, "graph").unwrap() - 36 * n as u64;
    assert!(above.is_multiple_of(64) && (3..10).contains(&(above / n as u64)), "{above} bytes above layer 0");
    let front = narrow.info().memory_to_open;
    // The checksums of a node's code and of its links.
    assert_eq!(length(&narrow, "node checksums"), Some(8 * n as u64));
    // The header with 7 table entries and its sum; a mean of 8 f32, padded; no sums: every section is one block.
    assert_eq!(front, (96 + 40 * 7 + 8) + 64);
}

/// Per copy of a row in a list: its bits, two terms, the checksum of its finest row, its id bit by bit, and for one
/// spilled from another leaf its position; per list the codes of its leaf's centroid, and the heads of positions and ids.
#[test]
fn clusters() {
    for (n, dim) in [(1, 1), (40, 65), (1500, 24), (900, 200), (900, 300)] {
        let rows = data::clustered(n, dim, 33);
        for metric in METRICS {
            let bytes = file(&rows, dim, None, &options(metric, CodecKind::Sq8));
            let index = Index::from_bytes(&bytes).unwrap();
            index.verify().unwrap();
            let head = clusters::cells(&bytes).unwrap();
            let number = |at: usize| u64::from(format::u32_at(&bytes, head.at + at));
            let [cells, leaves, bits, centres] = [0, 4, 16, 20].map(number);
            // From the fewest bits that a dimension needs on to 4, then two codes of the centroid.
            let fewest = if dim > 256 { 1 } else { 4 / dim.div_ceil(128) as u64 };
            assert!(
                [(fewest, 1), (4, 1), (4, 2)].contains(&(bits, centres)),
                "{dim}: {bits} bits, {centres}"
            );
            let code = dim.div_ceil(8) as u64 * bits + 4;
            let centroid = dim as u64 + 4;
            let held = clusters::blocks(&bytes);
            let held = held.iter().flat_map(|block| &block.leaves);
            let spilled = held.map(|leaf| leaf.spilled as u64).sum::<u64>();
            let most = if leaves > 1 { n as u64 } else { 0 };
            assert!(spilled <= most && spilled * 10 >= most * 9, "{spilled} of {n} rows have a copy");
            let copies = n as u64 + spilled;
            let fixed = copies * (code + 4) + leaves * (9 + 9 + centres * centroid);
            let packed = (copies + spilled) * u64::from((n - 1).max(1).ilog2() + 1) / 8 + 2 * leaves;
            let lists = length(&index, "lists").unwrap();
            assert!((fixed..=fixed + packed).contains(&lists), "{lists}: {fixed} + at most {packed}");
            // Per leaf: the two sums of its list, the length of its labels, how many rows are spilled, a first row, a
            // spread, a centroid's code; and per cell where its lists start, and one first row more.
            let per_leaf = 8 + 4 + 2 + 4 + 2 + code;
            assert_eq!(length(&index, "leaves"), Some(leaves * per_leaf + cells * (8 + 4)));
            let per_cell = 8 + 8 + 4 + 4 + 4 + centroid;
            assert_eq!(length(&index, "cells"), Some(944 + 8 + 4 + 4 + cells * per_cell));
            assert_eq!(length(&index, "list parameters"), Some(4 * dim as u64));
        }
    }
}

/// Blocks of up to 4 KiB of lines, in groups of a power of two of rows; a longer row is alone. The header has the longest
/// of each.
#[test]
fn stored_fields() {
    let (n, dim) = (3000, 8);
    let rows = data::clustered(n, dim, 34);
    let line = |row: usize| match row % 50 {
        7 => String::new(),
        8 => format!("{{\"long\":\"{}\"}}", format!("{row} is long. ").repeat(600)),
        _ => format!("{{\"title\":\"row {row}\",\"even\":{}}}", row.is_multiple_of(2)),
    };
    let lines: Vec<String> = (0..n).map(line).collect();
    let options = options(Metric::Cosine, CodecKind::Sq8).fields(Fields::of(&lines));
    let bytes = file(&rows, dim, None, &options);
    let index = Index::from_bytes(&bytes).unwrap();
    index.verify().unwrap();
    let [directory, fields] = [stored::DIRECTORY, stored::FIELDS].map(|kind| format::section(&bytes, kind));
    assert_eq!(length(&index, "field directory"), Some(directory.length as u64));
    assert_eq!(length(&index, "fields"), Some(fields.length as u64));
    let number = |at: usize| format::u32_at(&bytes, directory.offset + at) as usize;
    let (groups, rows_of_group, dictionary) = (number(0), number(4), number(8));
    assert!(rows_of_group.is_power_of_two() && groups == n.div_ceil(rows_of_group));
    assert!((1..=16 << 10).contains(&dictionary) && number(12) == 0);
    assert_eq!(directory.length, 16 + 16 * groups + dictionary);
    let all = stored::groups(&bytes);
    let (mut next, mut longest) = (fields.offset, [0, 0]);
    for (number, group) in all.iter().enumerate() {
        assert_eq!(group.directory, next..next + 10 * group.blocks.len());
        next = group.directory.end;
        longest[0] = longest[0].max(group.directory.len());
        let mut row = number * rows_of_group;
        for block in &group.blocks {
            assert_eq!((block.rows.start, block.bytes.start), (row, next));
            (row, next) = (block.rows.end, block.bytes.end);
            assert!(block.raw <= 4 << 10 || block.rows.len() == 1, "{:?}: {} bytes", block.rows, block.raw);
            longest = [longest[0].max(block.bytes.len()), longest[1].max(block.raw)];
        }
        assert_eq!(row, n.min((number + 1) * rows_of_group));
    }
    assert_eq!((all.len(), next), (groups, fields.offset + fields.length));
    assert_eq!([88, 92].map(|at| format::u32_at(&bytes, at) as usize), longest);
    for (position, stored) in stored::lines(&bytes).iter().enumerate() {
        let row = (0..n).find(|&row| {
            index
                .find(&Id::Number(row as u64))
                .unwrap()
                .is_some_and(|place| place.position as usize == position)
        });
        assert_eq!(stored, &lines[row.unwrap()]);
        if position > 200 {
            break;
        }
    }
    // Without fields there are no such sections, and zeros in the header.
    let without = file(&rows, dim, None, &options.fields(None));
    assert!(without[88..96] == [0; 8] && !format::has(&without, stored::FIELDS));
}
