//! The rows of a segment by the keys of numbers and times: whole blocks, whose pairs rise.

use super::Ordered;
use crate::error::Error;
use crate::payload::as_float;
use crate::search::filter::Missing;
use crate::search::view::View;
use crate::segment::payload::SortedHead;
use crate::storage::Read;

impl Ordered {
    pub(super) fn by_keys(
        &mut self,
        view: &View<'_>,
        head: &SortedHead,
        down: bool,
        most: usize,
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        let mut pairs = Vec::new();
        // No row that is left may be missed: a key that ends a block may go on in the next one.
        while self.next < self.blocks
            && self.count > 0
            && (self.found.len() < most || self.goes_on(head, down, most))
        {
            let block = self.block(self.next, down);
            let Some(read) = head.block(block) else { break };
            let Some(bytes) = view.source.get(read.extent) else {
                let sorted = self.ahead(view, most, down, &|number| head.block(number));
                Missing { sorted, ..Missing::default() }.into_reads(view, reads);
                return Ok(());
            };
            pairs.clear();
            head.decode(block, bytes)?.each(&mut |key, position| pairs.push((self.key(key), position)))?;
            if down {
                pairs.reverse();
            }
            pairs.iter().for_each(|&(key, position)| self.take(key, position));
            self.next += 1;
        }
        Ok(())
    }

    /// Whether the next block may have the key of the last row that is wanted, of which any may be the first by position.
    fn goes_on(&self, head: &SortedHead, down: bool, most: usize) -> bool {
        let Some(&(last, _)) = most.checked_sub(1).and_then(|at| self.found.get(at)) else { return false };
        let keys = head.keys(self.block(self.next, down));
        keys.is_some_and(|(low, high)| (self.key(low)..=self.key(high)).contains(&last))
    }

    fn key(&self, key: u64) -> u64 {
        if self.as_floats { as_float(key) } else { key }
    }
}
