//! The ids of rows: position → id, and id → position by hashes.
//!
//! Ids that are numbers are packed (see `packed`). Of texts there are count + 1 offsets (u32) into the UTF-8 bytes that
//! follow. The id order has the hash and the position of each row, in order of the hashes. Hashes are spread evenly, so
//! the place of one is known to within a few times the root of their number: an id is found in a few blocks, whatever
//! ids look like.
//!
//! | file | duty |
//! |---|---|
//! | `encode` | checks the ids of a build; ids and their order as bytes |
//! | `view`   | the ids of some rows, from bytes in memory |
//! | `order`  | the entries of the id order |
//! | `whole`  | the positions of many ids, where the sections are in memory as a whole |
//! | `lookup` | the position of an id, in a file of which only parts may be in memory |

mod encode;
mod lookup;
mod order;
mod view;
mod whole;

pub(crate) use encode::{check_ids, encode, encode_order};
pub(super) use lookup::{Found, Lookup};
pub(super) use order::IdOrder;
pub(crate) use view::{IdBytes, IdView};
pub(super) use whole::WholeIds;
