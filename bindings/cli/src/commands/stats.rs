//! `pagevec stats`: what an index or a collection holds in memory, in the process that asks.

use super::arguments::Source;
use super::collection;
use crate::failure::Failure;
use crate::output::{self, field};
use crate::size;
use pagevec::MemoryMetrics;
use serde_json::{Map, Value, json};
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  pagevec stats site/index
  pagevec stats site/index --io pread --memory-budget 64MB --json
  pagevec stats notes --prometheus";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Stats {
    /// The folder may be a collection too, which is opened to be read
    #[command(flatten)]
    source: Source,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the text format of Prometheus
    #[arg(long, conflicts_with = "json")]
    prometheus: bool,
}

impl Stats {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let metrics = match collection::reads(&self.source.path) {
            true => collection::metrics(&self.source.path, self.source.of_collection()?)?,
            false => self.source.open()?.metrics(),
        };
        if self.prometheus {
            let path = self.source.path.display().to_string();
            let text = metrics.to_prometheus(&[("path", &path)]);
            return output::text(|out| out.write_all(text.as_bytes()));
        }
        if self.json { output::json(&report(&metrics)) } else { print(&metrics) }
    }
}

fn report(metrics: &MemoryMetrics) -> Value {
    let parts =
        metrics.tracker.parts().iter().map(|part| {
            (part.part.name().to_owned(), json!({ "reserved": part.current, "peak": part.peak }))
        });
    let contents = metrics.contents.each().map(|(kind, bytes)| {
        (kind.to_owned(), json!({ "stored": bytes.stored, "resident": bytes.resident }))
    });
    let actions = metrics.actions.iter().map(|(action, times)| (action.name().to_owned(), json!(times)));
    let machine = &metrics.machine;
    json!({
        "memory": {
            "budget": metrics.budget,
            "reserved": metrics.reserved,
            "available": metrics.available,
            "pressure": metrics.pressure,
            "level": metrics.level.name(),
            "alert": metrics.alert.name(),
            "parts": parts.collect::<Map<_, _>>(),
        },
        "contents": contents.into_iter().collect::<Map<_, _>>(),
        "memtable": metrics.memtable,
        "log": metrics.log,
        "allocated": metrics.allocated,
        "allocation_rate": metrics.allocation_rate,
        "refused": metrics.refused,
        "searches": metrics.searches,
        "p95_micros": metrics.p95_micros,
        "evictions": metrics.evictions,
        "actions": actions.collect::<Map<_, _>>(),
        "failed_actions": metrics.failed_actions,
        "level_changes": metrics.level_changes,
        "alert_changes": metrics.alert_changes,
        "rejected_writes": metrics.rejected_writes,
        "machine": {
            "total": machine.total,
            "available": machine.available,
            "resident": machine.resident,
            "resident_files": machine.resident_files,
            "swap": machine.swap,
            "minor_faults": machine.minor_faults,
            "major_faults": machine.major_faults,
            "disk_read": machine.disk_read,
            "disk_wait_ms": machine.disk_wait,
        },
    })
}

fn print(metrics: &MemoryMetrics) -> Result<(), Failure> {
    output::text(|out| {
        match metrics.budget {
            Some(budget) => {
                let share = format!("{:.1} % of {}", metrics.pressure * 100.0, size::show(budget));
                field(out, "reserved", format!("{}, {share}", size::show(metrics.reserved)))?;
            }
            None => field(out, "reserved", format!("{}, no budget", size::show(metrics.reserved)))?,
        }
        field(out, "level", format!("{}, alert: {}", metrics.level.name(), metrics.alert.name()))?;
        for part in metrics.tracker.parts().iter().filter(|part| part.peak > 0) {
            let bytes = format!("{}, at most {}", size::show(part.current), size::show(part.peak));
            field(out, &format!("  {}", part.part.name()), bytes)?;
        }
        field(out, "files", "in memory, of stored")?;
        for (kind, bytes) in metrics.contents.each().iter().filter(|(_, bytes)| bytes.stored > 0) {
            let of = format!("{} of {}", size::show(bytes.resident), size::show(bytes.stored));
            field(out, &format!("  {}", kind.replace('_', " ")), of)?;
        }
        field(out, "memtable", size::show(metrics.memtable))?;
        field(out, "log", size::show(metrics.log))?;
        field(out, "evictions", metrics.evictions)?;
        print_machine(out, metrics)
    })
}

fn print_machine(out: &mut dyn Write, metrics: &MemoryMetrics) -> std::io::Result<()> {
    let machine = &metrics.machine;
    let shown = |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), size::show);
    let count = |count: Option<u64>| count.map_or("unknown".to_owned(), |count| count.to_string());
    field(
        out,
        "process",
        format!("{} in memory, {} swapped out", shown(machine.resident), shown(machine.swap)),
    )?;
    field(
        out,
        "page faults",
        format!("{} minor, {} major", count(machine.minor_faults), count(machine.major_faults)),
    )?;
    field(out, "machine", format!("{} free of {}", shown(machine.available), shown(machine.total)))
}
