//! The index in a folder that `build --append` or `merge` changes.

use crate::failure::Failure;
use crate::input::ids::IdsType;
use pagevec::{FolderInfo, Form, Ids, Index, Io, OpenOptions};
use std::path::Path;

pub(in crate::commands) struct Base {
    pub(in crate::commands) index: Index,
    pub(in crate::commands) generation: u64,
    /// The model that made its vectors, if it is named.
    pub(in crate::commands) model: Option<String>,
    /// The form of the last segment.
    pub(in crate::commands) form: Form,
}

impl Base {
    /// Opens the index to append to it.
    pub(super) fn to_append(folder: &Path) -> Result<Self, Failure> {
        let info = info(folder, "append to: leave out --append to build one")?;
        Base::open(folder, &info, Io::Mmap)
    }

    /// Opens the index to merge its segments. A merge copies from whole files, so segments that are in parts only are
    /// read into memory, and the others with them.
    pub(in crate::commands) fn to_merge(folder: &Path) -> Result<Self, Failure> {
        let info = info(folder, "merge: `pagevec build` makes one")?;
        let parts_only = info.segments.iter().any(|segment| segment.form == Form::Parts);
        Base::open(folder, &info, if parts_only { Io::Memory } else { Io::Mmap })
    }

    fn open(folder: &Path, info: &FolderInfo, io: Io) -> Result<Self, Failure> {
        let index = Index::open_with(folder, &OpenOptions::new().io(io));
        let index = index.map_err(|error| Failure::of_file(folder, error))?;
        let form = info.segments.last().map_or(Form::File, |segment| segment.form);
        Ok(Base { index, generation: info.generation, model: info.model.clone(), form })
    }

    /// The kind of its ids.
    pub(super) fn ids_type(&self) -> IdsType {
        if self.index.info().ids == "text" { IdsType::Text } else { IdsType::Number }
    }

    /// The numbers that follow those of the index, for rows without ids.
    pub(super) fn numbers(&self, folder: &Path, rows: usize) -> Result<Ids, Failure> {
        match pagevec::next_number(folder)? {
            Some(next) => Ok(Ids::Numbers((next..next + rows as u64).collect())),
            None => Err(Failure::usage(
                "the ids of this index are text: give --ids, or lines with ids, for the rows to append",
            )),
        }
    }
}

/// What the manifest says. It is read before the index is opened: if another writer is faster, its generation is the
/// older one, and is refused later.
fn info(folder: &Path, to: &str) -> Result<FolderInfo, Failure> {
    if folder.is_file() {
        return Err(Failure::usage(format!("{} is a file: give the folder of an index", folder.display())));
    }
    if !folder.join("index.json").exists() {
        return Err(Failure::input(folder, format!("there is no index.json, so there is no index to {to}")));
    }
    pagevec::folder_info(folder).map_err(|error| Failure::of_file(folder, error))
}
