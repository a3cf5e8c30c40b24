//! JSON lines: `{"id": "king", "vector": [0.1, 0.2]}`. Other members are ignored; ids may be left out everywhere.

use super::Vectors;
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Ids;
use serde::Deserialize;
use std::io::{BufRead, Read as _};
use std::path::Path;

/// The longest line: 65,535 components of 200 characters and a long id fit.
const MAX_LINE: u64 = 16 << 20;

#[derive(Deserialize)]
struct Line {
    id: Option<LineId>,
    vector: Vec<f32>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id is a text or a whole number from 0")]
enum LineId {
    Number(u64),
    Text(String),
}

/// Reads at most `limit` rows; empty lines are passed over.
pub(crate) fn read(
    mut reader: impl BufRead,
    path: &Path,
    limit: usize,
    progress: &Progress,
) -> Result<Vectors, Failure> {
    let mut rows = Vectors { data: Vec::new(), dim: 0, rows: 0, total: None, ids: None };
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text);
        if read.map_err(|e| Failure::io(path, &e))? == 0 {
            rows.total = Some(rows.rows);
            break;
        }
        if rows.rows == limit {
            break;
        }
        let fault = |message: String| Failure::input(path, format!("line {number}: {message}"));
        if text.len() as u64 == MAX_LINE {
            return Err(fault("longer than 16 MiB".into()));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&text).map_err(|e| fault(e.to_string()))?;
        rows.push(line).map_err(fault)?;
        progress.tick("read", rows.rows as u64, rows.rows as u64);
    }
    if rows.rows == 0 {
        return Err(Failure::input(path, "no line, so no vector"));
    }
    Ok(rows)
}

impl Vectors {
    fn push(&mut self, line: Line) -> Result<(), String> {
        if self.rows == 0 {
            self.dim = line.vector.len();
            self.ids = line.id.as_ref().map(|id| match id {
                LineId::Number(_) => Ids::Numbers(Vec::new()),
                LineId::Text(_) => Ids::Texts(Vec::new()),
            });
        }
        if line.vector.len() != self.dim {
            return Err(format!("{} components where the first row has {}", line.vector.len(), self.dim));
        }
        match (&mut self.ids, line.id) {
            (None, None) => {}
            (Some(Ids::Numbers(all)), Some(LineId::Number(id))) => all.push(id),
            (Some(Ids::Texts(all)), Some(LineId::Text(id))) => all.push(id),
            _ => return Err("ids must be all texts, all numbers, or all left out".into()),
        }
        self.data.extend(line.vector);
        self.rows += 1;
        Ok(())
    }
}
