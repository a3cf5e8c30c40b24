//! The clustered index, searched: which few lists of codes hold the near rows?
//!
//! | file | duty |
//! |---|---|
//! | `width` | how wide one search looks, from what the build measured |
//! | `bound` | how near the rows of a cell or a leaf may be to a query |
//! | `probe` | one query's way: cells → leaves → lists → candidates |

mod bound;
mod probe;
mod width;

pub(crate) use bound::{ListCodes, ListScratch, QueryBound, copies_last};
pub(crate) use probe::{ListHit, Probe, ProbeScratch, nth};
pub(crate) use width::{ProbeWidth, Wanted, width};
