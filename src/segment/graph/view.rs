//! A graph read where its bytes are. Links are checked when they are followed.

use super::links::{self, Links};
use super::{HEAD, SECTION};
use crate::error::Error;
use crate::kernels::prefetch;

/// A graph, read where its bytes are.
#[derive(Clone, Copy)]
pub(crate) struct GraphView<'a> {
    pub(crate) m: usize,
    pub(crate) count: usize,
    pub(crate) entry: u32,
    /// Layers above 0.
    pub(crate) top: usize,
    pub(super) upper: &'a [u32],
    pub(super) first: &'a [u32],
    pub(super) blocks: &'a [u32],
    pub(super) base: Base<'a>,
}

/// Layer 0.
#[derive(Clone, Copy)]
pub(super) enum Base<'a> {
    /// While it is built.
    Open(&'a [u32]),
    /// In a file. Empty if its records are read one by one.
    Packed(Links<'a>),
}

impl<'a> GraphView<'a> {
    /// Checks lengths, and, unless `checked` before, the order that a walk depends on.
    pub(crate) fn new(bytes: &'a [u8], count: usize, m: usize, checked: bool) -> Result<Self, Error> {
        let at = bytes.len().checked_sub(links::stride(count, m).saturating_mul(count));
        let (upper, records) = bytes.split_at(at.ok_or_else(|| bad("it is shorter than its links"))?);
        Self::with_records(upper, records, count, m, checked)
    }

    /// The layers above 0 alone, for a walk that reads the records of layer 0 one by one.
    pub(crate) fn upper(bytes: &'a [u8], count: usize, m: usize, checked: bool) -> Result<Self, Error> {
        Self::with_records(bytes, &[], count, m, checked)
    }

    fn with_records(
        bytes: &'a [u8],
        records: &'a [u8],
        count: usize,
        m: usize,
        checked: bool,
    ) -> Result<Self, Error> {
        let words: &[u32] =
            bytemuck::try_cast_slice(bytes).map_err(|_| bad("the section is not whole or not aligned"))?;
        let head = words.get(..HEAD).ok_or_else(|| bad("the section ends in its head"))?;
        let (entry, uppers, links) = (head[1], head[2] as usize, head[3] as usize);
        let upper_at = HEAD;
        let first_at = upper_at.saturating_add(uppers);
        let blocks_at = first_at.saturating_add(uppers).saturating_add(1);
        let expected = blocks_at.saturating_add(links).saturating_add(15) / 16 * 16;
        if words.len() != expected || head[0] as usize != m || m == 0 {
            return Err(Error::Length {
                section: SECTION,
                expected: expected as u64 * 4,
                got: bytes.len() as u64,
            });
        }
        let mut view = GraphView {
            m,
            count,
            entry,
            top: 0,
            upper: &words[upper_at..first_at],
            first: &words[first_at..blocks_at],
            blocks: &words[blocks_at..blocks_at + links],
            base: Base::Packed(Links::new(records, count, m)),
        };
        // A mapped file may have changed since, so an entry beyond the graph is refused each time.
        if !checked {
            view.check_layers()?;
        }
        if entry as usize >= count {
            return Err(bad("its entry is beyond the last row"));
        }
        view.top = view.levels(entry);
        Ok(view)
    }

    fn check_layers(&self) -> Result<(), Error> {
        let blocks = (self.blocks.len() / self.m) as u32;
        let rising =
            self.upper.windows(2).all(|w| w[0] < w[1]) && self.first.windows(2).all(|w| w[0] <= w[1]);
        let inside = self.upper.last().is_none_or(|&p| (p as usize) < self.count)
            && self.first.last() == Some(&blocks);
        let whole = self.blocks.len().is_multiple_of(self.m) && (self.entry as usize) < self.count;
        match rising && inside && whole {
            true => Ok(()),
            false => Err(bad("its layers are out of order or leave the segment")),
        }
    }

    /// The number of layers above 0 that `node` is in.
    pub(crate) fn levels(&self, node: u32) -> usize {
        let levels = |at: usize| self.first[at + 1].saturating_sub(self.first[at]) as usize;
        self.upper.binary_search(&node).map_or(0, levels).min(self.blocks.len() / self.m)
    }

    /// The links of `node` in `layer`; none if the node is not in it. A link beyond the last row is an error.
    #[inline]
    pub(crate) fn links<'b>(
        &self,
        layer: usize,
        node: u32,
        unpacked: &'b mut Vec<u32>,
    ) -> Result<&'b [u32], Error>
    where
        'a: 'b,
    {
        let links = match self.base {
            Base::Packed(links) if layer == 0 => links.of(node as usize, unpacked),
            Base::Packed(_) => {
                // A copy, so that the links that are checked are those that are followed even if the file changes.
                unpacked.clear();
                unpacked.extend_from_slice(self.slots(layer, node));
                unpacked
            }
            Base::Open(_) => self.slots(layer, node),
        };
        self.check_links(node, links)?;
        Ok(links)
    }

    /// The links in the record of `node` in layer 0.
    pub(crate) fn links_of_record<'b>(
        &self,
        node: u32,
        record: &[u8],
        unpacked: &'b mut Vec<u32>,
    ) -> Result<&'b [u32], Error> {
        let links = Links::new(record, self.count, self.m).of(0, unpacked);
        self.check_links(node, links)?;
        Ok(links)
    }

    #[inline]
    fn check_links(&self, node: u32, links: &[u32]) -> Result<(), Error> {
        match links.iter().fold(0, |most, &link| most.max(link)) as usize >= self.count {
            true => Err(bad(&format!("node {node} links beyond the last row"))),
            false => Ok(()),
        }
    }

    /// Prefetches links that are followed soon.
    #[inline]
    pub(crate) fn prefetch(&self, layer: usize, node: u32) {
        match self.base {
            Base::Packed(links) if layer == 0 => prefetch(links.bytes(node)),
            _ => prefetch(self.slots(layer, node)),
        }
    }

    /// The unchecked links of a node in a layer above 0, or in layer 0 while a graph is built.
    pub(crate) fn slots(&self, layer: usize, node: u32) -> &'a [u32] {
        if layer == 0 {
            return match self.base {
                Base::Open(links) => &links[node as usize * 2 * self.m..][..2 * self.m],
                Base::Packed(_) => &[],
            };
        }
        match self.upper.binary_search(&node) {
            Ok(at) if self.first[at] as usize + layer <= self.first[at + 1] as usize => {
                let start = (self.first[at] as usize + layer - 1).saturating_mul(self.m);
                self.blocks.get(start..start.saturating_add(self.m)).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// Checks that every link leads to a node that is in the same layer.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let mut links = Vec::new();
        for node in 0..self.count as u32 {
            self.links(0, node, &mut links)?;
        }
        for &node in self.upper {
            for layer in 1..=self.levels(node) {
                if self.links(layer, node, &mut links)?.iter().any(|&l| self.levels(l) < layer) {
                    return Err(bad(&format!("node {node} links to a node that is not in layer {layer}")));
                }
            }
        }
        Ok(())
    }
}

fn bad(detail: &str) -> Error {
    Error::corrupt(SECTION, detail)
}
