//! Which sets and blocks a range of keys needs.

use super::SortedHead;
use crate::storage::Read;

/// What answers a range of keys.
#[derive(Debug)]
pub(crate) struct RangePlan {
    /// Sets of rows that have keys in the range.
    pub(crate) sets: Vec<Read>,
    /// Blocks, by number, in which keys must be compared with the range.
    pub(crate) blocks: Vec<(usize, Read)>,
    /// Sets and blocks are not of keys in the range, but of those outside it: the rows are all others that have a value.
    pub(crate) complement: bool,
}

/// Where some keys are, as seen from a range.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Inside,
    Outside,
    Both,
}

impl SortedHead {
    /// What must be read for the rows with a key from `low` to `high`, both included.
    pub(crate) fn plan(&self, low: u64, high: u64) -> RangePlan {
        let sides = self.sides(low, high);
        let (direct, bytes) = self.reads(&sides, Side::Inside);
        if sides.iter().all(|&side| side == Side::Inside) && !sides.is_empty() {
            return RangePlan { sets: Vec::new(), blocks: Vec::new(), complement: true };
        }
        if self.single {
            let (others, fewer) = self.reads(&sides, Side::Outside);
            let present = self.present.map_or(0, |unit| u64::from(unit.length));
            if fewer + present < bytes {
                return RangePlan { complement: true, ..others };
            }
        }
        direct
    }

    /// The same, where rows of other ranges are added: never the complement.
    pub(crate) fn plan_within(&self, low: u64, high: u64) -> RangePlan {
        self.reads(&self.sides(low, high), Side::Inside).0
    }

    fn sides(&self, low: u64, high: u64) -> Vec<Side> {
        (0..self.blocks.len()).map(|number| self.side(number, low, high)).collect()
    }

    fn side(&self, number: usize, low: u64, high: u64) -> Side {
        let (first, upper) = self.keys(number).unwrap_or((u64::MAX, 0));
        if low <= first && upper <= high {
            Side::Inside
        } else if upper < low || high < first || high < low {
            Side::Outside
        } else {
            Side::Both
        }
    }

    /// What must be read for the rows with keys on this side, and its bytes.
    fn reads(&self, sides: &[Side], wanted: Side) -> (RangePlan, u64) {
        let mut plan = RangePlan { sets: Vec::new(), blocks: Vec::new(), complement: false };
        let mut bytes = 0;
        let of_bucket = if self.buckets.is_empty() { sides.len() } else { self.per_bucket };
        for (bucket, some) in sides.chunks(of_bucket.max(1)).enumerate() {
            match self.buckets.get(bucket).filter(|_| some.iter().all(|&side| side == wanted)) {
                Some(&set) => {
                    plan.sets.push(self.sets.read(set));
                    bytes += u64::from(set.length);
                }
                None => {
                    let blocks = (bucket * of_bucket..).zip(&self.blocks[bucket * of_bucket..]).zip(some);
                    for ((number, block), _) in
                        blocks.filter(|&(_, &side)| side == wanted || side == Side::Both)
                    {
                        plan.blocks.push((number, self.units.read(block.unit)));
                        bytes += u64::from(block.unit.length);
                    }
                }
            }
        }
        (plan, bytes)
    }
}
