//! The complete check of a file that is here as a whole: what `open` leaves to later reads, all at once.

use super::format::SectionKind;
use super::ids::{IdView, Lookup};
use super::reader::Segment;
use crate::error::Error;
use crate::storage::{Extent, Source};

impl Segment {
    /// Every checksum, every id, the order of ids. The graph's links are the index's to check.
    pub(crate) fn verify(&self, source: &dyn Source) -> Result<(), Error> {
        let read = |extent: Extent, name| {
            let missing =
                Error::Length { section: name, expected: extent.end(), got: self.header.file_length };
            if extent.length == 0 { Ok(&[][..]) } else { source.get(extent).ok_or(missing) }
        };
        let row_sums = self.extent(SectionKind::RowSums).map(|e| read(e, "row checksums")).transpose()?;
        for section in self.header.sections.iter().filter(|s| s.extent.length > 0) {
            self.check(section.extent, read(section.extent, section.kind.name())?, row_sums)?;
        }
        self.verify_padding(source)?;
        let ids = read(self.required(SectionKind::Ids)?, "ids")?;
        let ids = IdView::new(ids, self.count(), self.header.text_ids)?;
        let lookup = Lookup { ids, order: read(self.required(SectionKind::IdOrder)?, "id order")? };
        let mut before = None;
        for rank in 0..self.count() {
            let id = ids.id(lookup.position_at(rank)?)?;
            if before.as_ref().is_some_and(|b| *b >= id) {
                return Err(Error::corrupt("id order", format!("{id} is out of order or there twice")));
            }
            before = Some(id);
        }
        Ok(())
    }

    /// What lies between sections is zero, so that every bit of a file is accounted for.
    fn verify_padding(&self, source: &dyn Source) -> Result<(), Error> {
        let mut at = super::format::header_bytes(self.header.table) as u64;
        let ends = self.header.sections.iter().map(|s| s.extent);
        for extent in ends.chain([Extent { offset: self.header.file_length, length: 0 }]) {
            let gap = Extent { offset: at, length: extent.offset.saturating_sub(at) };
            let zero = source.get(gap).is_some_and(|bytes| bytes.iter().all(|&b| b == 0));
            if gap.length > 0 && !zero {
                return Err(Error::corrupt(
                    "padding",
                    format!("bytes between sections at {at} are not zero"),
                ));
            }
            at = extent.end();
        }
        Ok(())
    }
}
