//! `pagevec collection flush`, `compact` and `stats`.

use super::folder::Folder;
use crate::failure::Failure;
use crate::output::{self, field};
use crate::progress::Progress;
use crate::size;
use pagevec::{CollectionStats, Ctx, RowCounts};
use serde_json::{Value, json};
use std::time::Instant;

const FLUSH: &str = "\
Examples:
  pagevec collection flush notes
  pagevec collection flush notes --json";
const COMPACT: &str = "\
Examples:
  pagevec collection compact notes
  pagevec collection compact notes --json";
const STATS: &str = "\
Examples:
  pagevec collection stats notes
  pagevec collection stats notes --json";

#[derive(clap::Args)]
#[command(after_help = FLUSH)]
pub(crate) struct Flush {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Flush {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let flushed = collection.flush().map_err(|error| self.folder.failed(error))?;
        let segments = collection.stats().segments.len();
        if self.folder.json {
            return output::json(&json!({ "flushed": flushed, "segments": segments }));
        }
        output::text(|out| match flushed {
            true => writeln!(out, "flushed; segments: {segments}"),
            false => writeln!(out, "nothing to flush; segments: {segments}"),
        })
    }
}

#[derive(clap::Args)]
#[command(after_help = COMPACT)]
pub(crate) struct Compact {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Compact {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let started = Instant::now();
        let collection = self.folder.write()?;
        let before = collection.stats();
        let progress = Progress::new();
        let report = |p: pagevec::Progress| progress.tick(p.phase, p.done, p.total);
        let ctx = Ctx { progress: Some(&report), ..Ctx::default() };
        collection.compact(&ctx).map_err(|error| self.folder.failed(error))?;
        drop(progress);
        let stats = collection.stats();
        let (bytes_before, bytes) = (bytes(&before), bytes(&stats));
        let dropped = dead(&before);
        let seconds = started.elapsed().as_secs_f64();
        if self.folder.json {
            return output::json(&json!({
                "rows": stats.count,
                "dropped": dropped,
                "segments": stats.segments.len(),
                "bytes_before": bytes_before,
                "bytes": bytes,
                "seconds": seconds,
            }));
        }
        output::text(|out| {
            field(out, "rows", format!("{}; {dropped} dead ones left out", stats.count))?;
            field(out, "segments", stats.segments.len())?;
            field(out, "bytes", format!("{}, before {}", size::show(bytes), size::show(bytes_before)))?;
            field(out, "time", format!("{seconds:.2} s"))
        })
    }
}

#[derive(clap::Args)]
#[command(after_help = STATS)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Stats {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.read()?;
        let (stats, schema) = (collection.stats(), collection.schema().map(|schema| schema.to_json()));
        if !self.folder.json {
            return print(&stats, schema.as_deref());
        }
        let mut report = report(&stats);
        report["schema"] = schema.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or(Value::Null);
        output::json(&report)
    }
}

fn report(stats: &CollectionStats) -> Value {
    let rows = |rows: RowCounts| json!({ "live": rows.live, "dead": rows.dead });
    let segments: Vec<Value> = stats
        .segments
        .iter()
        .map(|one| json!({ "rows": rows(one.rows), "bytes": one.bytes, "merged": one.merged }))
        .collect();
    json!({
        "count": stats.count,
        "dead": dead(stats),
        "unindexed": stats.unindexed,
        "sequence": stats.sequence,
        "dim": stats.info.dim,
        "metric": stats.info.metric.name(),
        "codec": stats.info.codec.to_string(),
        "refine": stats.info.refine.map(|codec| codec.to_string()),
        "ids": stats.info.ids(),
        "memtable": rows(stats.memtable),
        "memtable_bytes": stats.memtable_bytes,
        "segments": segments,
        "bytes": bytes(stats),
        "trained": stats.trained,
        "torn": stats.torn,
    })
}

fn print(stats: &CollectionStats, schema: Option<&str>) -> Result<(), Failure> {
    output::text(|out| {
        let refine = stats.info.refine.map_or(String::new(), |codec| format!(", ranked again by {codec}"));
        field(out, "rows", format!("{} live, {} dead", stats.count, dead(stats)))?;
        field(out, "not indexed", stats.unindexed)?;
        field(
            out,
            "vectors",
            format!(
                "{} components, {}, {}{refine}",
                stats.info.dim,
                stats.info.metric.name(),
                stats.info.codec
            ),
        )?;
        field(out, "ids", stats.info.ids().unwrap_or("none yet"))?;
        field(out, "schema", schema.unwrap_or("inferred"))?;
        field(out, "operations", stats.sequence)?;
        field(
            out,
            "in memory",
            format!(
                "{} live, {} dead, {}",
                stats.memtable.live,
                stats.memtable.dead,
                size::show(stats.memtable_bytes)
            ),
        )?;
        field(out, "segments", format!("{}, {}", stats.segments.len(), size::show(bytes(stats))))?;
        for (number, one) in stats.segments.iter().enumerate() {
            let kind = if one.merged { "merged" } else { "flushed" };
            let rows =
                format!("{} live, {} dead, {}, {kind}", one.rows.live, one.rows.dead, size::show(one.bytes));
            field(out, &format!("  {number}"), rows)?;
        }
        if stats.torn {
            field(out, "log", "its end is torn: what was being written then was never acknowledged")?;
        }
        Ok(())
    })
}

fn bytes(stats: &CollectionStats) -> u64 {
    stats.segments.iter().map(|segment| segment.bytes).sum()
}

fn dead(stats: &CollectionStats) -> usize {
    stats.memtable.dead + stats.segments.iter().map(|segment| segment.rows.dead).sum::<usize>()
}
