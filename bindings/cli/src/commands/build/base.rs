//! The index that `build --append` appends to.

use crate::failure::Failure;
use crate::input::ids::IdsType;
use pagevec::{Form, Ids, Index};
use std::path::Path;

pub(in crate::commands) struct Base {
    pub(in crate::commands) index: Index,
    pub(in crate::commands) generation: u64,
    /// The form of the last segment.
    pub(in crate::commands) form: Form,
}

impl Base {
    pub(in crate::commands) fn open(folder: &Path) -> Result<Self, Failure> {
        let named = |error| Failure::of_file(folder, error);
        if !folder.join("index.json").exists() {
            let message = "there is no index.json, so there is no index to change: build it first";
            return Err(Failure::input(folder, message));
        }
        // The generation is read first: if another writer is faster, it is the older one, and is refused later.
        let info = pagevec::folder_info(folder).map_err(named)?;
        let index = Index::open(folder).map_err(named)?;
        let form = info.segments.last().map_or(Form::File, |segment| segment.form);
        Ok(Base { index, generation: info.generation, form })
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
