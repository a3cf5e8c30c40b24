//! What an index knows of the fields of its rows beside searches: how many rows match, and which values they have.

use super::Index;
use crate::error::Error;
use crate::payload::{FieldKind, Filter};
use crate::search::{Operation, Outcome, RowPage, RowsQuery, ValueCounts};
use crate::segment::payload::PayloadHead;

impl Index {
    /// The fields of the segments, and whether they are indexed.
    pub(crate) fn payload_fields(&self) -> impl Iterator<Item = (&str, FieldKind)> {
        self.members()
            .iter()
            .filter_map(|member| member.segment.payload.as_ref())
            .flat_map(PayloadHead::kinds)
    }

    /// How many rows match a filter; `None`: all rows.
    ///
    /// # Errors
    /// `filter` for a field that is not indexed, or an operand of another type; `io`, `checksum`, `corrupt`.
    pub fn count(&self, filter: impl Into<Option<Filter>>) -> Result<u64, Error> {
        match self.run(Operation::Count(filter.into()))? {
            Outcome::Count(count) => Ok(count),
            _ => Err(Error::internal("a count gave no number")),
        }
    }

    /// A page of the rows that match a filter, as they are stored or sorted by a field.
    ///
    /// # Errors
    /// As [`Index::count`]; `filter` for a field by which rows cannot be sorted.
    pub fn page(&self, query: RowsQuery) -> Result<RowPage, Error> {
        match self.run(Operation::Page(query))? {
            Outcome::Rows(page) => Ok(page),
            _ => Err(Error::internal("a page gave no rows")),
        }
    }

    /// How many of the rows that match a filter (`None`: of all rows) have each value of a field: of the values that most
    /// rows have, at most `limit`. A row with several values counts for each.
    ///
    /// # Errors
    /// As [`Index::count`]; `filter` for a field of points.
    pub fn facets(
        &self,
        field: &str,
        filter: impl Into<Option<Filter>>,
        limit: usize,
    ) -> Result<ValueCounts, Error> {
        let field = field.to_owned();
        match self.run(Operation::Facets { field, filter: filter.into(), limit })? {
            Outcome::Facets(counts) => Ok(counts),
            _ => Err(Error::internal("facets gave no counts")),
        }
    }
}
