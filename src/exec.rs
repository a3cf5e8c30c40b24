//! Parallel loops: the only module that uses threads. The borders of chunks do not depend on the number of threads, so
//! results do not either.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::memory::lock;

fn chunks(count: usize, size: usize) -> impl Fn(usize) -> Range<usize> {
    let size = size.max(1);
    move |i| i * size..(i * size + size).min(count)
}

/// Calls `f` for `0..count` in chunks of `size`; returns the results in order.
#[cfg(feature = "native")]
pub(crate) fn map_chunks<T: Send>(count: usize, size: usize, f: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    use rayon::prelude::*;
    let range = chunks(count, size);
    (0..count.div_ceil(size.max(1))).into_par_iter().map(|i| f(range(i))).collect()
}

/// Calls `f` for `0..count` in chunks of `size`; returns the results in order.
#[cfg(not(feature = "native"))]
pub(crate) fn map_chunks<T: Send>(count: usize, size: usize, f: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let range = chunks(count, size);
    (0..count.div_ceil(size.max(1))).map(|i| f(range(i))).collect()
}

/// Calls `f(index of the chunk, chunk)` for `data` in chunks of `size` elements.
#[cfg(feature = "native")]
pub(crate) fn for_each_chunk_mut<T: Send>(data: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    use rayon::prelude::*;
    data.par_chunks_mut(size.max(1)).enumerate().for_each(|(i, chunk)| f(i, chunk));
}

/// Calls `f(index of the chunk, chunk)` for `data` in chunks of `size` elements.
#[cfg(not(feature = "native"))]
pub(crate) fn for_each_chunk_mut<T: Send>(data: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    data.chunks_mut(size.max(1)).enumerate().for_each(|(i, chunk)| f(i, chunk));
}

/// As [`for_each_chunk_mut`] where `f` may fail. The error is that of the first chunk that has one, whichever chunk
/// runs first.
pub(crate) fn try_for_each_chunk_mut<T: Send, E: Send>(
    data: &mut [T],
    size: usize,
    f: impl Fn(usize, &mut [T]) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let failed = Mutex::new(None::<(usize, E)>);
    for_each_chunk_mut(data, size, |chunk, data| {
        let Err(error) = f(chunk, data) else { return };
        let mut failed = lock(&failed);
        if failed.as_ref().is_none_or(|first| chunk < first.0) {
            *failed = Some((chunk, error));
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), |(_, error)| Err(error))
}

/// Runs `f` with `threads` threads; 0 is one per core. Builds and batches inside `f` use no others.
#[cfg(feature = "native")]
pub fn with_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> Result<T, crate::Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| crate::Error::argument("threads", e.to_string()))?;
    Ok(pool.install(f))
}

/// Work that is done again and again on a thread of its own, until this is dropped.
#[cfg(feature = "native")]
pub(crate) struct Periodic {
    stop: std::sync::Arc<(Mutex<bool>, std::sync::Condvar)>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[cfg(feature = "native")]
impl Periodic {
    /// Calls `f` whenever so much time has passed since it returned. It gets a function that says whether it should end soon.
    pub(crate) fn start(
        every: std::time::Duration,
        mut f: impl FnMut(&(dyn Fn() -> bool + Sync)) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = std::sync::Arc::new((Mutex::new(false), std::sync::Condvar::new()));
        let shared = std::sync::Arc::clone(&stop);
        let run = move || loop {
            let stopped = || *lock(&shared.0);
            let guard = lock(&shared.0);
            let waited = shared.1.wait_timeout_while(guard, every, |stopped| !*stopped);
            drop(waited);
            if stopped() {
                return;
            }
            f(&stopped);
        };
        let thread = std::thread::Builder::new().name("pagevec maintenance".to_owned()).spawn(run)?;
        Ok(Periodic { stop, thread: Some(thread) })
    }
}

#[cfg(feature = "native")]
impl Drop for Periodic {
    fn drop(&mut self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported; the collection is as it was before the call.
            let _ = thread.join();
        }
    }
}
