//! Conditions on the fields of rows.
//!
//! | file | duty |
//! |---|---|
//! | `mod`     | a filter, and how Rust builds one |
//! | `operand` | the values that fields are compared with |
//! | `parse`   | a filter of JSON: its logic |
//! | `field`   | a filter of JSON: the operators of one field |
//! | `suggest` | which name was meant |
//! | `check`   | whether the fields of an index fit, and the program of one segment |
//! | `convert` | operands as terms and keys of a type |

mod check;
mod convert;
mod field;
mod operand;
mod parse;
pub(crate) mod suggest;

pub(crate) use check::facet_type;
pub use operand::Operand;

use crate::memory::bytes;
use std::ops::{Bound, Not};

/// A filter has at most so many conditions and operators.
const MOST_NODES: usize = 1024;
/// The lists of a filter have at most so many values together.
const MOST_VALUES: usize = 10_000;

/// Which rows are wanted: conditions on their fields. [`Filter::parse`] reads one from JSON; the other functions build
/// the same in Rust. docs/filters.md has the meaning of each condition.
///
/// ```
/// use pagevec::Filter;
///
/// let built = Filter::eq("pos", "n").and(Filter::lt("price", 50)).and(!Filter::exists("sold"));
/// let parsed = Filter::parse(r#"{ "pos": "n", "price": { "$lt": 50 }, "sold": { "$exists": false } }"#)?;
/// assert_eq!(built, parsed);
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// In postfix order: each takes what those before it left, and one is left. A list, so that nothing recurses. An
    /// `And` has no `And` among what it takes, an `Or` no `Or`.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Condition(Condition),
    /// Every row.
    All,
    /// All of the last so many.
    And(usize),
    /// Any of the last so many.
    Or(usize),
    /// Not the last one.
    Not,
}

/// A condition on the values of one field; one value that passes is enough.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    field: String,
    test: FieldTest,
}

#[derive(Clone, Debug, PartialEq)]
enum FieldTest {
    In(Vec<Operand>),
    Range { low: Bound<Operand>, high: Bound<Operand> },
    Exists,
    Radius { lat: f64, lon: f64, meters: f64 },
    Box { south: f64, west: f64, north: f64, east: f64 },
}

impl Filter {
    /// Every row.
    #[must_use]
    pub fn all() -> Self {
        Filter { nodes: vec![Node::All] }
    }

    /// Rows that have this value among those of the field.
    pub fn eq(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::is_in(field, [value])
    }

    /// Rows that do not have this value among those of the field. Rows without a value are among them.
    pub fn ne(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::eq(field, value).not()
    }

    /// Rows that have one of these values; none if there are no values.
    pub fn is_in(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<Operand>>) -> Self {
        Self::of(field, FieldTest::In(values.into_iter().map(Into::into).collect()))
    }

    /// Rows that have none of these values. Rows without a value are among them.
    pub fn not_in(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<Operand>>) -> Self {
        Self::is_in(field, values).not()
    }

    /// Rows that have a smaller number, or an earlier time.
    pub fn lt(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::range(field, Bound::Unbounded, Bound::Excluded(value.into()))
    }

    /// Rows that have a number that is no greater, or a time that is no later.
    pub fn lte(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::range(field, Bound::Unbounded, Bound::Included(value.into()))
    }

    /// Rows that have a greater number, or a later time.
    pub fn gt(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::range(field, Bound::Excluded(value.into()), Bound::Unbounded)
    }

    /// Rows that have a number that is no smaller, or a time that is no earlier.
    pub fn gte(field: impl Into<String>, value: impl Into<Operand>) -> Self {
        Self::range(field, Bound::Included(value.into()), Bound::Unbounded)
    }

    /// Rows that have a number or a time between two, both included. One value has to be between them: a row with the
    /// values 1 and 9 has none between 3 and 5. None if `low` is greater than `high`.
    pub fn between(field: impl Into<String>, low: impl Into<Operand>, high: impl Into<Operand>) -> Self {
        Self::range(field, Bound::Included(low.into()), Bound::Included(high.into()))
    }

    /// Rows that have a number or a time between two bounds.
    pub fn range(field: impl Into<String>, low: Bound<Operand>, high: Bound<Operand>) -> Self {
        Self::of(field, FieldTest::Range { low, high })
    }

    /// Rows that have a value, which is not `null` and not `[]`.
    pub fn exists(field: impl Into<String>) -> Self {
        Self::of(field, FieldTest::Exists)
    }

    /// Rows that have a point up to `meters` from this one, whose latitude and longitude are in degrees.
    pub fn within_radius(field: impl Into<String>, lat: f64, lon: f64, meters: f64) -> Self {
        Self::of(field, FieldTest::Radius { lat, lon, meters })
    }

    /// Rows that have a point between two parallels and two meridians, in degrees. A box whose `west` is greater than
    /// its `east` crosses the antimeridian.
    pub fn within_box(field: impl Into<String>, south: f64, west: f64, north: f64, east: f64) -> Self {
        Self::of(field, FieldTest::Box { south, west, north, east })
    }

    /// Rows that match both.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        Self::joined([self, other], Node::And)
    }

    /// Rows that match one of the two, or both.
    #[must_use]
    pub fn or(self, other: Filter) -> Self {
        Self::joined([self, other], Node::Or)
    }

    /// Rows that do not match. Rows that have no value in the field are among them.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it is implemented, too: this is for chains of calls")]
    pub fn not(mut self) -> Self {
        self.nodes.push(Node::Not);
        self
    }

    /// How many of its conditions test a field.
    pub(crate) fn tests(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Condition(_))).count()
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let of_bound = |bound: &Bound<Operand>| match bound {
            Bound::Included(value) | Bound::Excluded(value) => value.bytes(),
            Bound::Unbounded => 0,
        };
        let of_test = |test: &FieldTest| match test {
            FieldTest::In(values) => bytes(values) + values.iter().map(Operand::bytes).sum::<u64>(),
            FieldTest::Range { low, high } => of_bound(low) + of_bound(high),
            FieldTest::Exists | FieldTest::Radius { .. } | FieldTest::Box { .. } => 0,
        };
        let of = |node: &Node| match node {
            Node::Condition(condition) => condition.field.capacity() as u64 + of_test(&condition.test),
            _ => 0,
        };
        bytes(&self.nodes) + self.nodes.iter().map(of).sum::<u64>()
    }

    fn of(field: impl Into<String>, test: FieldTest) -> Self {
        Filter { nodes: vec![Node::Condition(Condition { field: field.into(), test })] }
    }

    /// Joins filters (at least one) by `And` or `Or`, and those that were joined so as one list.
    fn joined(filters: impl IntoIterator<Item = Filter>, by: fn(usize) -> Node) -> Self {
        let (mut nodes, mut joined) = (Vec::new(), 0);
        for Filter { nodes: mut others } in filters {
            let count = match others.last() {
                Some(&Node::And(count) | &Node::Or(count)) if others.last() == Some(&by(count)) => {
                    others.pop();
                    count
                }
                _ => 1,
            };
            joined += count;
            // The first is often long, and the next one short.
            if nodes.is_empty() {
                nodes = others;
            } else {
                nodes.append(&mut others);
            }
        }
        if joined > 1 {
            nodes.push(by(joined));
        }
        Filter { nodes }
    }
}

impl Not for Filter {
    type Output = Filter;

    fn not(self) -> Filter {
        Filter::not(self)
    }
}

#[cfg(test)]
mod tests;
