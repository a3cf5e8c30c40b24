//! `Index::rows_f32`: the rows as they lie in the mapping, without a copy; nothing where they are not f32 or not local.

mod support;

use pagevec::{BuildOptions, CodecKind, Form, Id, Index, Io, Metric, OpenOptions, PublishOptions, publish};
use support::{alloc, data, file};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const N: usize = 400;
const DIM: usize = 24;

fn quick(metric: Metric, codec: CodecKind) -> BuildOptions {
    BuildOptions::new(metric).codec(codec).graph(false).max_iterations(1)
}

/// Every way in which f32 rows are the finest.
fn with_f32(metric: Metric) -> [BuildOptions; 3] {
    let of = |codec| quick(metric, codec);
    [
        of(CodecKind::F32),
        of(CodecKind::Sq8).refine(CodecKind::F32),
        of(CodecKind::Binary).refine(CodecKind::F16).exact(CodecKind::F32),
    ]
}

#[test]
fn each_row_lies_at_its_position() {
    let rows = data::clustered(N, DIM, 91);
    for metric in support::METRICS {
        for options in with_f32(metric) {
            let index = Index::from_bytes(&file(&rows, DIM, None, &options)).unwrap();
            let stored = index.rows_f32(0).expect("f32 rows in memory");
            assert_eq!(stored.len(), N * DIM);
            for (row, given) in rows.chunks(DIM).enumerate() {
                let id = Id::Number(row as u64);
                assert!(index.has(&id).unwrap());
                let position = index.find(&id).unwrap().unwrap().position as usize;
                let seen = &stored[position * DIM..][..DIM];
                assert_eq!(seen, index.vector(&id).unwrap());
                if metric == Metric::Cosine {
                    let length = seen.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                    assert!((length - 1.0).abs() < 1e-6, "{length}");
                } else {
                    assert_eq!(seen, given, "as it was given");
                }
            }
            let nobody = Id::Number(N as u64);
            assert_eq!((index.find(&nobody).unwrap(), index.has(&nobody).unwrap()), (None, false));
        }
    }
}

#[test]
fn a_mapped_file_is_neither_copied_nor_allocated_for() {
    let folder = tempfile::tempdir().unwrap();
    let rows = data::clustered(N, DIM, 92);
    for options in with_f32(Metric::L2) {
        let path = publish(&folder, &file(&rows, DIM, None, &options), &PublishOptions::new()).unwrap();
        for place in [folder.path(), &path] {
            let index = Index::open(place).unwrap();
            let (stored, used) = alloc::used(|| index.rows_f32(0).expect("mapped f32 rows"));
            assert_eq!(used.times, 0, "{used:?}");
            let mapped = index.file().expect("a mapped file").as_ptr_range();
            let seen = stored.as_ptr_range();
            assert!(mapped.start <= seen.start.cast() && seen.end.cast() <= mapped.end);
            #[cfg(target_os = "linux")]
            assert_eq!(mapping_around(seen.start as usize), path.canonicalize().unwrap().to_string_lossy());
            assert_eq!(stored.len(), N * DIM);
        }
    }
}

/// The file whose mapping holds an address of this process.
#[cfg(target_os = "linux")]
fn mapping_around(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells the mappings");
    let bound = |text| usize::from_str_radix(text, 16).expect("a hexadecimal address");
    let line = maps.lines().find(|line| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        range.is_some_and(|(from, to)| (bound(from)..bound(to)).contains(&address))
    });
    line.and_then(|line| line.split_whitespace().nth(5)).unwrap_or_default().to_owned()
}

#[test]
fn other_rows_and_other_places_have_none() {
    let rows = data::clustered(N, DIM, 93);
    for options in [
        quick(Metric::Dot, CodecKind::Sq8),
        quick(Metric::Dot, CodecKind::F16),
        quick(Metric::Dot, CodecKind::Binary),
        quick(Metric::Dot, CodecKind::Sq8).refine(CodecKind::F16),
    ] {
        assert_eq!(Index::from_bytes(&file(&rows, DIM, None, &options)).unwrap().rows_f32(0), None);
    }
    let folder = tempfile::tempdir().unwrap();
    let f32s = file(&rows, DIM, None, &quick(Metric::Dot, CodecKind::F32));
    publish(&folder, &f32s, &PublishOptions::new().form(Form::Both)).unwrap();
    for (io, there) in [(Io::Mmap, true), (Io::Memory, true), (Io::Pread, false), (Io::Parts, false)] {
        let index = Index::open_with(&folder, &OpenOptions::new().io(io)).unwrap();
        assert_eq!(index.rows_f32(0).is_some(), there, "{io:?}");
    }
    let empty = file(&[], DIM, None, &quick(Metric::Dot, CodecKind::F32));
    assert_eq!(Index::from_bytes(&empty).unwrap().rows_f32(0), Some(&[][..]));
}
