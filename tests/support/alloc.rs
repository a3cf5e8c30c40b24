//! An allocator that counts what the calling thread holds, for tests of how much a call may allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Make it a test binary's `#[global_allocator]`.
pub(crate) struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
    static TOTAL: Cell<u64> = const { Cell::new(0) };
    static TIMES: Cell<u64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // A thread that is ending has no counters any more: what it frees then counts for nobody.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
    let _ = TOTAL.try_with(|total| total.set(total.get() + bytes.max(0) as u64));
    let _ = TIMES.try_with(|times| times.set(times.get() + u64::from(bytes > 0)));
}

// SAFETY: every call goes to the system's allocator with the arguments it came with; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64);
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps `realloc`'s contract, and the pointer came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps `dealloc`'s contract, and the pointer came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What `f` used on this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// The most it held at once beyond what was held before.
    pub(crate) peak: u64,
    /// The sum of all it asked for.
    pub(crate) total: u64,
    /// How often it asked.
    pub(crate) times: u64,
    /// What it still holds.
    pub(crate) kept: i64,
}

pub(crate) fn used<T>(f: impl FnOnce() -> T) -> (T, Used) {
    let before = HELD.get();
    PEAK.set(before);
    let (total, times) = (TOTAL.get(), TIMES.get());
    let value = f();
    let used = Used {
        peak: (PEAK.get() - before) as u64,
        total: TOTAL.get() - total,
        times: TIMES.get() - times,
        kept: HELD.get() - before,
    };
    (value, used)
}
