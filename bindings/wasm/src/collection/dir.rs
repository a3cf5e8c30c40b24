//! The files of a collection, which JS holds: `pkg/src/collection/dirs` has the other side. All calls are answered at once; what they
//! throw becomes an `io` error of the kind that the exception has.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;
use std::task::Poll;

use js_sys::{Array, Reflect};
use pagevec::{Access, Asked, Dir, DirEntry, DirFile, DirLock, Error, Extent, ReadAt, Sink};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export interface JsFile {
  length(): number;
  read(into: Uint8Array, offset: number): number;
  write(bytes: Uint8Array, offset: number): number;
  truncate(length: number): void;
  flush(): void;
  close(): void;
}
export interface JsDir {
  open(name: string, access: "read" | "write" | "create"): JsFile;
  remove(name: string): void;
  list(): { name: string; length: number }[];
  sync(): void;
  lock(): boolean;
}
export interface JsInput {
  length: number;
  read(into: Uint8Array, offset: number): number;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// A flat folder.
    #[wasm_bindgen(typescript_type = "JsDir")]
    pub type JsDir;
    #[wasm_bindgen(method, catch)]
    fn open(this: &JsDir, name: &str, access: &str) -> Result<JsFile, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &JsDir, name: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &JsDir) -> Result<Array, JsValue>;
    #[wasm_bindgen(method, catch, js_name = sync)]
    fn sync_names(this: &JsDir) -> Result<(), JsValue>;
    /// Whether this is the writer.
    #[wasm_bindgen(method, catch, js_name = lock)]
    fn is_writer(this: &JsDir) -> Result<bool, JsValue>;

    /// An open file. It reads into memory of the module and writes from it, without a copy.
    #[wasm_bindgen(typescript_type = "JsFile")]
    pub type JsFile;
    #[wasm_bindgen(method, catch, js_name = length)]
    fn bytes(this: &JsFile) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn read(this: &JsFile, into: &mut [u8], offset: f64) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &JsFile, bytes: &[u8], offset: f64) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn truncate(this: &JsFile, length: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &JsFile) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &JsFile) -> Result<(), JsValue>;

    /// A file that a merge reads.
    #[wasm_bindgen(typescript_type = "JsInput")]
    pub type JsInput;
    #[wasm_bindgen(method, getter, js_name = length)]
    fn bytes(this: &JsInput) -> f64;
    #[wasm_bindgen(method, catch)]
    fn read(this: &JsInput, into: &mut [u8], offset: f64) -> Result<f64, JsValue>;
}

/// The error that an exception becomes: its message begins with the file's name, as that of the error does.
fn thrown(path: &str, thrown: &JsValue) -> Error {
    let text = |name: &str| Reflect::get(thrown, &name.into()).ok().and_then(|value| value.as_string());
    let kind = match text("kind").as_deref() {
        Some("not-found") => ErrorKind::NotFound,
        Some("already-exists") => ErrorKind::AlreadyExists,
        Some("would-block") => ErrorKind::WouldBlock,
        Some("quota") => ErrorKind::StorageFull,
        Some("permission-denied") => ErrorKind::PermissionDenied,
        Some("unsupported") => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    };
    let message = text("message").unwrap_or_else(|| "the folder failed".to_owned());
    let own = message.strip_prefix(path).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&message);
    failed(path, IoError::new(kind, own.to_owned()))
}

fn failed(path: &str, source: IoError) -> Error {
    Error::Io { path: path.to_owned(), source }
}

/// A count that must be all of the bytes.
fn all(path: &str, count: Result<f64, JsValue>, bytes: usize, short: ErrorKind) -> Result<(), Error> {
    match count {
        Ok(count) if count == bytes as f64 => Ok(()),
        Ok(_) => Err(failed(path, short.into())),
        Err(exception) => Err(thrown(path, &exception)),
    }
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

pub(super) struct JsFolder(pub(super) JsDir);

impl Dir for JsFolder {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        let how = match access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Create => "create",
        };
        let name = name(path);
        let opened = self.0.open(name, how).map_err(|exception| thrown(name, &exception));
        Poll::Ready(opened.map(|js| Box::new(Opened { js, name: name.to_owned() }) as Box<dyn DirFile>))
    }

    fn create_folder(&self, _path: &Path) -> Asked<bool> {
        // There is one folder, which is there.
        Poll::Ready(Ok(false))
    }

    fn rename(&self, from: &Path, _to: &Path) -> Asked<()> {
        Poll::Ready(Err(failed(name(from), ErrorKind::Unsupported.into())))
    }

    fn remove(&self, path: &Path) -> Asked<()> {
        let name = name(path);
        Poll::Ready(self.0.remove(name).map_err(|exception| thrown(name, &exception)))
    }

    fn list(&self, _folder: &Path) -> Asked<Vec<DirEntry>> {
        let entry = |entry: JsValue| {
            let get = |name: &str| Reflect::get(&entry, &name.into()).unwrap_or_default();
            let length = get("length").as_f64().unwrap_or_default() as u64;
            Some(DirEntry { name: get("name").as_string()?, is_folder: false, length })
        };
        let listed = self.0.list().map_err(|exception| thrown("folder", &exception));
        Poll::Ready(listed.map(|entries| entries.iter().filter_map(entry).collect()))
    }

    fn sync_folder(&self, _folder: &Path) -> Asked<()> {
        Poll::Ready(self.0.sync_names().map_err(|exception| thrown("folder", &exception)))
    }

    fn lock(&self, _folder: &Path) -> Asked<DirLock> {
        match self.0.is_writer() {
            Ok(true) => Poll::Ready(Ok(DirLock::held(()))),
            Ok(false) => Poll::Pending,
            Err(exception) => Poll::Ready(Err(thrown("folder", &exception))),
        }
    }
}

/// An open file with its name, for errors.
struct Opened {
    js: JsFile,
    name: String,
}

impl Opened {
    fn done<T>(&self, done: Result<T, JsValue>) -> Result<T, Error> {
        done.map_err(|exception| thrown(&self.name, &exception))
    }
}

impl DirFile for Opened {
    fn length(&self) -> Result<u64, Error> {
        self.done(self.js.bytes()).map(|length| length as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        let length = into.len();
        all(&self.name, self.js.read(into, offset as f64), length, ErrorKind::UnexpectedEof)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        all(&self.name, self.js.write(bytes, offset as f64), bytes.len(), ErrorKind::WriteZero)
    }

    fn set_length(&mut self, length: u64) -> Result<(), Error> {
        self.done(self.js.truncate(length as f64))
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.done(self.js.flush())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // What it has written is durable, or it was told that it is not.
        let _ = self.js.close();
    }
}

/// A file that a merge reads.
pub(super) struct Input(pub(super) JsInput);

impl ReadAt for Input {
    fn length(&self) -> u64 {
        self.0.bytes() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        let length = into.len();
        all("input", self.0.read(into, extent.offset as f64), length, ErrorKind::UnexpectedEof)
    }
}

/// The file that a merge writes.
pub(super) struct Output {
    pub(super) js: JsFile,
    pub(super) length: u64,
}

impl Output {
    /// Makes it durable.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.js.flush().map_err(|exception| thrown("output", &exception))
    }
}

impl Sink for Output {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.js.truncate(length as f64).map_err(|exception| thrown("output", &exception))
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        all("output", self.js.write(piece, self.length as f64), piece.len(), ErrorKind::WriteZero)?;
        self.length += piece.len() as u64;
        Ok(())
    }
}
