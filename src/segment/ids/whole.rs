//! The positions of many ids, where the sections of the ids are in memory as a whole.
//!
//! The place of a hash is guessed from the hash itself, and guessed again from the hash that is found there: hashes are
//! spread evenly, so two guesses end within a few entries of it. Most ids that are looked up are in no row, and need no
//! more than that.

use std::cmp::Ordering;

use super::order::{ENTRY, hash_of};
use super::view::IdView;
use crate::error::Error;
use crate::id::{Id, IdRef};

/// A hash is guessed so often before its neighbours are searched.
const GUESSES: usize = 3;
/// Entries beside the last guess that are compared first.
const NEAR: usize = 4;

/// See the head of this file.
pub(crate) struct WholeIds<'a> {
    ids: IdView<'a>,
    /// A hash and a position each.
    order: &'a [[u8; ENTRY as usize]],
    file_seed: u64,
}

impl<'a> WholeIds<'a> {
    /// The ids of `count` rows, from the bytes of both sections.
    pub(crate) fn new(ids: IdView<'a>, order: &'a [u8], file_seed: u64) -> Result<Self, Error> {
        match order.as_chunks() {
            (order, []) if order.len() == ids.count => Ok(WholeIds { ids, order, file_seed }),
            _ => Err(Error::corrupt("id order", "its length does not fit the number of rows")),
        }
    }

    /// The id of a row.
    pub(crate) fn id(&self, position: u32) -> Result<Id, Error> {
        self.ids.id(position)
    }

    /// The position of an id, if a row has it.
    pub(crate) fn find(&self, id: IdRef<'_>) -> Result<Option<u32>, Error> {
        let hash = hash_of(self.file_seed, id);
        for entry in self.order.get(self.first(hash)..).unwrap_or_default() {
            let [found, position] = split(entry);
            if found != hash {
                break;
            }
            if position as usize >= self.order.len() {
                return Err(Error::corrupt("id order", "a position beyond the last row"));
            }
            if self.ids.has(position, id)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    fn hash(&self, rank: usize) -> u32 {
        self.order.get(rank).map_or(u32::MAX, |entry| split(entry)[0])
    }

    /// The rank of the first entry whose hash is not less.
    fn first(&self, hash: u32) -> usize {
        let count = self.order.len();
        if count == 0 {
            return 0;
        }
        // How many entries are between two hashes, about: below `count`, which fits 32 bits.
        let entries = |hashes: u32| ((u64::from(hashes) * count as u64) >> 32) as usize;
        let mut at = entries(hash).min(count - 1);
        for _ in 0..GUESSES {
            let found = self.hash(at);
            let off = entries(found.abs_diff(hash));
            match found.cmp(&hash) {
                _ if off == 0 => break,
                Ordering::Less => at = (at + off).min(count - 1),
                _ => at = at.saturating_sub(off),
            }
        }
        // The borders: all before `low` are less, all from `high` on are not.
        let (mut low, mut high, mut step) = (0, count, NEAR);
        if self.hash(at) < hash {
            low = at + 1;
            while low + step < count {
                if self.hash(low + step) >= hash {
                    high = low + step;
                    break;
                }
                low += step + 1;
                step *= 2;
            }
        } else {
            high = at;
            while high > step {
                if self.hash(high - step - 1) < hash {
                    low = high - step;
                    break;
                }
                high -= step + 1;
                step *= 2;
            }
        }
        let between = self.order.get(low..high).unwrap_or_default();
        low + between.partition_point(|entry| split(entry)[0] < hash)
    }
}

fn split(entry: &[u8; ENTRY as usize]) -> [u32; 2] {
    let both = u64::from_le_bytes(*entry);
    [both as u32, (both >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Ids;
    use crate::segment::ids::{check_ids, encode, encode_order};

    #[test]
    fn every_id_is_found_and_no_other() {
        for count in [0usize, 1, 2, 3, 9, 1000, 40_000] {
            let numbers = Ids::Numbers((0..count as u64).map(|i| i * i).collect());
            let texts = Ids::Texts((0..count).map(|i| format!("{i:x}ä")).collect());
            for (ids, others) in
                [(numbers, Ids::Numbers(vec![2, 3, 5, 1 << 52])), (texts, Ids::Numbers(vec![0, 1]))]
            {
                let by_id = check_ids(&ids, count).unwrap();
                let rows: Vec<u32> = (0..count as u32).rev().collect();
                let (bytes, order) = (encode(&ids, &rows), encode_order(&ids, &by_id, &rows, 77));
                let view = IdView::new(&bytes, count, matches!(ids, Ids::Texts(_))).unwrap();
                let whole = WholeIds::new(view, &order, 77).unwrap();
                for (row, id) in ids.iter().enumerate() {
                    let position = (count - 1 - row) as u32;
                    assert_eq!(whole.find(id).unwrap(), Some(position));
                    assert_eq!(whole.id(position).unwrap(), id.to_id());
                }
                assert!(others.iter().all(|id| whole.find(id).unwrap().is_none()));
                assert_eq!(whole.find(IdRef::Text("")).unwrap(), None);
            }
        }
    }

    /// The first rank of each hash is that of a search from the start, whatever the hashes are.
    #[test]
    fn any_order_of_hashes_is_searched() {
        let runs = [
            vec![5; 100],
            (0..300u32).collect(),
            (0..300).map(|i| u32::MAX - 3 * (300 - i)).collect(),
            (0..1000u32).map(|i| i / 9 * (u32::MAX / 200)).collect(),
            vec![0, 0, 1, u32::MAX, u32::MAX],
        ];
        for hashes in runs {
            let order: Vec<u8> =
                hashes.iter().flat_map(|&hash| [hash, 0]).flat_map(u32::to_le_bytes).collect();
            let ids = encode(&Ids::counting(hashes.len()), &(0..hashes.len() as u32).collect::<Vec<_>>());
            let view = IdView::new(&ids, hashes.len(), false).unwrap();
            let whole = WholeIds::new(view, &order, 0).unwrap();
            let near = hashes.iter().flat_map(|&hash| [hash.saturating_sub(1), hash, hash.saturating_add(1)]);
            for hash in near.chain([0, 77, 1 << 31, u32::MAX]) {
                assert_eq!(whole.first(hash), hashes.partition_point(|&other| other < hash), "{hash}");
            }
        }
    }
}
