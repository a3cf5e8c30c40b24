//! How the clustered index is searched.
//!
//! | file | duty |
//! |---|---|
//! | `width` | how many cells and lists a search reads, by what the build measured |
//! | `bound` | how near the rows of a cell or a leaf may be to a query |
//! | `enough` | which cells and leaves are enough where only some rows may be hits |
//! | `probe` | the way of one query: cells → leaves → lists |
//! | `joint` | what the segments of an index read, chosen together |
//! | `ranked` | leaves as a search ranks them, and what is read of them |
//! | `hits`  | the rows that the lists give → candidates |

mod bound;
mod enough;
mod hits;
mod joint;
mod probe;
mod ranked;
mod width;

pub(crate) use bound::{ListCodes, ListScratch, QueryBound, copies_last};
pub(super) use hits::sort_by_key;
pub(crate) use hits::{ListHit, nth, worst_of};
pub(crate) use joint::{InCommon, Joint, narrow};
pub(crate) use probe::{Probe, ProbeScratch};
pub(super) use ranked::RankedLeaf;
pub(crate) use width::Wanted;
