//! What an error says: what is wrong, and what to do next.

use std::fmt::{self, Write as _};

use super::{Error, QueryFault};

/// A text in quotes, of which control characters are escaped. `{:?}` looks into tables of Unicode, which take 3 kB of a
/// WebAssembly module.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c.is_control() || matches!(c, '"' | '\\') {
                true => c.escape_default().fmt(f)?,
                false => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Argument { name, detail } => write!(f, "{name}: {detail}"),
            Error::Dimension { expected, got } => {
                write!(
                    f,
                    "the vector has {got} components, the index {expected}: use the model the index was built with"
                )
            }
            Error::NotFinite { row, column } => {
                write!(f, "row {row}, component {column} is NaN or infinite: remove or repair the row")
            }
            Error::ZeroVector { row } => {
                write!(
                    f,
                    "row {row} has no direction (its norm is zero or overflows): cosine cannot rank it; remove the row or use dot or l2"
                )
            }
            Error::Query { query, fault } => {
                match query {
                    Some(number) => write!(f, "query {number} ")?,
                    None => f.write_str("the query ")?,
                }
                match fault {
                    QueryFault::NotFinite { column } => {
                        write!(f, "has NaN or infinity in component {column}")?
                    }
                    QueryFault::NoDirection => {
                        write!(f, "has no direction (norm zero or infinite), so cosine cannot rank by it")?;
                    }
                    QueryFault::TooLong => f.write_str("is so long that its distances overflow f32")?,
                }
                f.write_str(": check what the embedding model gave")
            }
            Error::Filter { path, detail } if path.is_empty() => write!(f, "filter: {detail}"),
            Error::Filter { path, detail } => write!(f, "filter, at {path}: {detail}"),
            Error::Field { field, row, id: None, detail } => {
                write!(f, "row {row}, field {}: {detail}", Quoted(field))
            }
            Error::Field { field, row, id: Some(id), detail } => {
                write!(f, "row {row}, id {}, field {}: {detail}", Quoted(id), Quoted(field))
            }
            Error::DuplicateId { id } => {
                write!(f, "the id {} is given twice: ids name one row each", Quoted(id))
            }
            Error::UnknownId { id, others: 0 } => write!(f, "no row has the id {}", Quoted(id)),
            Error::UnknownId { id, others } => {
                write!(f, "no row has the id {} and {others} others", Quoted(id))
            }
            Error::NotASegment { detail } => {
                write!(f, "not a pagevec segment ({detail}): check the path or URL")
            }
            Error::Version { found, supported } => {
                write!(
                    f,
                    "the segment needs format {found:#x}, this build reads {supported:#x}: update pagevec or rebuild the segment"
                )
            }
            Error::Length { section, expected, got } => {
                write!(
                    f,
                    "{section}: there are {got} bytes, but {expected} were written: the file is cut or extended; copy or publish it again"
                )
            }
            Error::Checksum { section, offset } => {
                write!(
                    f,
                    "{section}: the bytes at offset {offset} differ from those that were written: copy or publish the file again"
                )
            }
            Error::Corrupt { section, detail } => {
                write!(
                    f,
                    "{section}: {detail}: the file is damaged or was not written by pagevec; rebuild it"
                )
            }
            Error::Budget { needed, budget } => {
                write!(f, "a memory budget of {budget} bytes is too small: give at least {needed}")
            }
            Error::OutOfMemory { bytes } => {
                write!(
                    f,
                    "{bytes} bytes could not be allocated: lower the memory budget or close other indexes"
                )
            }
            Error::Cancelled => f.write_str("cancelled by the caller"),
            Error::Locked { path, seconds } => {
                write!(
                    f,
                    "{path}: another process publishes into this folder, for more than {seconds} s now: let it end, or \
                     end it, and publish again"
                )
            }
            Error::Changed { path } => {
                write!(
                    f,
                    "{path}: another writer has changed this index meanwhile: open it again, and begin again from what it \
                     is now"
                )
            }
            Error::CollectionLocked { path, by } => {
                let by = by.as_deref().unwrap_or("another program");
                write!(
                    f,
                    "{path}: {by} has this collection open for writing, which one at a time may: let it end, or open the \
                     collection to be read only"
                )
            }
            Error::NoCollection { path } => {
                write!(f, "{path}: there is no collection: check the path, or create one")
            }
            Error::ReadOnly => {
                f.write_str("the collection is open to be read only: open it without `read_only` to write")
            }
            Error::WalDamaged { path, log, offset, operations, detail } => {
                write!(
                    f,
                    "{path}: log {log} is damaged at offset {offset} ({detail}); the {operations} operations before it \
                     are whole: open the collection read-only, or run repair, which gives up what is behind"
                )
            }
            Error::Poisoned { path } => {
                write!(
                    f,
                    "{path}: an earlier write to this log has failed, so nothing more is written to it: open the \
                     collection again; reads go on"
                )
            }
            Error::InSegment { path, error } => write!(f, "{path}: {error}"),
            Error::Io { path, source } => write!(f, "{path}: {source}"),
            Error::Internal { detail } => {
                write!(f, "{detail}: this is a fault of pagevec, please report it")
            }
        }
    }
}
