//! What a user may do with a file that may be hostile, by every route and source, and what must hold of every answer:
//! hits in order, of finite scores, each row once and none beyond the last, after a number of distances that the
//! file's length limits. An error is fine, as it is typed, but one that blames pagevec is none. A failure is a panic.

use super::data;
use super::paged::Remote;
use pagevec::{Answer, Error, Id, Index, IndexChoice, Operation, RowPlace, SearchOptions};

/// Hears how each call ended.
pub(crate) type Tell<'a> = dyn FnMut(Option<&Error>) + 'a;

/// What is asked of a file.
pub(crate) struct Asked {
    query: Vec<f32>,
    pub(crate) options: Vec<SearchOptions>,
    pub(crate) ids: [Id; 3],
    /// The least budget in which the right file's graph is walked from disk.
    walk: u64,
}

/// Searches by each of `routes`, and one that asks for more than there is.
pub(crate) fn asked(file: &[u8], dim: usize, routes: &[IndexChoice]) -> Asked {
    let all = |&index: &IndexChoice| super::top(7).index(index);
    let mut options: Vec<_> = routes.iter().map(all).collect();
    if let Some(last) = options.last().cloned() {
        options.push(last.k(1000).ef(1000).probes(1000).rescore(1000));
    }
    let stored = |index: Index| index.info().sections.iter().any(|section| section.name == "fields");
    if Index::from_bytes(file).is_ok_and(stored) {
        options.push(super::top(7).fields(true));
    }
    let walk = match Remote::walking(file, 0).err() {
        Some(Error::Budget { needed, .. }) => needed,
        _ => 0,
    };
    Asked {
        query: data::clustered(1, dim, 173),
        options,
        ids: [Id::Number(7), Id::Number((1 << 40) + 7), Id::Text("wwä-7".into())],
        walk,
    }
}

/// Everything that a user can do with the whole file in memory; whether it opened.
pub(crate) fn use_whole(file: &[u8], asked: &Asked, id: &Id, tell: &mut Tell) -> bool {
    let index = Index::from_bytes(file);
    told(&index, tell);
    let Ok(index) = index else { return false };
    told(&index.verify(), tell);
    let count = index.info().count;
    for o in &asked.options {
        sound(index.search(&asked.query, o), o.k, count, file.len(), tell);
    }
    told(&index.find(id), tell);
    told(&index.vector(id), tell);
    told(&index.fields(&asked.ids), tell);
    for fields in [false, true] {
        let rows: Result<Vec<_>, Error> = index.rows(true, fields).collect();
        assert!(rows.as_ref().is_ok_and(|rows| rows.len() == count) || rows.is_err(), "rows of {count}");
        told(&rows, tell);
    }
    true
}

/// Budgets in which a file is read: the least, one that holds most of it, and the least in which its graph is walked.
pub(crate) const BUDGETS: usize = 3;

/// Everything that a user can do with a file that is read in the budget of number `which`.
pub(crate) fn use_remote(file: &[u8], asked: &Asked, which: usize, tell: &mut Tell) {
    let least = || match Remote::open(file, 0).err() {
        Some(Error::Budget { needed, .. }) => needed,
        _ => 0,
    };
    let remote = match which {
        0 => Remote::open(file, least()),
        1 => Remote::open(file, 1 << 20),
        _ => Remote::walking(file, asked.walk),
    };
    told(&remote, tell);
    let Ok(mut remote) = remote else { return };
    let count = remote.session.segment().count();
    for o in asked.options.iter().filter(|o| o.k < 1000) {
        let answer = remote.search(&asked.query, o).map(|(answer, _)| answer);
        sound(answer, o.k, count, file.len(), tell);
    }
    let id = || asked.ids[0].clone();
    let fields = Operation::Fields(asked.ids.to_vec());
    let from = RowPlace { segment: 0, position: 5 };
    let rows = |fields| Operation::Rows { from, count: 30, vectors: true, fields };
    let lookups = [Operation::Find(id()), Operation::Vector(id()), fields, rows(false), rows(true)];
    for operation in lookups.into_iter().chain([Operation::Load]) {
        told(&remote.run(operation), tell);
    }
}

/// Of `count` rows in a file of `length` bytes.
pub(crate) fn sound(result: Result<Answer, Error>, k: usize, count: usize, length: usize, tell: &mut Tell) {
    told(&result, tell);
    let Ok(answer) = result else { return };
    assert!(answer.hits.len() <= k.min(count), "{} hits of {count} rows", answer.hits.len());
    assert!(answer.hits.windows(2).all(|w| w[0].score >= w[1].score), "out of order: {answer:?}");
    assert!(answer.hits.iter().all(|h| h.score.is_finite()), "a score that is no number: {answer:?}");
    let mut seen: Vec<u32> = answer.hits.iter().map(|h| h.position).collect();
    seen.sort_unstable();
    assert!(seen.windows(2).all(|w| w[0] < w[1]), "a row twice");
    assert!(seen.last().is_none_or(|&p| (p as usize) < count), "a row beyond the last");
    let most = 16 * length as u64;
    assert!(answer.stats.distances <= most, "{} distances", answer.stats.distances);
}

pub(crate) fn told<T>(result: &Result<T, Error>, tell: &mut Tell) {
    let error = result.as_ref().err();
    assert!(!matches!(error, Some(Error::Internal { .. })), "a file's fault is called ours: {error:?}");
    tell(error);
}
