//! The bytes of a segment, which is one immutable file. FORMAT.md defines every byte; the offsets of the header are in
//! `format` alone.
//!
//! | file | duty |
//! |---|---|
//! | `format` | the header and the section table, both directions |
//! | `writer` | writes a file from its sections |
//! | `open`   | from the front to a [`Segment`], with all the checks that later reads rest on |
//! | `reader` | an opened segment: where things are; bytes compared with their checksums |
//! | `ids/`   | position → id, and id → position by hashes |
//! | `packed` | bit-packed whole numbers |
//! | `sets/` | sets of positions |
//! | `graph/` | the graph: its links in memory and in the file |
//! | `clusters/` | the clustered index: cells → leaves → lists |
//! | `payload/` | the indexes of payload fields: terms, sorted keys, points |
//! | `fields/` | the stored fields of rows, in compressed blocks |
//! | `verify`, `stream` | the complete check, in one pass over the file |
//! | `info`   | the facts of a segment, for `inspect` and for programs |
//! | `planned` | a segment that is not built yet |

pub(crate) mod clusters;
pub(crate) mod fields;
mod format;
mod graph;
mod ids;
mod info;
mod open;
mod packed;
pub(crate) mod payload;
mod planned;
mod reader;
mod sets;
mod stream;
mod verify;
mod writer;

pub(crate) use format::{FieldSizes, Header, STAGES, SectionKind, VERSION};
pub(crate) use graph::{Graph, GraphParts, GraphView};
pub(crate) use ids::{IdBytes, IdView, check_ids, encode as encode_ids, encode_order};
pub use info::{CurveStep, FieldInfo, Info, SectionInfo};
pub(crate) use planned::{Planned, PlannedFields};
pub(crate) use reader::{Clusters, Matrix};
pub use reader::{HEAD, Segment, front_length};
pub use sets::PositionSet;
pub(crate) use stream::Fill;
pub(crate) use writer::{Parts, Pieces, node_checksums, row_checksums, write};

pub(crate) use crate::storage::checksum::file_seed;

/// What the format can hold.
pub(crate) mod limits {
    pub(crate) use super::format::{MAX_COUNT, MAX_DEGREE, MAX_DIM, MAX_EF_CONSTRUCTION, MAX_FRONT};
}

/// The name of a finished file: BLAKE3 of all its bytes, in hex.
pub fn content_id(file: &[u8]) -> String {
    blake3::hash(file).to_hex().to_string()
}
