//! The fields of the rows of a build, and where they are.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// Fields that a build reads row by row, so that they need not fit in memory.
///
/// A build reads all rows once in their order and once in another, and some of them once more. Several threads read at
/// once.
pub trait FieldSource: Send + Sync {
    /// The number of rows.
    fn count(&self) -> usize;

    /// Appends the fields of a row to `into`: one JSON object in UTF-8, or nothing for a row that has none.
    ///
    /// # Errors
    /// `io`, or what else keeps it from that.
    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), Error>;
}

/// The fields of the rows of a build: one JSON object for each, which is stored as it is. It is an option of a build:
/// [`BuildOptions::fields`](crate::BuildOptions).
///
/// ```
/// use pagevec::{BuildOptions, Ctx, Fields, Id, Index, Metric, SearchOptions};
///
/// let fields = Fields::of([r#"{"title":"North"}"#, r#"{"title":"East"}"#]);
/// let options = BuildOptions::new(Metric::Cosine).fields(fields);
/// let file = pagevec::build(vec![0.0, 1.0, 1.0, 0.0], 2, None, &options, &Ctx::default())?;
/// let index = Index::from_bytes(&file)?;
/// let answer = index.search(&[0.1, 0.9], &SearchOptions::new(1).fields(true))?;
/// assert_eq!(answer.hits[0].fields.as_deref(), Some(r#"{"title":"North"}"#));
/// assert_eq!(index.fields(&[Id::Number(1)])?[0].as_deref(), Some(r#"{"title":"East"}"#));
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone)]
pub struct Fields(Arc<dyn FieldSource>);

impl Fields {
    /// The fields of a row have at most so many bytes.
    pub const MAX_ROW: usize = 65_535;

    /// Fields that are read during the build.
    pub fn new(source: impl FieldSource + 'static) -> Self {
        Fields(Arc::new(source))
    }

    /// A copy of these rows, each a JSON object, or empty for a row without fields.
    pub fn of(rows: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for row in rows {
            bytes.extend_from_slice(row.as_ref());
            ends.push(bytes.len());
        }
        Fields::new(InMemory { bytes, ends })
    }

    pub(crate) fn source(&self) -> &dyn FieldSource {
        &*self.0
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields of {} rows", self.0.count())
    }
}

/// Whether they are the same fields in memory; what they hold is not compared.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

struct InMemory {
    bytes: Vec<u8>,
    /// Where each row ends, after a 0.
    ends: Vec<usize>,
}

impl FieldSource for InMemory {
    fn count(&self) -> usize {
        self.ends.len() - 1
    }

    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        into.extend_from_slice(&self.bytes[self.ends[row]..self.ends[row + 1]]);
        Ok(())
    }
}
