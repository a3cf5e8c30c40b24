//! The names of temporary files.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder that holds the name of `path`.
pub(super) fn parent(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// A name beside `path` that no other writer uses, in this process or another, on this machine or another that shares
/// the folder.
pub(super) fn temporary(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().build_hasher().finish();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{count:x}-{random:016x}.tmp"));
    path.with_file_name(name)
}

/// The name that the temporary file `name` was written for.
pub(super) fn meant_for(name: &str) -> Option<&str> {
    Some(name.strip_suffix(".tmp")?.rsplit_once('.')?.0)
}
