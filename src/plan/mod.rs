//! Plans an index before it is built: which codes and which index fit a budget of memory, what each part will take, and what
//! searches are expected to find. All of it is computed, and nothing is built or read.
//!
//! ```
//! use pagevec::plan::{PlanOptions, Residency, plan};
//!
//! let plan = plan(&PlanOptions::new(1_000_000, 768, 100_000_000))?;
//! assert_eq!((plan.index, plan.residency), ("clusters", Residency::Pages));
//! assert!(plan.resident.total() <= 100_000_000);
//! # Ok::<(), pagevec::Error>(())
//! ```
//!
//! | file | duty |
//! |---|---|
//! | `options` | what is asked for, and whether it can be asked |
//! | `choose`  | which codes and index fit the budget, and why |
//! | `shape`   | the segment that a build would make, by counts |
//! | `payload` | what stored fields and their indexes take |
//! | `resident` | what an open index holds, by part: the budget divided as a session divides it |
//! | `expected` | what was measured of searches |
//! | `profile` | rules of thumb by size |
//! | `print`   | a plan as JSON and as text |

mod choose;
mod expected;
mod options;
mod payload;
mod print;
mod profile;
mod resident;
mod shape;

use crate::error::Error;
use crate::quant::CodecKind;

pub use choose::{Missed, Residency};
pub use expected::{Expected, MeasuredSet};
pub use options::{PayloadField, PlanOptions, codec, whole};
pub use print::size;
pub use profile::{PROFILES, Profile, Quantization, float_bytes, suggest_quantization};
pub use resident::Resident;

/// What to build, and what it will take.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The quantization of the rule of thumb, see [`suggest_quantization`].
    pub suggested: Quantization,
    /// The codec of the codes: [`BuildOptions::codec`](crate::BuildOptions).
    pub codec: CodecKind,
    /// Finer rows; `None`: there are none.
    pub refine: Option<CodecKind>,
    /// Whether to build the graph.
    pub graph: bool,
    /// Whether to build the clusters.
    pub clusters: bool,
    /// The index that answers: `hnsw`, `clusters` or `flat`.
    pub index: &'static str,
    /// What is held in memory.
    pub residency: Residency,
    /// The `memory_budget` to open the index with. What is left of the plan's budget is for places and for a search.
    pub memory_budget: u64,
    /// Bytes of memory, by part, once all that searches by `index` hold has been read.
    pub resident: Resident,
    /// Bytes of the file.
    pub file: u64,
    /// The sections of the file, in order, with their bytes.
    pub sections: Vec<(&'static str, u64)>,
    /// Rules of thumb for a collection of so many rows.
    pub profile: Profile,
    /// What the codes that were wanted, and their graph, would take, where they do not fit: then this plan is the nearest that
    /// does.
    pub missed: Option<Missed>,
    /// What is expected of searches; `None` where nothing like it was measured.
    pub expected: Option<Expected>,
    /// The reasons, each a sentence or two.
    pub why: Vec<String>,
}

/// The best index of so many rows in so many bytes of memory.
///
/// Codes and their graph are held in memory, if those of some codec that finds enough fit. If none do, the plan is for clusters,
/// whose lists and rows are read from the file, as far as they are not held.
///
/// # Errors
/// `argument` for rows, dimensions, codecs or fields that no segment can have; `budget`, with the least that works.
pub fn plan(options: &PlanOptions) -> Result<Plan, Error> {
    choose::choose(options)
}
