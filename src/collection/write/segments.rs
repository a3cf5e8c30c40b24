//! The numbers of new segments, the segments that are being merged, and the files of those that are gone.

use crate::collection::files::manifest::SegmentEntry;
use crate::collection::files::{done, segment_name};
use crate::collection::write::Writer;

/// How a segment comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Flushed,
    Merged,
}

impl Writer {
    /// The number of a new segment.
    pub(crate) fn number(&mut self, made: Made) -> u64 {
        let number = self.next_number(made);
        self.next_numbers[made as usize] += 2;
        self.manifest.next_file = self.manifest.next_file.max(number + 1);
        number
    }

    /// The number that the next segment gets.
    pub(crate) fn next_number(&self, made: Made) -> u64 {
        self.next_numbers[made as usize]
    }

    /// No other merge takes these until they are released.
    pub(crate) fn reserve(&mut self, segments: &[SegmentEntry]) {
        self.merging.extend(segments.iter().map(|segment| segment.number));
    }

    /// The merge of these has ended, or came to nothing.
    pub(crate) fn release(&mut self, segments: &[SegmentEntry]) {
        self.merging.retain(|&number| !segments.iter().any(|segment| segment.number == number));
    }

    /// Removes the files of segments that are not of the collection any more. Where that is refused, as on systems that do not
    /// remove files that are open, it is tried again after the next commit.
    pub(crate) fn remove_dropped(&mut self) {
        let place = &self.place;
        self.dropped.retain(|&number| {
            let path = place.path(&segment_name(number));
            done(&path, place.dir.remove(&path)).is_err()
        });
    }

    /// Removes the file of a segment that is not taken.
    pub(crate) fn remove(&mut self, number: u64) {
        // A manifest that could not be made durable may be found at the next opening, and name it.
        if !self.failed {
            self.dropped.push(number);
            self.remove_dropped();
        }
    }
}
