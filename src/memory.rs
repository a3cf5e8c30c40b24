//! Memory that is asked for before it is used, so that too little of it is an error; and memory that several share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// A value that several own; none changes it. Rooms that know no threads share by this name.
pub(crate) type Shared<T> = Arc<T>;

/// Locks what is whole at every moment: the panic of another thread, which poisons a lock, is nothing to those that come after it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Values for which a vector that grows has room at first.
const LEAST: usize = 16;

/// An empty vector with room for `count` values.
///
/// # Errors
/// `out-of-memory`.
pub(crate) fn room_for<T>(count: usize) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    let bytes = count as u64 * size_of::<T>() as u64;
    values.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
    Ok(values)
}

/// The capacity that a vector needs for `more` values: it is doubled, up to `most`.
pub(crate) fn grown<T>(values: &Vec<T>, more: usize, most: usize) -> usize {
    let (now, needed) = (values.capacity(), values.len().saturating_add(more).min(most));
    if needed <= now { now } else { needed.max(now.saturating_mul(2)).max(LEAST).min(most) }
}

/// Gives a vector exactly this capacity, if it has less.
///
/// # Errors
/// `out-of-memory`.
pub(crate) fn grow<T>(values: &mut Vec<T>, capacity: usize) -> Result<(), Error> {
    let bytes = capacity as u64 * size_of::<T>() as u64;
    let more = capacity.saturating_sub(values.len());
    let more = if capacity > values.capacity() { more } else { 0 };
    values.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { bytes })
}

/// The bytes that a vector has allocated.
pub(crate) fn bytes<T>(values: &Vec<T>) -> u64 {
    values.capacity() as u64 * size_of::<T>() as u64
}
