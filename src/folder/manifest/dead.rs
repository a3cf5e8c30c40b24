//! The dead rows of a segment: rows whose ids a later segment has. A writer finds and stores them, so that readers
//! compare no ids. Their file is a position set, named by its content.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::folder::wait::{PATIENCE, wait};
use crate::segment::{PositionSet, Segment, content_id};
use crate::storage::{Access, Dir, io_error};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dead {
    pub(crate) file: String,
    pub(crate) length: u64,
    /// Rows in the set, at least one.
    pub(crate) count: u64,
    content_id: String,
}

impl Dead {
    /// The entry of these rows of the segment with this file id, and the bytes of their file.
    pub(crate) fn of(rows: &PositionSet, file_id: &[u8; 16]) -> (Self, Vec<u8>) {
        let bytes = rows.encode(file_id, 0);
        let content_id = content_id(&bytes);
        let file = format!("dead-{}.bin", &content_id[..32]);
        (Dead { file, length: bytes.len() as u64, count: rows.len() as u64, content_id }, bytes)
    }

    /// All of its file.
    ///
    /// # Errors
    /// `io` if the file is missing or of another length; `corrupt` for other bytes.
    pub(crate) fn bytes(&self, dir: &dyn Dir, folder: &Path) -> Result<Vec<u8>, Error> {
        let path = folder.join(&self.file);
        let file = wait(folder, PATIENCE, || dir.open(&path, Access::Read))?;
        let (found, expected) = (file.length()?, self.length);
        if found != expected {
            let detail = format!(
                "it has {found} bytes, but {expected} were published: copy or publish the folder again"
            );
            return Err(io_error(&path, IoError::new(ErrorKind::InvalidData, detail)));
        }
        let mut bytes = vec![0; found as usize];
        file.read_at(&mut bytes, 0)?;
        match content_id(&bytes) == self.content_id {
            true => Ok(bytes),
            false => Err(self.corrupt("it has other bytes than were published")),
        }
    }

    /// The rows in its file, which has these bytes, of a segment.
    ///
    /// # Errors
    /// `corrupt` if they are not as many as the manifest says; those of [`PositionSet::decode`].
    pub(crate) fn rows(&self, bytes: &[u8], segment: &Segment) -> Result<PositionSet, Error> {
        let rows = segment.dead_rows(bytes)?;
        match rows.len() as u64 == self.count {
            true => Ok(rows),
            false => Err(self.corrupt("it has more or fewer rows than the manifest says")),
        }
    }

    fn corrupt(&self, detail: &str) -> Error {
        Error::corrupt("dead rows", format!("{}: {detail}", self.file))
    }
}
