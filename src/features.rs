//! What a feature of the crate adds to code that is there anyway. Whoever asks for what is left out gets an error; the compiler drops
//! what no call can reach.

/// Clusters in segments that are built, with their calibration; training of pq; the check of what codes find.
pub(crate) const CLUSTERS: bool = cfg!(feature = "clusters");
