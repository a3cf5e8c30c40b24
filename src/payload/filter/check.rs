//! A filter against the fields of an index: whether they fit, and the program of one segment.

use super::convert::{self, Misfit};
use super::parse::{shown, too_many, too_many_values};
use super::suggest::nearest;
use super::{Condition, FieldTest, Filter, MOST_NODES, MOST_VALUES, Node};
use crate::error::Error;
use crate::payload::program::{Op, Program};
use crate::payload::schema::{FieldKind, FieldType, NotIndexed};
use crate::sort;

/// So many names are listed in a message.
const LISTED: usize = 20;

/// The fields of all segments: by name, each with its kinds.
struct Fields<'a>(Vec<(&'a str, Vec<FieldKind>)>);

impl<'a> Fields<'a> {
    fn new(fields: impl IntoIterator<Item = (&'a str, FieldKind)>) -> Self {
        let mut each: Vec<(&str, usize, FieldKind)> =
            fields.into_iter().enumerate().map(|(number, (name, kind))| (name, number, kind)).collect();
        sort::by_key(&mut each, |&(name, number, _)| (name, number));
        let mut all: Vec<(&str, Vec<FieldKind>)> = Vec::new();
        for (name, _, kind) in each {
            match all.last_mut() {
                Some((last, kinds)) if *last == name => {
                    kinds.extend((!kinds.contains(&kind)).then_some(kind))
                }
                _ => all.push((name, vec![kind])),
            }
        }
        Fields(all)
    }

    fn kinds(&self, name: &str) -> Option<&[FieldKind]> {
        let at = self.0.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
        Some(&self.0[at].1)
    }
}

impl Filter {
    /// Checks the filter against the fields of all segments of an index. A field may have another type in each, and be
    /// missing from some: a condition has to fit one type, and may be impossible for the others, of which then no value
    /// matches. Every segment that has the field must have it indexed.
    ///
    /// # Errors
    /// `filter`.
    pub(crate) fn check<'a>(
        &self,
        fields: impl IntoIterator<Item = (&'a str, FieldKind)>,
    ) -> Result<(), Error> {
        self.check_limits()?;
        let fields = Fields::new(fields);
        for node in &self.nodes {
            if let Node::Condition(condition) = node {
                condition.check(&fields)?;
            }
        }
        Ok(())
    }

    /// The program of one segment, for a filter that [`check`](Self::check) has taken. `fields` gives the number and the
    /// kind of a field. No row has a value in a field that the segment lacks, nor one of another type than the field's.
    ///
    /// # Errors
    /// `filter` for a condition that fits no segment in which the field has this kind.
    pub(crate) fn compile(
        &self,
        fields: impl Fn(&str) -> Option<(usize, FieldKind)>,
    ) -> Result<Program, Error> {
        let op = |node: &Node| {
            Ok(match node {
                Node::All => Op::All(true),
                Node::And(count) => Op::And(*count),
                Node::Or(count) => Op::Or(*count),
                Node::Not => Op::Not,
                Node::Condition(condition) => match fields(&condition.field) {
                    Some((field, kind)) => condition.op(field, kind)?,
                    None => Op::All(false),
                },
            })
        };
        Ok(Program { ops: self.nodes.iter().map(op).collect::<Result<_, Error>>()? })
    }

    /// A filter that was built in Rust may be of any size.
    fn check_limits(&self) -> Result<(), Error> {
        let values = |node: &Node| match node {
            Node::Condition(Condition { test: FieldTest::In(values), .. }) => values.len(),
            _ => 0,
        };
        if self.nodes.len() > MOST_NODES {
            return Err(too_many(""));
        }
        if self.nodes.iter().map(values).sum::<usize>() > MOST_VALUES {
            return Err(too_many_values(""));
        }
        Ok(())
    }
}

impl Condition {
    fn check(&self, all: &Fields<'_>) -> Result<(), Error> {
        let Some(kinds) = all.kinds(&self.field) else { return Err(self.unknown(all)) };
        let misfits: Vec<Option<Error>> =
            kinds.iter().map(|&kind| Ok(self.typed(kind)?.1)).collect::<Result<_, Error>>()?;
        // One type that it fits is enough.
        let misfits: Option<Vec<Error>> = misfits.into_iter().collect();
        misfits.into_iter().flatten().next().map_or(Ok(()), Err)
    }

    fn op(&self, field: usize, kind: FieldKind) -> Result<Op, Error> {
        let (of, _) = self.typed(kind)?;
        Ok(convert::test_of(&self.test, of).map_or(Op::All(false), |test| Op::Test(field, test)))
    }

    /// The type of a field that has to be indexed, and why no value of the type can match if so.
    ///
    /// # Errors
    /// `filter` if the condition is wrong wherever the field is of this kind.
    fn typed(&self, kind: FieldKind) -> Result<(FieldType, Option<Error>), Error> {
        let of = match kind {
            FieldKind::Indexed(of) => of,
            FieldKind::Stored(reason) => return Err(self.fault("", not_indexed(reason))),
        };
        match convert::check(&self.test, of) {
            Ok(()) => Ok((of, None)),
            Err(Misfit { part, detail, is_wrong: false }) => Ok((of, Some(self.fault(part, detail)))),
            Err(Misfit { part, detail, .. }) => Err(self.fault(part, detail)),
        }
    }

    fn fault(&self, part: &str, detail: impl Into<String>) -> Error {
        Error::filter(format!("{}{part}", shown(&self.field)), detail)
    }

    fn unknown(&self, all: &Fields<'_>) -> Error {
        if all.0.is_empty() {
            return self.fault("", "the index has no fields: build it with the payload of its rows");
        }
        let names = all.0.iter().map(|&(name, _)| name);
        let meant = nearest(&self.field, names.clone());
        let meant = meant
            .map_or("; there are".to_owned(), |name| format!("; did you mean {}? There are", shown(name)));
        let mut listed: Vec<String> = names.take(LISTED).map(shown).collect();
        if all.0.len() > LISTED {
            listed.push(format!("and {} others", all.0.len() - LISTED));
        }
        self.fault("", format!("no row has a field of this name{meant}: {}", listed.join(", ")))
    }
}

/// The type of a field whose values are counted, of an index with these fields. Where some segments have integers and others
/// floats, it is float.
///
/// # Errors
/// `filter` for a field that no segment has, that is not indexed, that has points, or whose type differs between segments.
pub(crate) fn facet_type<'a>(
    name: &str,
    fields: impl IntoIterator<Item = (&'a str, FieldKind)>,
) -> Result<FieldType, Error> {
    let condition = Condition { field: name.to_owned(), test: FieldTest::Exists };
    let all = Fields::new(fields);
    let Some(of) = all.kinds(name) else { return Err(condition.unknown(&all)) };
    let mut found = None;
    for &kind in of {
        let (kind, _) = condition.typed(kind)?;
        let is_number = |of| matches!(of, FieldType::Integer | FieldType::Float);
        found = Some(match found {
            Some(found) if found != kind && is_number(found) && is_number(kind) => FieldType::Float,
            Some(found) if found != kind => {
                let detail =
                    "it has different types in different segments: give it one in the schema, and build anew";
                return Err(condition.fault("", detail));
            }
            _ => kind,
        });
    }
    match found {
        Some(FieldType::Geo) => {
            Err(condition.fault("", "points are neither counted nor in an order: choose another field"))
        }
        Some(kind) => Ok(kind),
        None => Err(condition.unknown(&all)),
    }
}

/// Why a field cannot be asked for, and what to do.
fn not_indexed(reason: NotIndexed) -> String {
    let types: Vec<&str> = FieldType::ALL.iter().map(|of| of.name()).collect();
    format!(
        "the field is stored, but not indexed, since {}: give it a type in the schema ({})",
        reason.text(),
        types.join(", ")
    )
}
