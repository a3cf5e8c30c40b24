//! The errors of all calls. Each has a stable code and data; its message says what to do next.

use std::fmt;

/// A failed call. [`Error::code`] is stable and the same in Rust, in the CLI's `--json` and in JS.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument outside its range.
    Argument {
        /// Which one.
        name: &'static str,
        /// What is wrong with it and what it may be.
        detail: String,
    },
    /// A vector of the wrong length.
    Dimension {
        /// The index's.
        expected: usize,
        /// The vector's.
        got: usize,
    },
    /// A NaN or an infinity in a row.
    NotFinite {
        /// The row as it was given, from 0.
        row: usize,
        /// The component, from 0.
        column: usize,
    },
    /// A zero vector (or one whose norm overflows f32) under cosine, which has no direction.
    ZeroVector {
        /// The row as it was given, from 0.
        row: usize,
    },
    /// A query that no distance is defined for.
    Query {
        /// Its number in the batch, from 0; `None` where it is alone.
        query: Option<usize>,
        /// What is wrong with it.
        fault: QueryFault,
    },
    /// The same id twice.
    DuplicateId {
        /// The id as text.
        id: String,
    },
    /// Ids that are not in the index.
    UnknownId {
        /// The first of these ids, as text.
        id: String,
        /// How many more there are.
        others: usize,
    },
    /// The bytes are no pagevec segment.
    NotASegment {
        /// What was found instead.
        detail: String,
    },
    /// A segment of a format this build does not read.
    Version {
        /// The version or feature bits in the file.
        found: u64,
        /// What this build reads.
        supported: u64,
    },
    /// Fewer or more bytes than the header says.
    Length {
        /// What was measured.
        section: &'static str,
        /// What the header says.
        expected: u64,
        /// What is there.
        got: u64,
    },
    /// Bytes that differ from what was written.
    Checksum {
        /// Where.
        section: &'static str,
        /// The file offset of the block that failed.
        offset: u64,
    },
    /// Bytes that break a rule of the format.
    Corrupt {
        /// Where.
        section: &'static str,
        /// The rule.
        detail: String,
    },
    /// The memory budget does not hold even one query.
    Budget {
        /// The smallest budget that works, in bytes.
        needed: u64,
        /// The one given.
        budget: u64,
    },
    /// An allocation failed.
    OutOfMemory {
        /// Its size in bytes.
        bytes: u64,
    },
    /// The caller cancelled.
    Cancelled,
    /// Another process publishes into the same folder, and the wait for it has timed out.
    Locked {
        /// The lock file.
        path: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The operating system reported an error.
    Io {
        /// The file, or what was being done.
        path: String,
        /// Its reason.
        source: std::io::Error,
    },
    /// An invariant of pagevec does not hold. This is a fault of pagevec, not of the caller.
    Internal {
        /// What.
        detail: String,
    },
}

/// What is wrong with a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFault {
    /// A component is NaN or infinite.
    NotFinite {
        /// Which one, from 0.
        column: usize,
    },
    /// A zero vector (or one whose norm overflows f32) under cosine.
    NoDirection,
    /// So long that its distances overflow f32.
    TooLong,
}

impl Error {
    /// A stable short name.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Argument { .. } => "argument",
            Error::Dimension { .. } => "dimension",
            Error::NotFinite { .. } => "not-finite",
            Error::ZeroVector { .. } => "zero-vector",
            Error::Query { fault: QueryFault::NotFinite { .. }, .. } => "not-finite",
            Error::Query { fault: QueryFault::NoDirection, .. } => "zero-vector",
            Error::Query { fault: QueryFault::TooLong, .. } => "argument",
            Error::DuplicateId { .. } => "duplicate-id",
            Error::UnknownId { .. } => "unknown-id",
            Error::NotASegment { .. } => "not-a-segment",
            Error::Version { .. } => "version",
            Error::Length { .. } => "length",
            Error::Checksum { .. } => "checksum",
            Error::Corrupt { .. } => "corrupt",
            Error::Budget { .. } => "budget",
            Error::OutOfMemory { .. } => "out-of-memory",
            Error::Cancelled => "cancelled",
            Error::Locked { .. } => "locked",
            Error::Io { .. } => "io",
            Error::Internal { .. } => "internal",
        }
    }

    /// Turns an error about a row into one about a query: number `query` of a batch, or `None` for a single query.
    pub(crate) fn of_query(self, query: Option<usize>) -> Self {
        let fault = match self {
            Error::NotFinite { column, .. } => QueryFault::NotFinite { column },
            Error::ZeroVector { .. } => QueryFault::NoDirection,
            Error::Argument { name: "vectors", .. } => QueryFault::TooLong,
            other => return other,
        };
        Error::Query { query, fault }
    }

    /// Renumbers the query of the error, for queries that begin at number `first` of a batch.
    pub(crate) fn of_rows_from(mut self, first: usize) -> Self {
        if let Error::Query { query, .. } = &mut self
            && first > 0
        {
            *query = Some(query.unwrap_or(0) + first);
        }
        self
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Error::Internal { detail: detail.into() }
    }

    pub(crate) fn argument(name: &'static str, detail: impl Into<String>) -> Self {
        Error::Argument { name, detail: detail.into() }
    }

    pub(crate) fn corrupt(section: &'static str, detail: impl Into<String>) -> Self {
        Error::Corrupt { section, detail: detail.into() }
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
            Error::DuplicateId { id } => write!(f, "the id {id:?} is given twice: ids name one row each"),
            Error::UnknownId { id, others: 0 } => write!(f, "no row has the id {id:?}"),
            Error::UnknownId { id, others } => write!(f, "no row has the id {id:?} and {others} others"),
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
                write!(
                    f,
                    "a memory budget of {budget} bytes is too small for one query: give at least {needed}"
                )
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
            Error::Io { path, source } => write!(f, "{path}: {source}"),
            Error::Internal { detail } => {
                write!(f, "{detail}: this is a fault of pagevec, please report it")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
