//! Published in parts, a segment answers as its one file does; a part that is damaged, cut or gone is a typed error.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use pagevec::{
    BuildOptions, CodecKind, Form, Index, Io, Metric, OpenOptions, PublishOptions, folder_info, publish,
};
use support::paged::{hits, least_budget};
use support::{code, data, file, options, texts};

const DIM: usize = 40;
const N: usize = 2500;

fn by(io: Io, memory_budget: u64) -> OpenOptions {
    OpenOptions::new().io(io).memory_budget(memory_budget)
}

/// First and last byte of each part, in order, from the names alone.
fn ranges(folder: &Path) -> Vec<(u64, u64, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".bin").unwrap();
            let (first, last) = name.split_once('-').unwrap();
            (first.parse().unwrap(), last.parse().unwrap(), path.clone())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn names_tell_their_bytes_and_all_make_the_file() {
    let rows = data::clustered(N, DIM, 201);
    for codec in support::CODECS {
        let file = file(&rows, DIM, Some(texts(N)), &options(Metric::Cosine, codec));
        let folder = tempfile::tempdir().unwrap();
        let place = publish(folder.path(), &file, &PublishOptions::new().form(Form::Parts)).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "index.json, .lock and one folder: {left:?}");
        let ranges = ranges(&place);
        let mut joined = Vec::new();
        for (first, last, path) in &ranges {
            assert_eq!(*first, joined.len() as u64, "{}", path.display());
            joined.extend(fs::read(path).unwrap());
            assert_eq!(*last + 1, joined.len() as u64, "{}", path.display());
        }
        assert!(joined == file, "{codec:?}");
        let segment = folder_info(folder.path()).unwrap().segments.remove(0);
        assert_eq!((segment.form, &segment.path), (Form::Parts, &place));
        let info = segment.parts.unwrap();
        assert_eq!((info.count, info.folder), (ranges.len() as u64, place));
        assert_eq!(Some(info.largest), ranges.iter().map(|(first, last, _)| last + 1 - first).max());

        // The front is one part; no part spans two sections; no row lies in two parts.
        let index = Index::open(folder.path()).unwrap();
        let facts = index.info();
        assert!(ranges[0].1 + 1 >= facts.memory_to_open && ranges[1].0 < facts.memory_to_open + 64);
        let behind = facts.sections.iter().filter(|s| s.offset >= facts.memory_to_open && s.length > 0);
        let finest = if facts.refine.is_some() { "refine rows" } else { "codes" };
        for section in behind {
            assert!(ranges.iter().any(|r| r.0 == section.offset), "{} starts a part", section.name);
            if section.name == finest {
                let stride = section.length / N as u64;
                let inside = |at: u64| at >= section.offset && at < section.offset + section.length;
                let torn =
                    |r: &&(u64, u64, PathBuf)| inside(r.0) && !(r.0 - section.offset).is_multiple_of(stride);
                assert_eq!(ranges.iter().filter(torn).count(), 0);
            }
        }
    }
}

#[test]
fn the_hits_are_the_same() {
    let rows = data::clustered(N, DIM, 202);
    for (codec, form) in support::CODECS.into_iter().flat_map(|c| [(c, Form::Parts), (c, Form::Both)]) {
        let file = file(&rows, DIM, Some(texts(N)), &options(Metric::Cosine, codec));
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path(), &file, &PublishOptions::new().form(form)).unwrap();
        let here = Index::from_bytes(&file).unwrap();
        let least = least_budget(&file);
        for way in [by(Io::Parts, least), by(Io::Parts, 1 << 30), by(Io::Mmap, 1 << 30), by(Io::Memory, 0)] {
            let index = Index::open_with(folder.path(), &way).unwrap();
            assert_eq!(index.info(), here.info());
            assert_eq!(index.path().is_none(), form == Form::Parts || way.io == Io::Parts);
            index.verify().unwrap();
            for query in data::queries(&rows, DIM, 10, 203) {
                let answer = index.search(&query, &support::top(10)).unwrap();
                let same = support::top(10).index(support::same_way(&answer));
                assert_eq!(hits(&answer), hits(&here.search(&query, &same).unwrap()), "{codec:?} {way:?}");
                let id = &answer.hits[0].id;
                assert_eq!(index.vector(id).unwrap(), here.vector(id).unwrap());
                assert_eq!(index.find(id).unwrap(), here.find(id).unwrap());
            }
        }
        assert_eq!(code(&Index::open_with(folder.path(), &by(Io::Parts, least - 1))), "budget");
    }
}

#[test]
fn what_is_asked_for_must_have_been_published() {
    let rows = data::clustered(100, 6, 204);
    let file = file(&rows, 6, None, &BuildOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let path = publish(folder.path(), &file, &PublishOptions::new().form(Form::File)).unwrap();
    assert_eq!(folder_info(folder.path()).unwrap().segments[0].parts, None);
    for place in [folder.path(), &path] {
        assert_eq!(code(&Index::open_with(place, &by(Io::Parts, 1 << 30))), "argument");
    }
    // Published again, the manifest says what there is now.
    publish(folder.path(), &file, &PublishOptions::new().form(Form::Both)).unwrap();
    assert_eq!(folder_info(folder.path()).unwrap().segments[0].form, Form::Both);
    Index::open_with(folder.path(), &by(Io::Parts, 1 << 30)).unwrap().verify().unwrap();
    assert_eq!(code(&folder_info(folder.path().join("nowhere"))), "io");
}

#[test]
fn what_fails_halfway_leaves_the_index_as_it_was() {
    let rows = data::clustered(300, 8, 207);
    let base = BuildOptions::default();
    let (old, new) = (file(&rows, 8, None, &base), file(&rows, 8, None, &base.clone().seed(1)));
    let folder = tempfile::tempdir().unwrap();
    let first = publish(folder.path(), &old, &PublishOptions::new().form(Form::Parts)).unwrap();
    let open = || Index::open(folder.path()).unwrap();
    let reader = open();
    // The last part of the new segment cannot be written: a folder has its name.
    let place = tempfile::tempdir().unwrap();
    let parts = publish(place.path(), &new, &PublishOptions::new().form(Form::Parts)).unwrap();
    let last = ranges(&parts).pop().unwrap().2;
    let blocked = folder.path().join(parts.file_name().unwrap()).join(last.file_name().unwrap());
    fs::create_dir_all(blocked.join("inside")).unwrap();
    assert_eq!(code(&publish(folder.path(), &new, &PublishOptions::new().form(Form::Parts))), "io");
    assert_eq!(open().info().seed, base.seed);
    open().verify().unwrap();
    // What was written by then is in nobody's way.
    fs::remove_dir_all(&blocked).unwrap();
    fs::write(blocked.with_extension("99.tmp"), b"half").unwrap();
    publish(folder.path(), &new, &PublishOptions::new().form(Form::Parts)).unwrap();
    assert_eq!(open().info().seed, 1);
    open().verify().unwrap();
    assert!(first.is_dir(), "earlier parts stay: somebody may be reading them");
    reader.verify().unwrap();
}

#[test]
fn verify_finds_a_changed_bit_in_any_part() {
    let rows = data::clustered(1500, 24, 205);
    let file = file(&rows, 24, None, &options(Metric::L2, CodecKind::Sq8));
    let folder = tempfile::tempdir().unwrap();
    let place = publish(folder.path(), &file, &PublishOptions::new().form(Form::Parts)).unwrap();
    let open = || Index::open(folder.path());
    let ranges = ranges(&place);
    assert!(ranges.len() > 8, "{} parts", ranges.len());
    for (i, (_, _, path)) in ranges.iter().enumerate() {
        let good = fs::read(path).unwrap();
        let mut bytes = good.clone();
        let at = (i * 7919) % bytes.len();
        bytes[at] ^= 1 << (i % 8);
        fs::write(path, &bytes).unwrap();
        let found = open().and_then(|index| index.verify());
        assert!(matches!(code(&found), "checksum" | "corrupt" | "not-a-segment"), "{found:?}");

        for wrong in [&good[..good.len() - 1], &[good.as_slice(), b"x"].concat(), b""] {
            fs::write(path, wrong).unwrap();
            let found = open().and_then(|index| index.verify()).unwrap_err();
            assert_eq!(found.code(), "io");
            assert!(found.to_string().contains(path.to_str().unwrap()), "{found} names the part");
        }
        fs::remove_file(path).unwrap();
        let found = open().and_then(|index| index.verify()).unwrap_err();
        assert!(found.code() == "io" && found.to_string().contains(path.to_str().unwrap()), "{found}");
        fs::write(path, good).unwrap();
    }
    open().unwrap().verify().unwrap();
}

#[test]
fn cuts_that_cannot_be_are_refused() {
    let rows = data::clustered(300, 6, 206);
    let file = file(&rows, 6, None, &BuildOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let place = publish(folder.path(), &file, &PublishOptions::new().form(Form::Parts)).unwrap();
    let path = folder.path().join("index.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let cuts = manifest.split("\"cuts\":").nth(1).unwrap().split('}').next().unwrap();
    let name = place.file_name().unwrap().to_str().unwrap();
    let length = file.len();
    for (from, to) in [
        (cuts, "[]".to_owned()),
        (cuts, "7".to_owned()),
        (cuts, "[[0]]".to_owned()),
        (cuts, "[[0,0]]".to_owned()),
        (cuts, "[[1,100]]".to_owned()),
        (cuts, "[[0,100],[0,100]]".to_owned()),
        (cuts, "[[0,100],[200,100],[100,100]]".to_owned()),
        (cuts, format!("[[0,100],[{length},100]]")),
        (cuts, "[[0,-1]]".to_owned()),
        (name, "../elsewhere".to_owned()),
        (name, "/etc".to_owned()),
        (name, String::new()),
        ("\"parts\"", "\"pieces\"".to_owned()),
    ] {
        fs::write(&path, manifest.replace(from, &to)).unwrap();
        assert_eq!(code(&Index::open(folder.path())), "corrupt", "{from} -> {to}");
        assert_eq!(code(&folder_info(folder.path())), "corrupt", "{from} -> {to}");
    }
    // Cuts that could be, but are not how this folder was cut.
    for to in ["[[0,1]]".to_owned(), format!("[[0,{}]]", u64::MAX), "[[0,4000000000000000000]]".to_owned()] {
        fs::write(&path, manifest.replace(cuts, &to)).unwrap();
        assert_eq!(code(&Index::open(folder.path())), "io", "{to}");
    }
    fs::write(&path, manifest).unwrap();
    Index::open(folder.path()).unwrap();
}
