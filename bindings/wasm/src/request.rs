//! The options of a search, as they cross from JS: in numbers, one text for all ids that are texts, and the filter as JSON.

use pagevec::{Id, IndexChoice, SearchOptions};
use wasm_bindgen::prelude::*;

use crate::convert::{filter_of, internal, whole};

/// The choices of an index by their numbers; `pkg/src/core/protocol.js` has the same list.
const CHOICES: [IndexChoice; 4] =
    [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters];

/// `numbers` are `[k, ef, index, probes, recall, rescore, fields, exclude, among]`, the last two as counts of ids, NaN for one
/// that is not given, `fields` 1 where hits shall have theirs; then the ids of `exclude` and those of `among`. With `texts`, which are one after another, an id is given by
/// its length in UTF-16.
pub(crate) fn options_of(
    numbers: &[f64],
    texts: Option<String>,
    filter: Option<String>,
) -> Result<SearchOptions, JsValue> {
    let Some((&[k, ef, index, probes, recall, rescore, fields, exclude, among], ids)) =
        numbers.split_first_chunk()
    else {
        return Err(internal("a search takes nine numbers"));
    };
    let count = |number: f64| (number >= 0.0).then_some(number as usize);
    let choice = CHOICES.get(index as usize).ok_or_else(|| internal("no such index"))?;
    let mut ids = match texts {
        Some(texts) => split(&texts, ids),
        None => ids.iter().map(|&number| whole("id", number).map(Id::Number)).collect::<Result<_, _>>()?,
    };
    let rest = ids.split_off(ids.len().min(exclude as usize));
    Ok(SearchOptions::new(k as usize)
        .index(*choice)
        .ef(count(ef))
        .rescore(count(rescore))
        .probes(count(probes))
        .recall((!recall.is_nan()).then_some(recall as f32))
        .fields(fields > 0.0)
        .filter(filter_of(filter)?)
        .exclude(ids)
        .among(count(among).map(|_| rest)))
}

/// The texts of these lengths in UTF-16.
fn split(texts: &str, lengths: &[f64]) -> Vec<Id> {
    let mut chars = texts.chars();
    let mut next = |length: f64| {
        let from = chars.as_str();
        let mut left = length as usize;
        while let Some(c) = (left > 0).then(|| chars.next()).flatten() {
            left = left.saturating_sub(c.len_utf16());
        }
        let taken = from.len() - chars.as_str().len();
        Id::Text(from.get(..taken).unwrap_or_default().to_owned())
    };
    lengths.iter().map(|&length| next(length)).collect()
}
