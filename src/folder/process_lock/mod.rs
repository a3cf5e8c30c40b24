//! Which process writes a collection. Programs in Rust and the command line keep each other out by the lock of the file system on
//! `.lock`. Node, Deno and Bun have no such locks, so who has that one also makes the file `lock`, which says who writes; its
//! holder touches it, and removes it at the end. `docs/collections.md` has the protocol: `pkg/src/collection/dirs/process-lock.js`
//! follows it, too.
//!
//! | file | duty |
//! |---|---|
//! | `mod` | takes the lock, keeps it alive, and gives it back |
//! | `holder` | who holds it: the line in the file, and whether that process is alive |
//! | `dir` | the file system as a `Dir` that locks so |

mod dir;
mod holder;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::exec::Periodic;
use crate::storage::{Dir as _, DirLock, FsDir, io_error};
pub(super) use dir::CollectionDir;
use holder::Holder;

const NAME: &str = "lock";
/// Whoever removes a stale lock has made this file.
const BREAK: &str = "lock.break";
/// How often a holder says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Who cannot be looked up is believed for so long after that.
const STALE: Duration = Duration::from_secs(60);
/// A line that is not whole is one that is being written, for so long.
const TORN: Duration = Duration::from_secs(2);
/// To break a lock takes no longer.
const BREAKING: Duration = Duration::from_secs(10);
/// How long is waited where nobody is known to write: another program is about to say so, or the system has not yet released what
/// a killed one held, or that one was killed before its line was whole.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(5);

/// Holds the lock until it is dropped.
struct Held {
    /// Ends before the file is removed.
    heartbeat: Option<Periodic>,
    path: PathBuf,
    line: String,
    /// Released last.
    _flock: DirLock,
}

/// What an attempt found.
enum Found {
    Free(Held),
    By(Holder),
    /// Nobody who is known to write.
    Nobody,
}

/// Takes the lock of a folder.
///
/// # Errors
/// `locked`, with the process that holds it; `io`.
fn take(folder: &Path) -> Result<DirLock, Error> {
    let started = Instant::now();
    loop {
        let by = match attempt(folder)? {
            Found::Free(held) => return Ok(DirLock::held(held)),
            Found::By(holder) => Some(holder),
            Found::Nobody if started.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
                continue;
            }
            Found::Nobody => None,
        };
        let path = folder.display().to_string();
        return Err(Error::CollectionLocked { path, by: by.map(|holder| holder.to_string()) });
    }
}

fn attempt(folder: &Path) -> Result<Found, Error> {
    let path = folder.join(NAME);
    let named = |source| io_error(&path, source);
    let std::task::Poll::Ready(flock) = FsDir.lock(folder) else {
        let line = read(&path).map_err(named)?;
        let holder = line.as_deref().and_then(Holder::parse).filter(|holder| !holder.is_gone(&age(&path)));
        return Ok(holder.map_or(Found::Nobody, Found::By));
    };
    let flock = flock?;
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => hold(file, path.clone(), flock).map(Found::Free).map_err(named),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => match break_stale(&path).map_err(named)? {
            Some(line) => Ok(Holder::parse(&line).map_or(Found::Nobody, Found::By)),
            None => Ok(Found::Nobody),
        },
        Err(e) => Err(named(e)),
    }
}

/// Says who holds the lock, and from then on that it is alive.
fn hold(mut file: File, path: PathBuf, flock: DirLock) -> io::Result<Held> {
    let line = Holder::own().line();
    if let Err(error) = file.write_all(line.as_bytes()) {
        drop(file);
        remove(&path)?;
        return Err(error);
    }
    let mut held = Held { heartbeat: None, path, line, _flock: flock };
    held.heartbeat = Some(Periodic::start(HEARTBEAT, move |_| {
        // A process that lives is known without it, and the next one may succeed.
        let _ = file.set_modified(SystemTime::now());
    })?);
    Ok(held)
}

impl Drop for Held {
    fn drop(&mut self) {
        // Its file is closed by that: some systems do not remove what is open.
        self.heartbeat = None;
        // One that was stopped for very long may have lost the lock.
        if read(&self.path).is_ok_and(|line| line.as_ref() == Some(&self.line)) {
            // One that stays is stale as soon as this process has ended.
            let _ = remove(&self.path);
        }
    }
}

/// Removes a lock whose holder has gone. Returns what it says if it may be alive.
fn break_stale(path: &Path) -> io::Result<Option<String>> {
    let Some(before) = read(path)? else { return Ok(None) };
    if !is_stale(path, &before) {
        return Ok(Some(before));
    }
    let breaker = path.with_file_name(BREAK);
    match OpenOptions::new().write(true).create_new(true).open(&breaker) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            if age(&breaker)() > BREAKING {
                remove(&breaker)?;
            }
            return Ok(None);
        }
        Err(e) => return Err(e),
    }
    // Another one may have broken it and taken it meanwhile.
    let removed = match read(path) {
        Ok(Some(now)) if now == before && is_stale(path, &now) => remove(path),
        other => other.map(|_| ()),
    };
    remove(&breaker)?;
    removed.map(|()| None)
}

fn is_stale(path: &Path, line: &str) -> bool {
    match Holder::parse(line) {
        Some(holder) => holder.is_gone(&age(path)),
        None => age(path)() > TORN,
    }
}

/// How long ago a file was modified: 0 if it is not there, or if its time is in the future.
fn age(path: &Path) -> impl Fn() -> Duration {
    let path = path.to_owned();
    move || {
        let modified = fs::metadata(&path).and_then(|meta| meta.modified());
        modified.ok().and_then(|modified| modified.elapsed().ok()).unwrap_or_default()
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

#[cfg(test)]
mod tests;
