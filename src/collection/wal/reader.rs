//! Reads frames of a log, through a window of its bytes. A length in a frame is compared with the file's before
//! anything is allocated.

use super::frame::{FrameHead, HEAD, MARK};
use super::header::BLOCK;
use super::planted::{Fault, planted};
use crate::error::Error;
use crate::memory::grow;
use crate::storage::DirFile;

/// The window has so many bytes, or those of one frame.
const WINDOW: u64 = 1 << 16;

pub(super) struct Reader {
    file: Box<dyn DirFile>,
    length: u64,
    /// Where the window starts, a multiple of 8, and how many bytes of it are read.
    start: u64,
    filled: usize,
    /// As u64, so that vectors are aligned.
    window: Vec<u64>,
}

/// A frame that is whole and has the place that follows on those before it.
pub(super) struct Read<'a> {
    pub(super) head: FrameHead,
    pub(super) sum: u64,
    pub(super) body: &'a [u8],
    /// Where it ends.
    pub(super) end: u64,
}

impl Reader {
    pub(super) fn new(file: Box<dyn DirFile>) -> Result<Self, Error> {
        let length = file.length()?;
        Ok(Reader { file, length, start: 0, filled: 0, window: Vec::new() })
    }

    /// The frame after one that ends at `offset`, which goes on from this sequence and this sum: right there, or in the
    /// next block.
    pub(super) fn next(
        &mut self,
        seed: u64,
        offset: u64,
        sequence: u64,
        before: u64,
    ) -> Result<Option<Read<'_>>, Error> {
        let mut found = None;
        for at in [offset, offset.next_multiple_of(BLOCK)] {
            let follows = |head: &FrameHead| {
                planted(Fault::NoChain) || head.first_sequence == sequence && head.before == before
            };
            if let Some((head, sum)) = self.head(seed, at)?.filter(|(head, _)| follows(head))
                && let Some(body) = self.bytes(at + HEAD as u64, head.body_length as usize)?
                && head.is_of(body)
            {
                found = Some((at, head, sum));
                break;
            }
        }
        let Some((at, head, sum)) = found else { return Ok(None) };
        let (from, length) = (at + HEAD as u64, head.body_length as usize);
        let Some(body) = self.bytes(from, length)? else { return Ok(None) };
        Ok(Some(Read { head, sum, body, end: from + length as u64 }))
    }

    /// Looks for headers of frames from `offset` on, under each of these seeds. Returns the furthest sequence that one
    /// of them says was synced before it was written, or `None` if there is no header; ends once that is above `enough`.
    /// A header proves that a writer was here, so its body is not looked at.
    pub(super) fn look_on(&mut self, offset: u64, seeds: &[u64], enough: u64) -> Result<Option<u64>, Error> {
        let mut durable = None;
        let mut at = offset.next_multiple_of(8);
        while at < self.length {
            let length = (self.length - at).min(WINDOW) as usize;
            let Some(bytes) = self.bytes(at, length)? else { break };
            let mut read = 0;
            while let Some(frame) = bytes.get(read..read + HEAD) {
                if frame.starts_with(&MARK) {
                    let decode = |seed: &u64| FrameHead::decode(frame, *seed, at + read as u64);
                    durable = durable.max(seeds.iter().find_map(decode).map(|(head, _)| head.durable));
                }
                read += 8;
            }
            if durable > Some(enough) || read == 0 {
                break;
            }
            at += read as u64;
        }
        Ok(durable)
    }

    fn head(&mut self, seed: u64, offset: u64) -> Result<Option<(FrameHead, u64)>, Error> {
        Ok(self.bytes(offset, HEAD)?.and_then(|bytes| FrameHead::decode(bytes, seed, offset)))
    }

    /// These bytes, or `None` if the file ends before. `offset` is a multiple of 8.
    fn bytes(&mut self, offset: u64, length: usize) -> Result<Option<&[u8]>, Error> {
        let rest = self.length.saturating_sub(offset);
        if rest < length as u64 {
            return Ok(None);
        }
        let within = offset.checked_sub(self.start).is_some_and(|skipped| {
            skipped.checked_add(length as u64).is_some_and(|end| end <= self.filled as u64)
        });
        if !within {
            let filled = rest.min(WINDOW.max(length as u64)) as usize;
            let words = filled.div_ceil(8);
            grow(&mut self.window, words)?;
            self.window.resize(words.max(self.window.len()), 0);
            self.filled = 0;
            self.file.read_at(&mut bytemuck::cast_slice_mut(&mut self.window)[..filled], offset)?;
            (self.start, self.filled) = (offset, filled);
        }
        let skipped = (offset - self.start) as usize;
        Ok(Some(&bytemuck::cast_slice(&self.window)[skipped..skipped + length]))
    }
}
