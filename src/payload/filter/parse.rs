//! A filter of JSON: the logic of fields and operators, by a list of tasks, so that nothing recurses.

use super::field::{FIELD_OPERATORS, operators};
use super::suggest::nearest;
use super::{Filter, MOST_NODES, MOST_VALUES, Node};
use crate::error::{Error, Quoted};
use crate::payload::json::Json;

/// `$and`, `$or`, `$nor` and `$not` stand within each other at most so deep.
const MOST_DEPTH: usize = 32;
const OPERATORS: [&str; 4] = ["$and", "$or", "$nor", "$not"];

/// What is left to do. The last one is next.
pub(super) enum Task<'a> {
    /// Reads an object of fields and operators.
    Query(&'a Json, Place),
    /// Reads what a field is compared with.
    Field(&'a str, &'a Json, Place),
    Done(Filter),
    /// Joins the last so many filters.
    Join(fn(usize) -> Node, usize),
    Not,
}

/// Where in the filter.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) path: String,
    depth: usize,
}

#[derive(Default)]
pub(super) struct Parser<'a> {
    tasks: Vec<Task<'a>>,
    done: Vec<Filter>,
    nodes: usize,
    values: usize,
}

impl Filter {
    /// Reads a filter of JSON, such as `{ "pos": "n", "price": { "$lt": 50 } }`; docs/filters.md has the language. `{}`
    /// matches every row.
    ///
    /// # Errors
    /// `filter`, with the path of the fault. No condition is ever ignored.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let json = Json::parse(json).map_err(|reason| Error::filter("", format!("no JSON: {reason}")))?;
        let mut parser = Parser::default();
        parser.tasks.push(Task::Query(&json, Place { path: String::new(), depth: 0 }));
        while let Some(task) = parser.tasks.pop() {
            parser.run(task)?;
        }
        parser.done.pop().ok_or_else(|| Error::internal("a filter left nothing"))
    }
}

impl<'a> Parser<'a> {
    fn run(&mut self, task: Task<'a>) -> Result<(), Error> {
        match task {
            Task::Query(value, place) => self.query(value, &place),
            Task::Field(name, value, place) => operators(self, name, value, place),
            Task::Done(filter) => {
                self.done.push(filter);
                self.count(1)
            }
            Task::Join(by, count) => {
                let filters = self.done.split_off(self.done.len().saturating_sub(count));
                self.done.push(Filter::joined(filters, by));
                self.count(usize::from(count > 1))
            }
            Task::Not => {
                let filter = self.done.pop().ok_or_else(|| Error::internal("a `not` of nothing"))?;
                self.done.push(filter.not());
                self.count(1)
            }
        }
    }

    fn query(&mut self, value: &'a Json, place: &Place) -> Result<(), Error> {
        let Json::Object(fields) = value else {
            let hint = if *value == Json::Null { ". {} matches every row" } else { "" };
            let what = value.describe();
            return Err(
                place.fault(format!("a filter is an object such as {{\"pos\": \"n\"}}, not {what}{hint}"))
            );
        };
        if fields.is_empty() {
            self.tasks.push(Task::Done(Filter::all()));
            return Ok(());
        }
        let mut tasks = Vec::new();
        for (name, value) in fields {
            if name.starts_with('$') {
                self.logic(name, value, place.child(name), &mut tasks)?;
            } else {
                tasks.push(vec![Task::Field(name, value, place.child(name))]);
            }
        }
        self.all_of(tasks);
        Ok(())
    }

    /// `$and`, `$or`, `$nor` and `$not`.
    fn logic(
        &self,
        name: &str,
        value: &'a Json,
        place: Place,
        into: &mut Vec<Vec<Task<'a>>>,
    ) -> Result<(), Error> {
        if !OPERATORS.contains(&name) {
            return Err(place.fault(unknown(name)));
        }
        let place = place.deeper()?;
        if name == "$not" {
            into.push(vec![Task::Query(value, place), Task::Not]);
            return Ok(());
        }
        let Json::Array(filters) = value else {
            let what = value.describe();
            return Err(place.fault(format!("{name} takes an array of filters, not {what}")));
        };
        if filters.is_empty() {
            return Err(place.fault(format!("{name} has no filters: leave it out, or give at least one")));
        }
        if filters.len() > MOST_NODES {
            return Err(too_many(&place.path));
        }
        let mut tasks: Vec<_> =
            filters.iter().enumerate().map(|(at, filter)| Task::Query(filter, place.item(at))).collect();
        tasks.push(Task::Join(if name == "$and" { Node::And } else { Node::Or }, filters.len()));
        if name == "$nor" {
            tasks.push(Task::Not);
        }
        into.push(tasks);
        Ok(())
    }

    /// Does all of these next, in their order; each leaves one filter, and all have to match.
    pub(super) fn all_of(&mut self, filters: Vec<Vec<Task<'a>>>) {
        self.tasks.push(Task::Join(Node::And, filters.len()));
        self.tasks.extend(filters.into_iter().flatten().rev());
    }

    /// Counts values of lists.
    pub(super) fn count_values(&mut self, values: usize, place: &Place) -> Result<(), Error> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES { Err(too_many_values(&place.path)) } else { Ok(()) }
    }

    fn count(&mut self, nodes: usize) -> Result<(), Error> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES { Err(too_many("")) } else { Ok(()) }
    }
}

impl Place {
    pub(super) fn fault(&self, detail: impl Into<String>) -> Error {
        Error::filter(self.path.clone(), detail)
    }

    /// The place of a field or an operator within this one.
    pub(super) fn child(&self, name: &str) -> Place {
        let path = match (shown(name), self.path.is_empty()) {
            (name, true) => name,
            (name, false) if name.starts_with('[') => format!("{}{name}", self.path),
            (name, false) => format!("{}.{name}", self.path),
        };
        Place { path, depth: self.depth }
    }

    /// The place of an item of an array.
    pub(super) fn item(&self, at: usize) -> Place {
        Place { path: format!("{}[{at}]", self.path), depth: self.depth }
    }

    /// The same place, counted as one level of logic.
    pub(super) fn deeper(mut self) -> Result<Place, Error> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.fault(format!("more than {MOST_DEPTH} levels of $and, $or, $nor and $not")));
        }
        Ok(self)
    }
}

/// A name as a part of a path: plain, or in brackets; of a long one, its beginning.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut rest = name.chars();
    let mut text: String = rest.by_ref().take(LONGEST).collect();
    if rest.next().is_some() {
        text.push('…');
    }
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric()
            || !(letter.is_ascii() || letter.is_control())
            || "_-$".contains(letter)
    };
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("[{}]", Quoted(&text)) }
}

pub(super) fn too_many(path: &str) -> Error {
    Error::filter(
        path,
        format!(
            "more than {MOST_NODES} conditions and operators: write several values of one field as one $in, or store \
             what they say in a field of its own"
        ),
    )
}

pub(super) fn too_many_values(path: &str) -> Error {
    Error::filter(
        path,
        format!(
            "more than {MOST_VALUES} values in one filter: store what they have in common in a field of its own"
        ),
    )
}

/// Which operator was meant beside fields.
fn unknown(name: &str) -> String {
    if FIELD_OPERATORS.contains(&name) {
        return format!("{name} stands within a field: write {{\"price\": {{\"{name}\": …}}}}");
    }
    match nearest(name, OPERATORS) {
        Some(meant) => format!("there is no such operator; did you mean {meant}?"),
        None => format!(
            "there is no such operator; beside fields stand {}, and within fields {}",
            OPERATORS.join(", "),
            FIELD_OPERATORS.join(", ")
        ),
    }
}
