//! The figures as a text that Prometheus reads: its exposition format, version 0.0.4.

use std::fmt::Write as _;

use super::choose::{Alert, Level};
use super::metrics::MemoryMetrics;

impl MemoryMetrics {
    /// All figures that are known, in the text format of Prometheus. Each series has `labels`: names and values, such as
    /// `[("index", "words")]`; a name is of letters, digits and underscores.
    ///
    /// ```
    /// # let rows = vec![1.0, 0.0, 0.8, 0.6];
    /// # let file = pagevec::build(rows, 2, None, &pagevec::BuildOptions::new(pagevec::Metric::Dot), &pagevec::Ctx::default())?;
    /// let index = pagevec::Index::from_bytes(&file)?;
    /// let text = index.metrics().to_prometheus(&[("index", "words")]);
    /// assert!(text.contains("pagevec_searches_total{index=\"words\"} 0\n"));
    /// # Ok::<(), pagevec::Error>(())
    /// ```
    pub fn to_prometheus(&self, labels: &[(&str, &str)]) -> String {
        let mut text = Text { labels, text: String::new() };
        text.gauge("memory_budget_bytes", "Bytes that may be reserved.", self.budget);
        text.gauge("memory_reserved_bytes", "Bytes that are reserved.", self.reserved);
        text.gauge("memory_available_bytes", "Bytes that may still be reserved.", self.available);
        text.head("memory_pressure_ratio", "gauge", "What is reserved, as a part of the budget.");
        text.line("memory_pressure_ratio", &[], format_args!("{}", self.pressure));
        text.head("memory_level", "gauge", "Where the controller stands: one of its levels is 1.");
        for level in Level::ALL {
            text.line("memory_level", &[("level", level.name())], u64::from(level == self.level));
        }
        text.head("memory_alert", "gauge", "Where the thresholds stand: one of the alerts is 1.");
        for alert in Alert::ALL {
            text.line("memory_alert", &[("alert", alert.name())], u64::from(alert == self.alert));
        }
        self.parts(&mut text);
        text.gauge("memtable_bytes", "Bytes of rows that are in no segment yet.", self.memtable);
        text.gauge("log_bytes", "Bytes of the write-ahead log since the last flush.", self.log);
        text.counter("allocated_bytes_total", "Bytes that were ever reserved.", self.allocated);
        text.counter("refused_reservations_total", "Reservations that were refused.", self.refused);
        text.counter("searches_total", "Queries that were answered.", self.searches);
        text.head("search_p95_seconds", "gauge", "95 of 100 calls to search took no longer.");
        if let Some(micros) = self.p95_micros {
            text.line("search_p95_seconds", &[], format_args!("{}", micros as f64 / 1e6));
        }
        text.counter("evictions_total", "Units of files that were dropped from memory.", self.evictions);
        text.head("actions_total", "counter", "What was done about memory.");
        for (action, count) in self.actions {
            text.line("actions_total", &[("action", action.name())], count);
        }
        text.counter("failed_actions_total", "Actions that failed.", self.failed_actions);
        text.counter("level_changes_total", "Changes of the level.", self.level_changes);
        text.counter("alert_changes_total", "Changes of the alert.", self.alert_changes);
        text.counter("rejected_writes_total", "Writes that were refused.", self.rejected_writes);
        self.of_machine(&mut text);
        text.text
    }

    fn parts(&self, text: &mut Text<'_>) {
        text.head("part_reserved_bytes", "gauge", "Bytes that are reserved, by part.");
        for part in self.tracker.parts() {
            text.line("part_reserved_bytes", &[("part", part.part.name())], part.current);
        }
        text.head("part_peak_bytes", "gauge", "The most bytes that were reserved at once, by part.");
        for part in self.tracker.parts() {
            text.line("part_peak_bytes", &[("part", part.part.name())], part.peak);
        }
        text.head("stored_bytes", "gauge", "Bytes in the files of segments.");
        for (kind, bytes) in self.contents.each() {
            text.line("stored_bytes", &[("kind", kind)], bytes.stored);
        }
        text.head("resident_bytes", "gauge", "Bytes of the files of segments that are in memory.");
        for (kind, bytes) in self.contents.each() {
            text.line("resident_bytes", &[("kind", kind)], bytes.resident);
        }
    }

    fn of_machine(&self, text: &mut Text<'_>) {
        let machine = &self.machine;
        text.gauge("machine_memory_bytes", "Memory of the machine or control group.", machine.total);
        text.gauge("machine_available_bytes", "Memory that can be had without swapping.", machine.available);
        text.gauge("process_resident_bytes", "Bytes of this process in memory.", machine.resident);
        text.gauge("process_resident_file_bytes", "Of them those of files.", machine.resident_files);
        text.gauge("process_swap_bytes", "Bytes of this process that were swapped out.", machine.swap);
        text.counter("minor_faults_total", "Page faults served from memory.", machine.minor_faults);
        text.counter("major_faults_total", "Page faults that waited for a disk.", machine.major_faults);
        text.counter("disk_read_bytes_total", "Bytes read from disks.", machine.disk_read);
        text.head("disk_wait_seconds_total", "counter", "Time that was waited for disks.");
        if let Some(milliseconds) = machine.disk_wait {
            let seconds = milliseconds as f64 / 1e3;
            text.line("disk_wait_seconds_total", &[], format_args!("{seconds}"));
        }
    }
}

struct Text<'a> {
    labels: &'a [(&'a str, &'a str)],
    text: String,
}

impl Text<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl Into<Option<u64>>) {
        self.head(name, "gauge", help);
        value.into().into_iter().for_each(|value| self.line(name, &[], value));
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Into<Option<u64>>) {
        self.head(name, "counter", help);
        value.into().into_iter().for_each(|value| self.line(name, &[], value));
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "# HELP pagevec_{name} {help}\n# TYPE pagevec_{name} {kind}\n");
    }

    fn line(&mut self, name: &str, own: &[(&str, &str)], value: impl std::fmt::Display) {
        let _ = write!(self.text, "pagevec_{name}");
        for (at, (name, value)) in self.labels.iter().chain(own).enumerate() {
            let _ = write!(self.text, "{}{name}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(value));
        }
        let end = if self.labels.is_empty() && own.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_joined() {
        let mut text = Text { labels: &[("index", "a\"b\\c\nd")], text: String::new() };
        text.gauge("x", "Help.", 7);
        text.line("x", &[("part", "slots")], 8);
        text.counter("y_total", "None.", None);
        let expected = "# HELP pagevec_x Help.\n# TYPE pagevec_x gauge\npagevec_x{index=\"a\\\"b\\\\c\\nd\"} 7\n\
            pagevec_x{index=\"a\\\"b\\\\c\\nd\",part=\"slots\"} 8\n\
            # HELP pagevec_y_total None.\n# TYPE pagevec_y_total counter\n";
        assert_eq!(text.text, expected);
        let mut bare = Text { labels: &[], text: String::new() };
        bare.line("z", &[], 1);
        assert_eq!(bare.text, "pagevec_z 1\n");
    }
}
