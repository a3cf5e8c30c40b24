//! For hosts that do in other threads what takes long, and whose files must be made ready: merges are planned here, done elsewhere
//! by [`run_merge`](crate::collection::run_merge), and committed here.

use crate::collection::files::manifest::NAMES;
use crate::collection::files::segment_name;
use crate::collection::merge::Merged;
use crate::collection::wal;
use crate::collection::write::Writer;
use crate::collection::write::segments::Made;
use crate::collection::{Collection, MergeJob};
use crate::error::Error;

/// So many new files of each kind may be needed before a host makes the next ones ready.
const AHEAD: u64 = 2;

impl Collection {
    /// A merge that is due, or, where `all` is set, one that makes fewer segments, a graph, or room: after a flush there is none
    /// once all is merged. Its segments are in no other merge before it is committed or abandoned.
    ///
    /// # Errors
    /// `io`, `poisoned`: then the collection must be opened again.
    pub fn plan_merge(&self, all: bool) -> Result<Option<MergeJob>, Error> {
        let mut writer = self.shared.writer()?;
        loop {
            let state = self.snapshot().0;
            match writer.job(&state, all)? {
                // There is nothing to write.
                Some(job) if job.rows() == 0 => {
                    writer.release(&job.manifest.segments);
                    let next = writer.put_merged(&state, Merged::nothing(job))?;
                    self.shared.publish(next);
                }
                job => return Ok(job),
            }
        }
    }

    /// Puts the file that a merge has made, of `length` bytes and durable, in place of its inputs. Returns whether it was: not if
    /// these are gone meanwhile, as after [`Collection::clear`].
    ///
    /// # Errors
    /// Those of the file, which is not taken then; `io`.
    pub fn commit_merge(&self, job: MergeJob, length: u64) -> Result<bool, Error> {
        let mut writer = self.shared.writer()?;
        writer.release(&job.manifest.segments);
        let merged = job.written(&writer.place, length)?;
        let next = writer.put_merged(&self.snapshot().0, merged)?;
        let taken = next.is_some();
        self.shared.publish(next);
        Ok(taken)
    }

    /// Removes what a merge has left that came to nothing.
    ///
    /// # Errors
    /// `read-only`.
    pub fn abandon_merge(&self, job: &MergeJob) -> Result<(), Error> {
        let mut writer = self.shared.writer()?;
        writer.release(&job.manifest.segments);
        writer.remove(job.manifest.next_file);
        Ok(())
    }

    /// The names of files that may be created by the next writes: a host whose names are created asynchronously makes them ready.
    ///
    /// # Errors
    /// `read-only`, `io`.
    pub fn next_files(&self) -> Result<Vec<String>, Error> {
        let writer = self.shared.writer()?;
        let mut names: Vec<String> = NAMES.map(str::to_owned).into();
        names.extend(wal::next_names(&*writer.place.dir, &writer.place.folder, AHEAD as usize)?);
        names.extend(writer.next_flushes(AHEAD));
        Ok(names)
    }

    /// The names of files that are not needed any more, and could not be removed: it is tried again after the next flush or merge.
    pub fn unused_files(&self) -> Vec<String> {
        let names = |writer: &Writer| writer.dropped.iter().map(|&number| segment_name(number)).collect();
        self.shared.writer().map_or(Vec::new(), |writer| names(&writer))
    }

    /// The host has removed such a file itself.
    pub fn forget_file(&self, name: &str) {
        if let Ok(mut writer) = self.shared.writer() {
            writer.dropped.retain(|&number| segment_name(number) != name);
        }
    }
}

impl Writer {
    fn next_flushes(&self, count: u64) -> impl Iterator<Item = String> {
        let next = self.next_number(Made::Flushed);
        (0..count).map(move |ahead| segment_name(next + 2 * ahead))
    }
}
