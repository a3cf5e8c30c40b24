//! The simulated disk and the random numbers of the tests of the crate.

#[path = "../../../../tests/support/data.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
pub(crate) mod data;
#[path = "../../../../tests/support/disk/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
pub(crate) mod disk;
