//! The ids of a build, checked and as bytes.

use super::order::hash;
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::segment::packed;
use crate::sort;

/// Refuses ids that are too long, too large or not unique. Returns the rows in the order of their ids.
pub(crate) fn check_ids(ids: &Ids, count: usize) -> Result<Vec<u32>, Error> {
    if ids.len() != count {
        return Err(Error::argument("ids", format!("{} ids for {count} rows: give one each", ids.len())));
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    match ids {
        Ids::Numbers(numbers) => {
            if let Some(n) = numbers.iter().find(|&&n| n > Ids::MAX_NUMBER) {
                return Err(Error::argument(
                    "ids",
                    format!("{n} is above 2^53 - 1, the largest number JS holds exactly"),
                ));
            }
            sort::by_key(&mut order, |&r| numbers[r as usize]);
        }
        Ids::Texts(texts) => {
            if let Some(row) = texts.iter().position(|t| t.len() > Ids::MAX_TEXT) {
                return Err(Error::argument(
                    "ids",
                    format!("the id of row {row} is longer than {} bytes", Ids::MAX_TEXT),
                ));
            }
            if texts.iter().map(|t| t.len() as u64).sum::<u64>() > u64::from(u32::MAX) {
                return Err(Error::argument("ids", "all ids together are longer than 4 GiB: use numbers"));
            }
            sort::by(&mut order, |&a, &b| texts[a as usize].cmp(&texts[b as usize]));
        }
    }
    let same = |a: u32, b: u32| match ids {
        Ids::Numbers(n) => n[a as usize] == n[b as usize],
        Ids::Texts(t) => t[a as usize] == t[b as usize],
    };
    match order.windows(2).find(|w| same(w[0], w[1])) {
        Some(twice) => Err(Error::DuplicateId { id: id_of(ids, twice[0]).to_string() }),
        None => Ok(order),
    }
}

fn id_of(ids: &Ids, row: u32) -> Id {
    match ids {
        Ids::Numbers(n) => Id::Number(n[row as usize]),
        Ids::Texts(t) => Id::Text(t[row as usize].clone()),
    }
}

/// The ids of rows in the order `rows`.
pub(crate) fn encode(ids: &Ids, rows: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    match ids {
        Ids::Numbers(numbers) => packed::encode(rows.iter().map(|&row| numbers[row as usize]), &mut out),
        Ids::Texts(texts) => {
            let mut end = 0u32;
            out.extend(end.to_le_bytes());
            for &row in rows {
                end += texts[row as usize].len() as u32;
                out.extend(end.to_le_bytes());
            }
            rows.iter().for_each(|&row| out.extend(texts[row as usize].as_bytes()));
        }
    }
    out
}

/// The id order of `ids`, whose rows stand in the file in the order `rows`. `by_id` are the rows in order of their ids:
/// equal hashes stand in the order of their ids.
pub(crate) fn encode_order(ids: &Ids, by_id: &[u32], rows: &[u32], file_seed: u64) -> Vec<u8> {
    let mut position = vec![0u32; rows.len()];
    rows.iter().zip(0..).for_each(|(&row, p)| position[row as usize] = p);
    // A hash, and behind it the place in the order of ids.
    let entry = |(&row, at): (&u32, u64)| u64::from(hash(file_seed, &id_of(ids, row))) << 32 | at;
    let mut entries: Vec<u64> = by_id.iter().zip(0..).map(entry).collect();
    entries.sort_unstable();
    let position = |entry: u64| position[by_id[entry as u32 as usize] as usize];
    entries
        .iter()
        .flat_map(|&entry| [(entry >> 32) as u32, position(entry)])
        .flat_map(u32::to_le_bytes)
        .collect()
}
