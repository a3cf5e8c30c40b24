//! Writes to stdout. Every write is checked, so that `pagevec … | head` ends without an error.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// Prints a value as JSON, and a newline.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    text(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}

/// Prints text.
pub(crate) fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|e| Failure::stdout(&e))
}

/// Prints a label and its value on one line, as `build` and `inspect` do.
pub(crate) fn field(out: &mut dyn Write, name: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "{name:<18} {value}")
}

/// A point of the curve of the clustered index: the width that a recall needs, and the recall it reached.
#[derive(Serialize)]
pub(crate) struct Step {
    k: usize,
    wanted: f64,
    reached: f64,
    cells: usize,
    probes: usize,
}

/// The points of a curve, as JSON shows them.
pub(crate) fn curve(steps: &[pagevec::CurveStep]) -> Vec<Step> {
    let step = |s: &pagevec::CurveStep| Step {
        k: s.k,
        wanted: s.wanted,
        reached: s.reached,
        cells: s.cells,
        probes: s.probes,
    };
    steps.iter().map(step).collect()
}

/// Prints a line for each k, with pairs of a wanted recall and the recall that the build measured for it.
pub(crate) fn print_curve(out: &mut dyn Write, steps: &[Step]) -> io::Result<()> {
    for steps in steps.chunk_by(|a, b| a.k == b.k) {
        let shown: Vec<String> = steps.iter().map(|s| format!("{:.2}: {:.3}", s.wanted, s.reached)).collect();
        let k = steps.first().map_or(0, |s| s.k);
        field(out, &format!("recall, k {k}"), shown.join("  "))?;
    }
    Ok(())
}

/// What comes from a file must not move the cursor or part a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
