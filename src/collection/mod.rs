//! What is open and searched: for now one segment at a time.

mod index;

pub use index::Index;
