//! The values of one row against a program: what the indexes of all rows have to agree with.

use crate::payload::program::{Op, Program, Test};
use crate::payload::value::ValueRef;

impl Program {
    /// Whether a row matches. `values` gives those of a field by its number. `stack` is memory that is used again by the
    /// next row; whatever it holds is dropped.
    pub(crate) fn matches<'a, V>(&self, values: impl Fn(usize) -> V, stack: &mut Vec<bool>) -> bool
    where
        V: IntoIterator<Item = ValueRef<'a>>,
    {
        stack.clear();
        for op in &self.ops {
            let result = match op {
                Op::Test(field, test) => values(*field).into_iter().any(|value| test.passes(value)),
                Op::All(all) => *all,
                Op::And(count) => taken(stack, *count, |of| of.iter().all(|&matches| matches)),
                Op::Or(count) => taken(stack, *count, |of| of.iter().any(|&matches| matches)),
                Op::Not => !stack.pop().unwrap_or_default(),
            };
            stack.push(result);
        }
        stack.pop().unwrap_or_default()
    }
}

impl Test {
    /// Whether a value passes.
    pub(crate) fn passes(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Test::Exists, _) => true,
            (Test::Terms(texts), ValueRef::Text(text)) => {
                texts.binary_search_by(|other| (**other).cmp(text)).is_ok()
            }
            (Test::Keys(ranges), ValueRef::Key(key)) => {
                let at = ranges.partition_point(|&(_, last)| last < key);
                ranges.get(at).is_some_and(|&(first, _)| first <= key)
            }
            (Test::Area(area), ValueRef::Point(point)) => area.contains(point),
            _ => false,
        }
    }
}

/// Takes the last so many results.
fn taken(stack: &mut Vec<bool>, count: usize, joined: impl Fn(&[bool]) -> bool) -> bool {
    let from = stack.len().saturating_sub(count);
    let result = joined(&stack[from..]);
    stack.truncate(from);
    result
}
