//! A folder with several segments is opened in every way as one index; a segment that is damaged or is not there is an
//! error that names it, or is left out and told if the options allow it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pagevec::{
    BuildOptions, CodecKind, Form, FsDir, Id, Ids, Index, Io, Metric, OpenOptions, PublishOptions, append,
    publish,
};
use support::{code, data, file, options, top};

const DIM: usize = 4;
const WAYS: [Io; 4] = [Io::Mmap, Io::Memory, Io::Pread, Io::Parts];

fn plain() -> BuildOptions {
    options(Metric::L2, CodecKind::F32).graph(false)
}

fn segment(seed: u64, ids: std::ops::Range<u64>) -> Vec<u8> {
    let rows = data::clustered(ids.clone().count(), DIM, seed);
    file(&rows, DIM, Some(Ids::Numbers(ids.collect())), &plain().seed(seed))
}

fn segments() -> [Vec<u8>; 3] {
    [segment(1, 0..100), segment(2, 80..150), segment(3, 140..160)]
}

fn folder(form: Form) -> tempfile::TempDir {
    folder_of([form; 3])
}

/// Each segment in its own form.
fn folder_of(forms: [Form; 3]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let options = forms.map(|form| PublishOptions::new().form(form));
    let [a, b, c] = segments();
    publish(folder.path(), &a, &options[0]).unwrap();
    append(folder.path(), &b, &options[1]).unwrap();
    append(folder.path(), &c, &options[2]).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    pagevec::folder_info(folder).unwrap().segments.into_iter().map(|segment| segment.path).collect()
}

/// The rows of all segments, of one id the last: what the index must hold.
fn expected() -> Vec<(u64, Vec<f32>)> {
    let segments = segments().map(|file| Index::from_bytes(&file).unwrap());
    let last = |id: u64| segments.iter().rev().find_map(|index| index.vector(&Id::Number(id)).ok()).unwrap();
    (0..160).map(|id| (id, last(id))).collect()
}

#[test]
fn every_way_to_open_has_the_last_row_of_each_id() {
    let expected = expected();
    let mixed = [[Form::File, Form::Both, Form::Parts], [Form::Parts, Form::File, Form::File]];
    for form in [Form::File, Form::Parts, Form::Both].map(|form| [form; 3]).into_iter().chain(mixed) {
        let folder = folder_of(form);
        for io in WAYS {
            let open = OpenOptions::new().io(io);
            if form == [Form::File; 3] && io == Io::Parts {
                assert_eq!(code(&Index::open_with(folder.path(), &open)), "argument");
                continue;
            }
            for index in [
                Index::open_with(folder.path(), &open).unwrap(),
                Index::open_in(Arc::new(FsDir), folder.path(), &open).unwrap(),
            ] {
                assert_eq!((index.info().count, index.segments().len()), (160, 3), "{form:?} {io:?}");
                assert_eq!(index.segments().iter().map(|s| s.dead).collect::<Vec<_>>(), [20, 10, 0]);
                assert!(index.missing().is_empty());
                index.verify().unwrap();
                for (id, row) in &expected {
                    assert_eq!(&index.vector(&Id::Number(*id)).unwrap(), row, "{form:?} {io:?}: {id}");
                    let found = index.search(row, &top(1)).unwrap();
                    assert_eq!((&found.hits[0].id, found.hits[0].score), (&Id::Number(*id), 0.0));
                }
            }
        }
    }
}

#[test]
fn a_segment_that_is_not_there_is_named_or_left_out() {
    for (gone, form) in [(0, Form::File), (1, Form::Both), (2, Form::File)] {
        let folder = folder(form);
        let named = files(folder.path());
        fs::remove_file(&named[gone]).unwrap();
        for io in [Io::Mmap, Io::Memory, Io::Pread] {
            let open = OpenOptions::new().io(io);
            let refused = Index::open_with(folder.path(), &open).err().unwrap();
            assert_eq!(refused.code(), "io");
            let name = named[gone].file_name().unwrap().to_str().unwrap();
            assert!(refused.to_string().contains(name), "{refused}");

            let index = Index::open_with(folder.path(), &open.degraded(true)).unwrap();
            let [missing] = index.missing() else { panic!("{:?}", index.missing()) };
            assert_eq!((&missing.path, missing.error.code()), (&named[gone], "io"));
            assert_eq!(index.info().count as u64 + missing.count, 160);
            assert_eq!(missing.count, [80, 60, 20][gone]);
            assert_eq!(index.segments().len(), 2);
            // Rows that the missing segment replaced stay dead: they are out of date.
            assert!(index.search(&[0.3; DIM], &top(200)).unwrap().hits.len() == index.info().count);
        }
        named.iter().for_each(|path| drop(fs::remove_file(path)));
        let none = Index::open_with(folder.path(), &OpenOptions::new().degraded(true));
        assert_eq!(code(&none), "io");
    }
}

#[test]
fn damage_names_its_segment() {
    let folder = folder(Form::File);
    let named = files(folder.path());
    let dead = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let dead: Vec<PathBuf> =
        dead.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("dead-")).collect();
    // Each dead file that the manifest names, and a file of earlier generations that it does not.
    assert_eq!(dead.len(), 2);
    for path in named.iter().chain(&dead) {
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        bad[30] ^= 1;
        fs::write(path, &bad).unwrap();
        let refused = Index::open(folder.path()).err().unwrap();
        assert!(matches!(refused.code(), "checksum" | "corrupt"), "{refused}");
        let told = refused.to_string();
        assert!(named.iter().any(|path| told.contains(path.to_str().unwrap())), "{told}");
        assert!(told.contains(path.file_name().unwrap().to_str().unwrap()), "{told}");
        let index = Index::open_with(folder.path(), &OpenOptions::new().degraded(true)).unwrap();
        assert_eq!(index.missing().len(), 1);
        fs::write(path, &good).unwrap();
    }
    // Another segment's dead rows, under the right name and with the right hash.
    let path = folder.path().join("index.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (first, second) = (json["segments"][0]["dead"].clone(), json["segments"][1]["dead"].clone());
    json["segments"][0]["dead"] = second;
    json["segments"][1]["dead"] = first.clone();
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(code(&Index::open(folder.path())), "checksum");
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["segments"][0]["dead"]["count"] = 19.into();
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(code(&Index::open(folder.path())), "corrupt");
    // Ids of another kind, which a manifest does not say.
    let other = tempfile::tempdir().unwrap();
    let texts = Ids::Texts((0..9).map(|id| id.to_string()).collect());
    let text_ids = file(&data::clustered(9, DIM, 4), DIM, Some(texts), &plain());
    let at = publish(other.path(), &text_ids, &PublishOptions::new()).unwrap();
    fs::copy(&at, folder.path().join(at.file_name().unwrap())).unwrap();
    let theirs = fs::read_to_string(other.path().join("index.json")).unwrap();
    let theirs: serde_json::Value = serde_json::from_str(&theirs).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["segments"].as_array_mut().unwrap().push(theirs["segments"][0].clone());
    fs::write(&path, json.to_string()).unwrap();
    let refused = Index::open(folder.path()).err().unwrap();
    assert_eq!(refused.code(), "corrupt");
    let told = refused.to_string();
    assert!(told.contains(at.file_name().unwrap().to_str().unwrap()) && told.contains("ids"), "{told}");
}
