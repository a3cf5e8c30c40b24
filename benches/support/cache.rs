//! Drops a file's pages from the system's cache, and checks that they are gone.

use std::fs::File;
use std::io;
use std::path::Path;

/// What the numbers of a cold search rest on.
pub(crate) const HOW: &str = "cold: before each query the file is synced and unmapped, its pages are dropped with \
posix_fadvise(DONTNEED), mincore counts none of them in memory, and the file is opened and mapped anew \
(opening is not in the time; it reads the front). What lies below the system - a virtual disk's host, a \
drive's own cache - may still hold the bytes.";

/// Drops the pages of a file that nobody maps; an error if some stay.
#[cfg(target_os = "linux")]
pub(crate) fn drop_pages(path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let file = File::open(path)?;
    file.sync_all()?;
    let mut left = (0, 0);
    // Pages that are still on their way from the disk cannot be dropped yet.
    for _ in 0..100 {
        // SAFETY: a call about a descriptor that is open; it touches no memory of ours.
        let failed = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        if failed != 0 {
            return Err(io::Error::from_raw_os_error(failed));
        }
        left = resident(&file)?;
        if left.0 == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err(io::Error::other(format!("{} of {} pages stay in memory (a tmpfs?)", left.0, left.1)))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn drop_pages(_path: &Path) -> io::Result<()> {
    Err(io::Error::other("dropping pages from the cache is known for Linux only"))
}

/// Pages of the file that are in memory, and all of them.
#[cfg(target_os = "linux")]
pub(crate) fn resident(file: &File) -> io::Result<(usize, usize)> {
    // SAFETY: nobody writes the file; the mapping is read by nobody, mincore only looks at where its pages are.
    let map = unsafe { memmap2::Mmap::map(file) }?;
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let mut pages = vec![0u8; map.len().div_ceil(page)];
    // SAFETY: the mapping is as long as is said, and there is a byte for each of its pages.
    match unsafe { libc::mincore(map.as_ptr().cast_mut().cast(), map.len(), pages.as_mut_ptr()) } {
        0 => Ok((pages.iter().filter(|p| **p & 1 == 1).count(), pages.len())),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Major and minor page faults of this process so far: those that read from the disk, and those that did not.
pub(crate) fn faults() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse().ok()).unwrap_or(0);
    (field(9), field(7))
}

/// The value that `percent` of `times` do not exceed, in milliseconds.
pub(crate) fn percentile(times: &mut [std::time::Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}
