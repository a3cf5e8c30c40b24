//! Indexes as they are in files, compared with maps.
//!
//! | file | duty |
//! |---|---|
//! | `model`   | columns from maps; whole files; queries as a search makes them |
//! | `answers` | what is found is what the maps have |
//! | `hostile` | bytes that were changed: an error, or an answer in bounded time |
//! | `rules`   | rules that only the complete check finds broken |

mod answers;
mod hostile;
mod model;
mod rules;
