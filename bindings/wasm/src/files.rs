//! Files that JS reads by position, so that neither the rows of a build nor a segment need be in memory: for the command
//! line of the package.

use std::cell::RefCell;

use js_sys::{Function, Uint8Array};
use pagevec::{BuildInput, Error, Extent, Index, Numbers, OpenOptions, ReadAt, StoredRows};
use wasm_bindgen::prelude::*;

use crate::build::{BuildOptionsJs, Callback, build_to};
use crate::convert::{bad, to_js, whole};

thread_local! {
    /// The function that reads, and what it threw. A reader must be `Send`, which a function of JS is not, so the reader
    /// names none: there is one file at a time.
    static FILE: RefCell<(Option<Function>, Option<JsValue>)> = const { RefCell::new((None, None)) };
}

/// The file that is read while this lives.
struct Opened;

impl Opened {
    fn new(read: &Function) -> Self {
        FILE.with_borrow_mut(|file| *file = (Some(read.clone()), None));
        Opened
    }

    /// What the call returns to JS: what the function threw comes before the error that this became.
    fn close<T>(self, done: Result<T, JsValue>) -> Result<T, JsValue> {
        match FILE.with_borrow_mut(|file| file.1.take()) {
            Some(thrown) => Err(thrown),
            None => done,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        FILE.with_borrow_mut(|file| *file = (None, None));
    }
}

/// Reads the opened file by `read(offset, length)`, which returns all of these bytes or throws.
struct JsFile {
    length: u64,
}

impl ReadAt for JsFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        let Some(read) = FILE.with_borrow(|file| file.0.clone()) else {
            return Err(unread("no file is open"));
        };
        let told = read.call2(&JsValue::NULL, &(extent.offset as f64).into(), &(extent.length as f64).into());
        let bytes = told.map_err(|thrown| {
            FILE.with_borrow_mut(|file| file.1.get_or_insert(thrown).is_undefined());
            unread("the callback threw")
        })?;
        match bytes.dyn_into::<Uint8Array>() {
            Ok(bytes) if bytes.length() as usize == into.len() => {
                bytes.copy_to(into);
                Ok(())
            }
            _ => Err(unread("the callback returned other bytes than it was asked for")),
        }
    }
}

fn unread(detail: &str) -> Error {
    Error::Io { path: "read".to_owned(), source: std::io::Error::other(detail.to_owned()) }
}

/// Builds from rows in a file of `length` bytes, which `read(offset, length)` reads, and calls `onPiece` as `buildInto` does.
/// `shape` has the bytes of a number (2, 4 or 8), the rows, the numbers of a row, the offset of the first, and the bytes from
/// one row to the next. What a callback throws ends the build, and is thrown.
#[wasm_bindgen(js_name = buildStored)]
pub fn build_stored(
    read: &Function,
    length: f64,
    shape: &[f64],
    options: &BuildOptionsJs,
    on_piece: &Function,
) -> Result<(), JsValue> {
    let &[bytes, rows, dim, first, stride] = shape else { return Err(bad("shape", "it has five numbers")) };
    let numbers = match bytes {
        2.0 => Numbers::F16,
        4.0 => Numbers::F32,
        _ => Numbers::F64,
    };
    let size =
        |number: f64| whole("shape", number).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let file = JsFile { length: whole("length", length)? };
    let (first, rows, dim, stride) = (whole("shape", first)?, size(rows)?, size(dim)?, size(stride)?);
    let source = StoredRows::new(file, numbers, rows, dim, first, stride).map_err(to_js)?;
    let opened = Opened::new(read);
    let mut sink = Callback::new(on_piece);
    let built = build_to(BuildInput::Source(&source), options, &mut sink);
    opened.close(built.and_then(|built| sink.end(built)))
}

/// Checks every byte of a segment of `length` bytes, which `read(offset, length)` reads.
#[wasm_bindgen(js_name = verifySegment)]
pub fn verify_segment(read: &Function, length: f64) -> Result<(), JsValue> {
    let file = JsFile { length: whole("length", length)? };
    let opened = Opened::new(read);
    let checked = Index::from_reader(file, &OpenOptions::new()).and_then(|index| index.verify());
    opened.close(checked.map_err(to_js))
}

/// The content id of a file, of its bytes piece by piece.
#[wasm_bindgen]
#[derive(Default)]
pub struct ContentId(blake3::Hasher);

#[wasm_bindgen]
impl ContentId {
    /// Of no bytes yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        ContentId::default()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id, 64 hexadecimal digits.
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}
