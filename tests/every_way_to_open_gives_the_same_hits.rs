//! Published and opened by mmap, in memory, or by pread under any budget, a segment answers as its bytes do.

mod support;

use std::fs;

use pagevec::{BuildOptions, CodecKind, Id, Index, Io, Metric, OpenOptions, PublishOptions, publish};
use support::paged::{hits, least_budget};
use support::{data, file, options, texts};

const DIM: usize = 40;
const N: usize = 2500;

fn io(io: Io, memory_budget: u64) -> OpenOptions {
    OpenOptions::new().io(io).memory_budget(memory_budget)
}

#[test]
fn by_mmap_in_memory_and_by_pread() {
    let rows = data::clustered(N, DIM, 91);
    for codec in support::CODECS {
        let folder = tempfile::tempdir().unwrap();
        let options = options(Metric::Cosine, codec).ef_construction(40);
        let file = file(&rows, DIM, Some(texts(N)), &options);
        let here = Index::from_bytes(&file).unwrap();
        let path = publish(folder.path(), &file, &PublishOptions::new()).unwrap();
        let least = least_budget(&file);
        let ways = [io(Io::Mmap, 0), io(Io::Memory, 0), io(Io::Pread, least), io(Io::Pread, 1 << 30)];
        for (place, way) in [folder.path(), &path].into_iter().flat_map(|p| ways.clone().map(|w| (p, w))) {
            let index = Index::open_with(place, &way).unwrap();
            assert_eq!(index.info(), here.info());
            index.verify().unwrap();
            for query in data::queries(&rows, DIM, 10, 92) {
                let o = support::top(10);
                let answer = index.search(&query, &o).unwrap();
                let same = o.clone().index(support::same_way(&answer));
                let truth = here.search(&query, &same).unwrap();
                assert_eq!(hits(&answer), hits(&truth), "{codec:?} {way:?}");
                let id = &answer.hits[0].id;
                assert_eq!(index.vector(id).unwrap(), here.vector(id).unwrap());
                assert_eq!(index.find(id).unwrap(), here.find(id).unwrap());
            }
            assert_eq!(support::code(&index.vector(&Id::Text("nobody".into()))), "unknown-id");
            assert_eq!(index.find(&Id::Number(1)).unwrap(), None);
        }
        assert_eq!(support::code(&Index::open_with(&path, &io(Io::Pread, least - 1))), "budget");
    }
}

#[test]
fn in_memory_every_section_is_checked_when_it_is_opened() {
    let rows = data::clustered(300, DIM, 97);
    let file = file(&rows, DIM, None, &options(Metric::Cosine, CodecKind::Sq8));
    let folder = tempfile::tempdir().unwrap();
    let open = |bytes: &[u8]| {
        let path = folder.path().join("seg.bin");
        fs::write(&path, bytes).unwrap();
        Index::open_with(&path, &io(Io::Memory, 0))
    };
    let sections = open(&file).unwrap().info().sections.clone();
    assert!(sections.len() > 5);
    for section in sections {
        let mut damaged = file.clone();
        damaged[(section.offset + section.length / 2) as usize] ^= 4;
        assert!(["checksum", "corrupt"].contains(&support::code(&open(&damaged))), "{}", section.name);
    }
    assert_ne!(support::code(&open(&file[..file.len() - 1])), "ok");
    let untouched = open(&file).unwrap();
    fs::write(folder.path().join("seg.bin"), b"").unwrap();
    assert!(untouched.search(&rows[..DIM], &support::top(3)).is_ok(), "the file is not needed any more");
}

#[test]
fn many_threads_share_one_index() {
    let rows = data::clustered(N, DIM, 93);
    let folder = tempfile::tempdir().unwrap();
    let file = file(&rows, DIM, None, &options(Metric::Cosine, CodecKind::Binary));
    publish(folder.path(), &file, &PublishOptions::new()).unwrap();
    let queries = data::queries(&rows, DIM, 40, 94);
    for way in [io(Io::Mmap, 0), io(Io::Pread, least_budget(&file))] {
        let index = Index::open_with(folder.path(), &way).unwrap();
        let truth: Vec<_> =
            queries.iter().map(|q| hits(&index.search(q, &support::top(5)).unwrap())).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for (query, truth) in queries.iter().zip(&truth) {
                        assert_eq!(hits(&index.search(query, &support::top(5)).unwrap()), *truth);
                    }
                });
            }
        });
    }
}

#[test]
fn publishing_again_replaces_the_manifest_and_keeps_old_files() {
    let rows = data::clustered(300, 8, 95);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/deep");
    let base = BuildOptions::default();
    let (old, new) = (file(&rows, 8, None, &base), file(&rows, 8, None, &base.clone().seed(1)));
    let first = publish(&place, &old, &PublishOptions::new()).unwrap();
    assert_eq!(
        publish(&place, &old, &PublishOptions::new()).unwrap(),
        first,
        "the same content has the same name"
    );
    let open = || Index::open(&place).unwrap();
    let reader = open();
    let second = publish(&place, &new, &PublishOptions::new()).unwrap();
    assert_ne!(first, second);
    assert_eq!(open().info().seed, 1);
    assert_eq!(fs::read(&first).unwrap(), old);
    assert_eq!(reader.info().seed, base.seed);
    reader.verify().unwrap();
    // What a crash leaves behind is nobody's business.
    fs::write(place.join("index.json.99.tmp"), b"half a manif").unwrap();
    fs::write(place.join("seg-0.bin.99.tmp"), &old[..100]).unwrap();
    open().verify().unwrap();
    publish(&place, &old, &PublishOptions::new()).unwrap();
    assert_eq!(open().info().seed, base.seed);
    let left: Vec<String> = fs::read_dir(&place)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".tmp") && !name.contains(".99."))
        .collect();
    assert!(left.is_empty(), "publish left {left:?}");
    assert_eq!(support::code(&publish(&place, b"no segment", &PublishOptions::new())), "not-a-segment");
}

#[test]
fn a_file_truncated_under_pread_is_an_error() {
    let rows = data::clustered(N, DIM, 96);
    let folder = tempfile::tempdir().unwrap();
    let file = file(&rows, DIM, None, &options(Metric::Cosine, CodecKind::Binary));
    let path = publish(folder.path(), &file, &PublishOptions::new()).unwrap();
    let index = Index::open_with(folder.path(), &io(Io::Pread, least_budget(&file))).unwrap();
    index.search(&rows[..DIM], &support::top(3)).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(file.len() as u64 / 8).unwrap();
    for _ in 0..3 {
        assert_eq!(support::code(&index.search(&rows[DIM..2 * DIM], &support::top(3))), "io");
    }
    assert_eq!(support::code(&index.verify()), "io");
    // Put back as it was, the same index goes on.
    fs::write(&path, &file).unwrap();
    assert_eq!(index.search(&rows[DIM..2 * DIM], &support::top(3)).unwrap().hits.len(), 3);
    // Changed instead, it says so.
    fs::write(&path, vec![0; file.len()]).unwrap();
    assert_eq!(support::code(&index.search(&rows[2 * DIM..3 * DIM], &support::top(3))), "checksum");
}
