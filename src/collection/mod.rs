//! What is open and searched: for now one segment at a time.

mod index;
mod reading;

pub use index::Index;
