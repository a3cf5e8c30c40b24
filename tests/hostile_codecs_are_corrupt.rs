//! Stages and parameters that no writer writes, in files whose checksums are right: named when the file is opened.

mod support;

use pagevec::{CodecKind, Error, Index, Metric};
use support::format::{self, put};
use support::{data, file, options};

const DIM: usize = 10;
/// Places in the header: the codec of each stage, and the parts of the codes.
const CODES: usize = 65;
const ROWS: usize = 66;
const EXACT: usize = 84;
const PARTS: usize = 86;

fn built(codec: CodecKind, exact: Option<CodecKind>) -> Vec<u8> {
    let rows = data::clustered(300, DIM, 77);
    file(&rows, DIM, None, &options(Metric::Cosine, codec).exact(exact))
}

/// What opening says after a change.
fn opened(file: &[u8], change: impl Fn(&mut [u8])) -> Option<Error> {
    let mut file = file.to_vec();
    change(&mut file);
    format::seal(&mut file);
    Index::from_bytes(&file).err()
}

#[track_caller]
fn corrupt(found: Option<Error>, section: &str) {
    match found {
        Some(Error::Corrupt { section: named, .. }) => assert_eq!(named, section),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stages() {
    let three = built(CodecKind::Pq(4), Some(CodecKind::F16));
    assert!(opened(&three, |_| {}).is_none());
    for (at, byte) in [(CODES, 0), (CODES, 7), (CODES, 255), (ROWS, 0), (ROWS, 6), (EXACT, 6), (EXACT, 9)] {
        corrupt(opened(&three, |file| put(file, at, &[byte])), "header");
    }
    for parts in [0u16, DIM as u16 + 1, u16::MAX] {
        corrupt(opened(&three, |file| put(file, PARTS, &parts.to_le_bytes())), "header");
    }
    // As many parts as there may be, but not as many as were written.
    assert_eq!(opened(&three, |file| put(file, PARTS, &[5])).map(|e| e.code()), Some("length"));
    // A stage less, a stage more than there are sections for.
    corrupt(opened(&built(CodecKind::Sq8, None), |file| put(file, ROWS, &[2])), "refine rows");
    corrupt(opened(&built(CodecKind::Sq4, None), |file| put(file, EXACT, &[1])), "exact rows");
    // Parts of codes that have none.
    corrupt(opened(&built(CodecKind::Sq4, None), |file| put(file, PARTS, &[4])), "header");
}

#[test]
fn parameters() {
    for (codec, floats) in [(CodecKind::Pq(3), 2 * DIM), (CodecKind::Sq4, DIM)] {
        let file = built(codec, None);
        let at = format::section(&file, 1).offset;
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, floats - 1] {
                let wrong = opened(&file, |file| put(file, at + 4 * place, &value.to_le_bytes()));
                corrupt(wrong, "codec parameters");
            }
        }
        // Centroids may be any bytes.
        if codec == CodecKind::Pq(3) {
            assert!(opened(&file, |file| put(file, at + 4 * floats, &[0x80, 0xff, 0x7f])).is_none());
        }
    }
}
