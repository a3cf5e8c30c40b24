//! The options of a session.

use crate::search::IndexChoice;

/// How to open a session.
///
/// ```
/// use pagevec::{IndexChoice, SessionOptions};
/// let options = SessionOptions::new(64 << 20).index(IndexChoice::Hnsw);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// The session holds at most so many bytes of the file.
    pub memory_budget: u64,
    /// The index for whose searches the memory is divided. With [`IndexChoice::Hnsw`] codes and graph come before all
    /// else, and a graph that does not fit can be searched node by node; other searches still work.
    pub index: IndexChoice,
}

setters!(SessionOptions { memory_budget: u64, index: IndexChoice });

impl SessionOptions {
    /// A budget that is divided for the searches that `auto` chooses.
    pub fn new(memory_budget: u64) -> Self {
        SessionOptions { memory_budget, index: IndexChoice::Auto }
    }
}
