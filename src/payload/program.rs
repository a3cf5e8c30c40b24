//! A filter that was checked against the fields of one segment: what its indexes have to answer.

use super::geo::Area;

/// In postfix order: each operation takes what those before it left. It leaves one set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
}

/// An operation on sets of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// The rows that pass a test of the field of this number.
    Test(usize, Test),
    /// All rows, or none: of a field that the segment does not have, of `{}`, of `$in: []`.
    All(bool),
    /// The rows of all of the last so many sets (at least 1).
    And(usize),
    /// The rows of any of the last so many sets (at least 1).
    Or(usize),
    /// All rows that the last set does not have.
    Not,
}

/// A test of the values of a row; one that passes is enough.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// One of these texts, of keywords and booleans: rising, each once.
    Terms(Vec<Box<str>>),
    /// A key in one of these ranges, both ends included: rising, without overlap.
    Keys(Vec<(u64, u64)>),
    /// A point in an area.
    Area(Area),
    /// Any value.
    Exists,
}
