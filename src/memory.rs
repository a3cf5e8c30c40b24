//! Memory that is asked for before it is used, so that too little of it is an error.

use crate::error::Error;

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
