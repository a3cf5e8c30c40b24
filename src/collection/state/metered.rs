//! Searches of a collection, counted.

use crate::collection::state::Snapshot;
use crate::error::Error;
use crate::search::{Answer, SearchOptions};
use crate::trace;

impl Snapshot {
    /// The rows nearest to each of `queries` (row-major).
    ///
    /// # Errors
    /// As [`Index::search_batch`](crate::Index::search_batch).
    pub fn search_batch(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        let count = queries.len() / self.0.settings.dim;
        let _span = trace::search(count);
        self.0.meter.timed(count, || self.answers(queries, options))
    }
}
