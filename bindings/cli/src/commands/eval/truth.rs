//! The truth: the exact nearest rows, from a file, or from an exact scan in f64 over the vectors that the index was
//! built from, or over the rows that it stores.

use super::scan::{Vector, kth_scores};
use crate::failure::Failure;
use crate::input::{self, ids, npy};
use crate::progress::Progress;
use pagevec::{Filter, Hit, Id, Index, Metric, SearchOptions};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The source of the truth: one of these files, or the stored rows.
#[derive(clap::Args)]
pub(super) struct Origin {
    /// .npy (int32, int64): for each query, the numbers of its nearest input rows, nearest first. Without this and
    /// --base, the truth is an exact scan of the rows that the index stores
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    truth: Option<PathBuf>,
    /// The vectors that the index was built from: an exact scan of them is the truth, so errors of the codes count
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// The ids file that the index was built with, if any: it maps ids to rows of --truth or --base
    #[arg(long, value_name = "FILE")]
    truth_ids: Option<PathBuf>,
}

/// The truth for each query, by which hits are judged.
pub(super) struct Truth<'a> {
    /// A description of it.
    pub(super) told: String,
    /// The number of rows that a query should find.
    pub(super) wanted: usize,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// The ids of the nearest rows.
    Ids(Vec<HashSet<Id>>),
    /// Rows that give the exact score of a hit, and the score of the k-th nearest row of each query: a hit with at
    /// least this score is true.
    Scores(Rows<'a>, Vec<f64>),
}

/// Vectors by id.
enum Rows<'a> {
    Stored(&'a Index, Vec<Id>),
    /// Of `data` only the rows of these ids count.
    Given {
        data: Vec<f32>,
        dim: usize,
        rows: HashMap<Id, usize>,
        listed: Vec<usize>,
    },
}

impl Origin {
    /// The truth of the `k` rows nearest to each of `queries` (row-major), among those that match.
    pub(super) fn read<'a>(
        &self,
        index: &'a Index,
        queries: &[f32],
        k: usize,
        filter: Option<&Filter>,
        progress: &Progress,
    ) -> Result<Truth<'a>, Failure> {
        let info = index.info();
        let matching = filter.map(|filter| matching(index, queries, filter)).transpose()?;
        let wanted = k.min(matching.as_ref().map_or(info.count, HashSet::len));
        let names = self.truth_ids.as_deref().map(ids::lines).transpose()?;
        if let (Some(path), Some(names)) = (&self.truth_ids, &names)
            && names.len() != info.count
        {
            let message = format!("{} ids where the index has {}", names.len(), info.count);
            return Err(Failure::input(path, message));
        }
        if let (Some(path), Some(_)) = (&self.truth, filter) {
            let message =
                "has the nearest of all rows: leave --truth out, so that those that match are scanned";
            return Err(Failure::input(path, message));
        }
        if let Some(path) = &self.truth {
            let number = name_of(index, names)?;
            let kind =
                Kind::Ids(known(path, info.count, queries.len() / info.dim, wanted, &number, progress)?);
            return Ok(Truth { told: path.display().to_string(), wanted, kind });
        }
        let (told, rows) = match &self.base {
            Some(path) => (
                format!("exact scan of {}", path.display()),
                given(path, index, names, matching.as_ref(), progress)?,
            ),
            None => {
                let finest = info.exact.or(info.refine).unwrap_or(info.codec);
                (
                    format!("exact scan of the stored {finest} rows"),
                    Rows::Stored(
                        index,
                        match matching {
                            Some(ids) => ids.into_iter().collect(),
                            None => all_ids(index, queries, None)?,
                        },
                    ),
                )
            }
        };
        let at = |number| rows.at(number);
        let least = kth_scores(rows.len(), at, info.metric, queries, wanted, progress)?;
        Ok(Truth { told, wanted, kind: Kind::Scores(rows, least) })
    }
}

impl Truth<'_> {
    /// The recall of query `number`.
    pub(super) fn recall(
        &self,
        metric: Metric,
        number: usize,
        query: &[f32],
        hits: &[Hit],
    ) -> Result<f64, Failure> {
        let mut found = 0;
        for hit in hits.iter().take(self.wanted) {
            found += usize::from(match &self.kind {
                Kind::Ids(near) => near.get(number).is_some_and(|near| near.contains(&hit.id)),
                Kind::Scores(rows, least) => {
                    let least = least.get(number).copied().unwrap_or(f64::INFINITY);
                    let score = Vector::new(query).score(metric, &Vector::new(&rows.of(&hit.id)?));
                    score >= least - 1e-9 * least.abs().max(1.0)
                }
            });
        }
        Ok(if self.wanted == 0 { 1.0 } else { found as f64 / self.wanted as f64 })
    }
}

impl Rows<'_> {
    fn of(&self, id: &Id) -> Result<Cow<'_, [f32]>, Failure> {
        match self {
            Rows::Stored(index, _) => Ok(Cow::Owned(index.vector(id)?)),
            Rows::Given { data, dim, rows, .. } => {
                let row = rows.get(id).and_then(|row| data.get(row * dim..(row + 1) * dim));
                row.map(Cow::Borrowed)
                    .ok_or_else(|| pagevec::Error::UnknownId { id: id.to_string(), others: 0 }.into())
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Rows::Stored(_, ids) => ids.len(),
            Rows::Given { listed, .. } => listed.len(),
        }
    }

    /// The row of this number, in any order.
    fn at(&self, number: usize) -> Result<Cow<'_, [f32]>, Failure> {
        match self {
            Rows::Stored(_, ids) => ids.get(number).map_or(Ok(Cow::Borrowed(&[])), |id| self.of(id)),
            Rows::Given { data, dim, listed, .. } => {
                let number = listed.get(number).copied().unwrap_or(usize::MAX / dim - 1);
                Ok(Cow::Borrowed(data.get(number * dim..(number + 1) * dim).unwrap_or_default()))
            }
        }
    }
}

/// The id of an input row, by its number.
fn name_of(
    index: &Index,
    names: Option<Vec<String>>,
) -> Result<impl Fn(usize) -> Result<Id, String>, Failure> {
    let text = index.info().ids == "text";
    if names.is_none() && text {
        return Err(Failure::usage("the ids of this index are text: give its ids file with --truth-ids"));
    }
    Ok(move |row: usize| match names.as_ref().and_then(|names| names.get(row)) {
        Some(name) if text => Ok(Id::Text(name.clone())),
        Some(name) => name.trim().parse().map(Id::Number).map_err(|_| format!("{name:?} is no number")),
        None => Ok(Id::Number(row as u64)),
    })
}

/// For each query the ids of its nearest rows, from a file of row numbers.
fn known(
    path: &Path,
    count: usize,
    queries: usize,
    wanted: usize,
    name: &impl Fn(usize) -> Result<Id, String>,
    progress: &Progress,
) -> Result<Vec<HashSet<Id>>, Failure> {
    let array = npy::Array::open(path)?;
    let (rows, columns) = (array.rows, array.columns);
    if rows < queries || columns < wanted {
        let message =
            format!("{rows} x {columns} row numbers, wanted {queries} x {wanted}: lower --limit or -k");
        return Err(Failure::input(path, message));
    }
    let numbers = array.integers(queries, progress)?;
    let id = |row: &i64| match usize::try_from(*row).ok().filter(|row| *row < count) {
        Some(row) => name(row),
        None => Err("it names rows that the index does not have: it is for other vectors".to_owned()),
    };
    let nearest = |row: &[i64]| row.iter().take(wanted).map(id).collect();
    let sets: Result<Vec<HashSet<Id>>, String> = numbers.chunks_exact(columns.max(1)).map(nearest).collect();
    sets.map_err(|message| Failure::input(path, message))
}

/// The vectors the index was built from.
fn given<'a>(
    path: &Path,
    index: &Index,
    names: Option<Vec<String>>,
    matching: Option<&HashSet<Id>>,
    progress: &Progress,
) -> Result<Rows<'a>, Failure> {
    let info = index.info();
    let mut vectors = input::vectors(path, usize::MAX, progress)?;
    if (vectors.rows, vectors.dim) != (info.count, info.dim) {
        let message = format!(
            "{} rows of {} components, the index has {} of {}: give the file it was built from",
            vectors.rows, vectors.dim, info.count, info.dim
        );
        return Err(Failure::input(path, message));
    }
    let ids: Vec<Id> = match (vectors.ids.take(), names) {
        (Some(pagevec::Ids::Numbers(numbers)), None) => numbers.into_iter().map(Id::Number).collect(),
        (Some(pagevec::Ids::Texts(texts)), None) => texts.into_iter().map(Id::Text).collect(),
        (_, names) => {
            let name = name_of(index, names)?;
            let all: Result<_, String> = (0..info.count).map(name).collect();
            all.map_err(|message| Failure::input(path, message))?
        }
    };
    let counts = |id: &Id| matching.is_none_or(|matching| matching.contains(id));
    let listed = ids.iter().enumerate().filter(|(_, id)| counts(id)).map(|(row, _)| row).collect();
    let rows = ids.into_iter().enumerate().map(|(row, id)| (id, row)).collect();
    Ok(Rows::Given { data: vectors.data, dim: vectors.dim, rows, listed })
}

/// The ids of the rows that match.
fn matching(index: &Index, queries: &[f32], filter: &Filter) -> Result<HashSet<Id>, Failure> {
    Ok(all_ids(index, queries, Some(filter))?.into_iter().collect())
}

/// The ids of the rows that the index stores, or of those that match: from a search for all rows.
fn all_ids(index: &Index, queries: &[f32], filter: Option<&Filter>) -> Result<Vec<Id>, Failure> {
    let count = index.info().count;
    let Some(query) = queries.get(..index.info().dim).filter(|_| count > 0) else {
        return Ok(Vec::new());
    };
    let all = SearchOptions::new(count).index(pagevec::IndexChoice::Flat).rescore(0);
    let hits = index.search(query, &all.filter(filter.cloned()))?.hits;
    Ok(hits.into_iter().map(|hit| hit.id).collect())
}
