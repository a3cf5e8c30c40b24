//! A later version may add sections. One that says it may be skipped is, and its bytes are still checked; one that
//! says it may not be, refuses the file.

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::format::{self, put};
use support::{code, data, file, plain};

/// A file whose graph is of a kind nobody knows: with everything but the graph as it was.
fn from_the_future(kind: u32, flags: u32, m: usize) -> (Vec<u8>, Vec<u8>) {
    let rows = data::clustered(1000, 20, 141);
    let options = plain(Metric::Cosine, CodecKind::Sq8).m(m).ef_construction(20);
    let old = file(&rows, 20, None, &options);
    let mut new = old.clone();
    let entry = format::section(&new, format::GRAPH).entry;
    put(&mut new, entry, &kind.to_le_bytes());
    put(&mut new, entry + 4, &flags.to_le_bytes());
    put(&mut new, 68, &0u32.to_le_bytes());
    format::seal(&mut new);
    (old, new)
}

#[test]
fn it_opens_searches_and_verifies() {
    // Of one checksum block, and of several.
    for m in [2, 32] {
        let (old, new) = from_the_future(99, 0, m);
        let (old, index) = (Index::from_bytes(&old).unwrap(), Index::from_bytes(&new).unwrap());
        index.verify().unwrap();
        assert!(!index.info().graph);
        let query = data::clustered(1, 20, 142);
        let flat = SearchOptions::default().index(IndexChoice::Flat);
        assert_eq!(
            index.search(&query, &SearchOptions::default()).unwrap(),
            old.search(&query, &flat).unwrap()
        );
        // A flipped bit in it is found like any other.
        let section = format::section(&new, 99);
        for at in (section.offset..section.offset + section.length).step_by(997) {
            let mut damaged = new.clone();
            damaged[at] ^= 1;
            assert_eq!(code(&Index::from_bytes(&damaged).and_then(|i| i.verify())), "checksum", "byte {at}");
        }
    }
}

#[test]
fn one_that_is_required_refuses_the_file() {
    let (_, new) = from_the_future(99, 1, 8);
    assert_eq!(code(&Index::from_bytes(&new)), "version");
    let (mut old, _) = from_the_future(99, 0, 8);
    // Version 1 was never published.
    for (at, value, expected) in [(8, 1u32, "version"), (8, 3, "version"), (12, 2, "version"), (16, 2, "ok")]
    {
        let before = old.clone();
        put(&mut old, at, &value.to_le_bytes());
        format::seal_header(&mut old);
        assert_eq!(code(&Index::from_bytes(&old)), expected, "version, required and optional features: {at}");
        old = before;
    }
}
