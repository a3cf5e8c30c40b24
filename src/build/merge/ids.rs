//! The ids of the live rows of several segments, and which row of each id is the last.

use crate::error::Error;
use crate::id::{Id, Ids};
use crate::memory::room_for;
use crate::segment::IdView;
use crate::sort;

/// Adds the ids of these positions. All ids are numbers, or all are texts.
pub(super) fn add(ids: &mut Ids, view: &IdView<'_>, positions: &[u32]) -> Result<(), Error> {
    for &position in positions {
        match (&mut *ids, view.id(position)?) {
            (Ids::Numbers(numbers), Id::Number(number)) => numbers.push(number),
            (Ids::Texts(texts), Id::Text(text)) => texts.push(text),
            _ => return Err(Error::internal("the ids of a segment are not of its kind")),
        }
    }
    Ok(())
}

/// Whether a row is the last of its id, for each row; `None` if all are.
pub(super) fn last(ids: &Ids) -> Result<Option<Vec<bool>>, Error> {
    let mut order: Vec<u32> = room_for(ids.len())?;
    order.extend(0..ids.len() as u32);
    // Rows of one id come in their order.
    match ids {
        Ids::Numbers(numbers) => sort::by_key(&mut order, |&row| (numbers[row as usize], row)),
        Ids::Texts(texts) => {
            sort::by(&mut order, |&a, &b| texts[a as usize].cmp(&texts[b as usize]).then(a.cmp(&b)));
        }
    }
    let same = |a: u32, b: u32| match ids {
        Ids::Numbers(numbers) => numbers[a as usize] == numbers[b as usize],
        Ids::Texts(texts) => texts[a as usize] == texts[b as usize],
    };
    let mut last = None;
    for pair in order.windows(2).filter(|pair| same(pair[0], pair[1])) {
        last.get_or_insert_with(|| vec![true; ids.len()])[pair[0] as usize] = false;
    }
    Ok(last)
}

/// Keeps the ids of the rows for which `kept` is true.
pub(super) fn retain(ids: &mut Ids, kept: &[bool]) {
    let mut kept = kept.iter().copied();
    let mut next = || kept.next().unwrap_or(true);
    match ids {
        Ids::Numbers(numbers) => numbers.retain(|_| next()),
        Ids::Texts(texts) => texts.retain(|_| next()),
    }
}
