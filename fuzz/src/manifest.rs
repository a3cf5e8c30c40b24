//! The target whose input is a manifest: the `index.json` beside a right segment and its part files.

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

/// A segment of the corpus, as a manifest names its segment by content: one that is built anew might differ, and then no
/// input would reach past the name.
const SEGMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/manifest.pv");
const DIM: usize = 4;
const NAME: &str = "index.json";

/// Builds the segment whose manifests are the inputs, and writes it into the corpus.
pub fn bless_segment() {
    let rows = data::clustered(60, DIM, 174);
    let file = support::file(&rows, DIM, None, &support::options(Metric::Cosine, CodecKind::Sq8));
    fs::write(SEGMENT, file).expect("the corpus is writable");
}

thread_local! {
    static FOLDER: (TempDir, usize) = published();
}

/// A folder with the segment in both forms, and the segment's length.
fn published() -> (TempDir, usize) {
    let segment = fs::read(SEGMENT).expect("corpus/manifest.pv is committed");
    let folder = tempfile::tempdir().expect("a folder to publish into");
    pagevec::publish(folder.path(), &segment, &PublishOptions::new().form(Form::Both))
        .expect("the committed segment is right");
    (folder, segment.len())
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let text = fs::read(published().0.path().join(NAME)).expect("a manifest was published");
    vec![("published".into(), text)]
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
