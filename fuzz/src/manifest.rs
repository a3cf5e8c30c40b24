//! The target whose input is a manifest: the `index.json` beside two right segments, their part files and dead rows.

use crate::support::mutate::change_manifest;
use crate::support::survive::sound;
use crate::support::{self, data};
use crate::{Target, Tell};
use pagevec::{CodecKind, Form, Index, IndexChoice, Io, Metric, OpenOptions, PublishOptions};
use std::fs;
use tempfile::TempDir;

/// A manifest, opened by every `Io`.
pub const MANIFEST: Target = Target {
    name: "manifest",
    run,
    seeds,
    change: |input, random| *input = change_manifest(random, &String::from_utf8_lossy(input)).into_bytes(),
};

/// Segments of the corpus, as a manifest names its segments by content: one that is built anew might differ, and then no
/// input would reach past the name. The second has some ids of the first.
const SEGMENTS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/manifest.pv"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/manifest-appended.pv"),
];
const DIM: usize = 4;
const NAME: &str = "index.json";

/// Builds the segments whose manifests are the inputs, and writes them into the corpus.
pub fn bless_segment() {
    for (path, (rows, seed)) in SEGMENTS.into_iter().zip([(60, 174), (20, 176)]) {
        let rows = data::clustered(rows, DIM, seed);
        let file = support::file(&rows, DIM, None, &support::options(Metric::Cosine, CodecKind::Sq8));
        fs::write(path, file).expect("the corpus is writable");
    }
}

thread_local! {
    static FOLDER: (TempDir, usize) = published();
}

/// A folder with the segments in both forms, and their length together.
fn published() -> (TempDir, usize) {
    let folder = tempfile::tempdir().expect("a folder to publish into");
    let mut length = 0;
    for (number, path) in SEGMENTS.into_iter().enumerate() {
        let segment = fs::read(path).expect("the segments of the corpus are committed");
        length += segment.len();
        let options = PublishOptions::new().form(Form::Both);
        match number {
            0 => drop(pagevec::publish(folder.path(), &segment, &options).expect("a right segment")),
            _ => drop(pagevec::append(folder.path(), &segment, &options).expect("a right segment")),
        }
    }
    (folder, length)
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let (folder, _) = published();
    let read = || fs::read(folder.path().join(NAME)).expect("a manifest was published");
    let both = read();
    let first = fs::read(SEGMENTS[0]).expect("the segments of the corpus are committed");
    let options = PublishOptions::new().form(Form::Both);
    pagevec::publish(folder.path(), &first, &options).expect("a right segment");
    vec![("published".into(), read()), ("appended".into(), both)]
}

fn run(input: &[u8], tell: &mut Tell) {
    FOLDER.with(|(folder, length)| {
        fs::write(folder.path().join(NAME), input).expect("the folder is writable");
        for io in [Io::Mmap, Io::Pread, Io::Parts] {
            let index = Index::open_with(folder.path(), &OpenOptions::new().io(io));
            tell(index.as_ref().err());
            let Ok(index) = index else { continue };
            let query = data::clustered(1, DIM, 175);
            for choice in [IndexChoice::Flat, IndexChoice::Clusters] {
                let options = support::top(7).index(choice);
                let answer = index.search(&query, &options);
                sound(answer, options.k, index.info().count, *length, tell);
            }
            tell(index.verify().as_ref().err());
        }
    });
}
