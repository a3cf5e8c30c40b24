//! Stdout. Every write is checked, so that `pagevec … | head` ends quietly.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// One JSON document and a newline.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    text(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}

/// Text for people.
pub(crate) fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|e| Failure::stdout(&e))
}

/// A label and its value, as `build` and `inspect` print them.
pub(crate) fn field(out: &mut dyn Write, name: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "{name:<18} {value}")
}

/// A point of the clustered index's curve.
#[derive(Serialize)]
pub(crate) struct Step {
    k: usize,
    wanted: f64,
    reached: f64,
    cells: usize,
    probes: usize,
}

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

/// A line for each k: the recall that each wanted recall reached when the index was built.
pub(crate) fn print_curve(out: &mut dyn Write, steps: &[Step]) -> io::Result<()> {
    for steps in steps.chunk_by(|a, b| a.k == b.k) {
        let shown: Vec<String> = steps.iter().map(|s| format!("{:.2}: {:.3}", s.wanted, s.reached)).collect();
        let k = steps.first().map_or(0, |s| s.k);
        field(out, &format!("recall, k {k}"), shown.join("  "))?;
    }
    Ok(())
}
