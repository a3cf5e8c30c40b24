//! The documents of wordnet: one JSON object a row, with part of speech, domain, words and definition.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

pub(crate) fn docs(path: &Path) -> io::Result<Vec<Value>> {
    let lines = BufReader::new(GzDecoder::new(File::open(path)?)).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
