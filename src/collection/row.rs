//! What callers give and get.

use crate::id::Id;

/// A row that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRow<'a> {
    pub(super) id: Id,
    pub(super) vector: &'a [f32],
    pub(super) fields: &'a str,
}

impl<'a> NewRow<'a> {
    /// A row with this id: a number up to 2^53 - 1, or a text.
    pub fn new(id: impl Into<Id>, vector: &'a [f32]) -> Self {
        NewRow { id: id.into(), vector, fields: "" }
    }

    /// A JSON object, which is stored as it is.
    #[must_use]
    pub fn fields(self, fields: &'a str) -> Self {
        NewRow { fields, ..self }
    }
}

/// What a repair has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// The operations that are left, from the first on.
    pub sequence: u64,
    /// Live rows.
    pub count: usize,
    /// The segments that were given up, each with the reason.
    pub segments: Vec<String>,
    /// Copies of damaged files.
    pub kept: Vec<String>,
}
