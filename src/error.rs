//! The errors of all calls. Each has a stable code and data; its message says what to do next.

mod message;

pub(crate) use message::Quoted;

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
    /// A filter that is none, or that the fields of the index do not fit.
    Filter {
        /// Where in the filter, such as `$and[1].price.$gte`. Empty: the whole of it.
        path: String,
        /// What is wrong there and what to write instead.
        detail: String,
    },
    /// A value that is not what the schema says of its field.
    Field {
        /// The name of the field.
        field: String,
        /// The row as it was given, from 0.
        row: usize,
        /// The row's id as text, where it is a row of a collection.
        id: Option<String>,
        /// What the value is, and what it has to be.
        detail: String,
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
    /// What was to be replaced is no longer what it was, because another writer was faster.
    Changed {
        /// The file that has changed.
        path: String,
    },
    /// Another program writes this collection.
    CollectionLocked {
        /// The folder.
        path: String,
        /// Which one, as far as it is known.
        by: Option<String>,
    },
    /// There is no collection.
    NoCollection {
        /// The folder.
        path: String,
    },
    /// A collection that is open to be read only was to be written.
    ReadOnly,
    /// Operations that were acknowledged cannot be read in the write-ahead log. All before them were.
    WalDamaged {
        /// The file.
        path: String,
        /// The number of the log.
        log: u64,
        /// Where in the file.
        offset: u64,
        /// How many operations before it are whole, from the manifest's position on.
        operations: u64,
        /// What is wrong.
        detail: &'static str,
    },
    /// An earlier write or sync of this log has failed, so it is not known what the file holds.
    Poisoned {
        /// The file.
        path: String,
    },
    /// One segment of an index is wrong. Its code is that of the error.
    InSegment {
        /// The segment's file, or the folder of its parts.
        path: String,
        /// What is wrong with it.
        error: Box<Error>,
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
            Error::Filter { .. } => "filter",
            Error::Field { .. } => "field",
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
            Error::Locked { .. } | Error::CollectionLocked { .. } => "locked",
            Error::Changed { .. } => "changed",
            Error::NoCollection { .. } => "not-found",
            Error::ReadOnly => "read-only",
            Error::WalDamaged { .. } => "wal-damaged",
            Error::Poisoned { .. } => "poisoned",
            Error::InSegment { error, .. } => error.code(),
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

    pub(crate) fn filter(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Error::Filter { path: path.into(), detail: detail.into() }
    }

    pub(crate) fn corrupt(section: &'static str, detail: impl Into<String>) -> Self {
        Error::Corrupt { section, detail: detail.into() }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::InSegment { error, .. } => Some(error),
            _ => None,
        }
    }
}
