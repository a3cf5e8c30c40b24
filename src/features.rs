//! What a feature of the crate adds to code that is there anyway. Whoever asks for what is left out gets an error; the compiler drops
//! what no call can reach.

use crate::error::Error;

/// Clusters in segments that are built, with their calibration; training of pq; the check of what codes find.
pub(crate) const CLUSTERS: bool = cfg!(feature = "clusters");

/// Whoever evaluates a filter holds one. Without the feature no value of this type exists, so the compiler knows that nothing that
/// holds one does, and drops its code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filters {
    #[cfg(feature = "filters")]
    Built,
}

/// # Errors
/// `argument` without the feature.
pub(crate) fn filters() -> Result<Filters, Error> {
    #[cfg(feature = "filters")]
    let filters = Ok(Filters::Built);
    #[cfg(not(feature = "filters"))]
    let filters = Err(Error::argument(
        "filter",
        "this build of pagevec has no filters, facets and sorted rows: turn the crate's feature `filters` on",
    ));
    filters
}
