//! Files that JS reads by position, so that neither the rows of a build nor a segment need be in memory: for the command
//! line of the package. What reads a file is a function `read(offset, length)` of JS, which returns all of these bytes or
//! throws; what it throws ends the call, and is thrown.

use std::cell::RefCell;

use js_sys::{Function, Object, Uint8Array};
use pagevec::{
    BuildInput, Error, Extent, Id, Ids, Index, IndexChoice, Numbers, OpenOptions, PositionSet, ReadAt,
    SearchOptions, StoredRows,
};
use wasm_bindgen::prelude::*;

use crate::build::{BuildOptionsJs, append_to, build_to};
use crate::convert::{self, bad, bytes_of_hex, set, to_js, whole};
use crate::pieces::Callback;

thread_local! {
    /// The functions that read, and what one of them threw. A reader must be `Send`, which a function of JS is not, so the
    /// reader has only its number.
    static FILES: RefCell<(Vec<Function>, Option<JsValue>)> = const { RefCell::new((Vec::new(), None)) };
}

/// The files that are read while this lives.
struct Opened;

impl Opened {
    fn new<const N: usize>(reads: [&Function; N]) -> Self {
        FILES.with_borrow_mut(|files| *files = (reads.map(Function::clone).into(), None));
        Opened
    }

    /// What the call returns to JS: what a function threw comes before the error that this became.
    fn close<T>(self, done: Result<T, JsValue>) -> Result<T, JsValue> {
        match FILES.with_borrow_mut(|files| files.1.take()) {
            Some(thrown) => Err(thrown),
            None => done,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        FILES.with_borrow_mut(|files| *files = (Vec::new(), None));
    }
}

/// Reads an opened file.
struct JsFile {
    number: usize,
    length: u64,
}

impl JsFile {
    fn new(number: usize, length: f64) -> Result<Self, JsValue> {
        Ok(JsFile { number, length: whole("length", length)? })
    }
}

impl ReadAt for JsFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        let Some(read) = FILES.with_borrow(|files| files.0.get(self.number).cloned()) else {
            return Err(unread("no file is open"));
        };
        let told = read.call2(&JsValue::NULL, &(extent.offset as f64).into(), &(extent.length as f64).into());
        let bytes = told.map_err(|thrown| {
            FILES.with_borrow_mut(|files| files.1 = files.1.take().or(Some(thrown)));
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

/// Builds from rows in a file of `length` bytes, and calls `onPiece` as `buildInto` does. `shape` has the bytes of a number
/// (2, 4 or 8), the rows, the numbers of a row, the offset of the first, and the bytes from one row to the next.
#[wasm_bindgen(js_name = buildStored)]
pub fn build_stored(
    read: &Function,
    length: f64,
    shape: &[f64],
    options: &BuildOptionsJs,
    on_piece: &Function,
) -> Result<(), JsValue> {
    let source = stored(length, shape)?;
    let opened = Opened::new([read]);
    let mut sink = Callback::new(on_piece);
    let built = build_to(BuildInput::Source(&source), options, &mut sink);
    opened.close(built.and_then(|built| sink.end(built)))
}

/// The same, but the rows are encoded as those of a segment of `base_length` bytes, which `read_base` reads. What `options`
/// say of metric and codecs is not used.
#[wasm_bindgen(js_name = appendStored)]
pub fn append_stored(
    read: &Function,
    length: f64,
    shape: &[f64],
    read_base: &Function,
    base_length: f64,
    options: &BuildOptionsJs,
    on_piece: &Function,
) -> Result<(), JsValue> {
    let (source, base) = (stored(length, shape)?, JsFile::new(1, base_length)?);
    let opened = Opened::new([read, read_base]);
    let mut sink = Callback::new(on_piece);
    let built = Index::from_reader(base, &OpenOptions::new())
        .map_err(to_js)
        .and_then(|base| append_to(&base, BuildInput::Source(&source), options, &mut sink));
    opened.close(built.and_then(|built| sink.end(built)))
}

fn stored(length: f64, shape: &[f64]) -> Result<StoredRows<JsFile>, JsValue> {
    let &[bytes, rows, dim, first, stride] = shape else { return Err(bad("shape", "it has five numbers")) };
    let numbers = match bytes {
        2.0 => Numbers::F16,
        4.0 => Numbers::F32,
        _ => Numbers::F64,
    };
    let size =
        |number: f64| whole("shape", number).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let (first, rows, dim, stride) = (whole("shape", first)?, size(rows)?, size(dim)?, size(stride)?);
    StoredRows::new(JsFile::new(0, length)?, numbers, rows, dim, first, stride).map_err(to_js)
}

/// Checks every byte of a segment of `length` bytes.
#[wasm_bindgen(js_name = verifySegment)]
pub fn verify_segment(read: &Function, length: f64) -> Result<(), JsValue> {
    with_segment(read, length, Index::verify)
}

/// The rows of a segment that have one of `ids`, and those of `dead`, the bytes of its file of dead rows: the bytes of such a
/// file, and how many rows it has, as `{ bytes, count }`.
#[wasm_bindgen(js_name = deadRows)]
pub fn dead_rows(
    read: &Function,
    length: f64,
    dead: Option<Vec<u8>>,
    ids: &JsValue,
) -> Result<JsValue, JsValue> {
    let wanted = convert::ids(ids)?;
    let (bytes, count) = with_segment(read, length, |index| {
        let (rows, file_id) = (index.info().count, bytes_of_hex(&index.info().file_id));
        let mut positions = Vec::new();
        let mut find = |id: Id| index.find(&id).map(|row| positions.extend(row.map(|row| row.position)));
        match wanted {
            Some(Ids::Numbers(numbers)) => numbers.into_iter().try_for_each(|id| find(Id::Number(id)))?,
            Some(Ids::Texts(texts)) => texts.into_iter().try_for_each(|id| find(Id::Text(id)))?,
            _ => {}
        }
        positions.sort_unstable();
        let mut all = PositionSet::from_positions(rows, positions)?;
        if let Some(dead) = dead {
            all = all.or(&PositionSet::decode(&dead, rows, &file_id, 0)?)?;
        }
        Ok((all.encode(&file_id, 0), all.len()))
    })?;
    let told = Object::new();
    set(&told, "bytes", Uint8Array::from(bytes.as_slice()));
    set(&told, "count", count as f64);
    Ok(told.into())
}

/// The largest id of a segment whose ids are numbers, also of rows that are dead; -1 where it has no rows.
#[wasm_bindgen(js_name = largestId)]
pub fn largest_id(read: &Function, length: f64) -> Result<f64, JsValue> {
    with_segment(read, length, |index| {
        let (rows, dim) = (index.info().count, index.info().dim);
        // A search that wants every row tells the ids of all.
        let all = SearchOptions::new(rows.max(1)).index(IndexChoice::Flat).rescore(0);
        let hits = index.search(&vec![1.0; dim], &all)?.hits;
        let number = |id: &Id| if let Id::Number(id) = id { *id as f64 } else { -1.0 };
        Ok(hits.iter().map(|hit| number(&hit.id)).fold(-1.0, f64::max))
    })
}

fn with_segment<T>(
    read: &Function,
    length: f64,
    call: impl FnOnce(&Index) -> Result<T, Error>,
) -> Result<T, JsValue> {
    let file = JsFile::new(0, length)?;
    let opened = Opened::new([read]);
    let done = Index::from_reader(file, &OpenOptions::new()).and_then(|index| call(&index));
    opened.close(done.map_err(to_js))
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
