//! Collections for the tests: rows as JSON lines, and a writer that is held open.

use super::{Room, pagevec, run};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Runs `pagevec collection`, which must succeed, and reads the JSON lines that it prints.
pub(crate) fn collection(arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["collection"], arguments].concat();
    let output = run(&arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("stdout is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// As [`collection`], of one line.
pub(crate) fn told(arguments: &[&str]) -> Value {
    let mut lines = collection(arguments);
    assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
    lines.remove(0)
}

/// A line of `collection upsert`.
pub(crate) fn line(id: impl Into<Value>, vector: &[f32], fields: Value) -> String {
    let id: Value = id.into();
    format!("{}\n", json!({ "id": id, "vector": vector, "fields": fields }))
}

/// Two components, of another direction for each number.
pub(crate) fn direction(number: usize) -> [f32; 2] {
    let angle = number as f32 * 0.7;
    [angle.cos(), angle.sin()]
}

/// Creates a collection of two components in a room.
pub(crate) fn notes(room: &Room) -> String {
    let folder = room.join("notes");
    told(&["create", &folder, "--dim", "2", "--json"]);
    folder
}

/// A process that has a collection open for writing until it is told to end.
pub(crate) struct Writer(pub(crate) Child);

impl Writer {
    /// Starts one, which may find the collection locked.
    pub(crate) fn start(folder: &str) -> Self {
        let mut command = pagevec(&["collection", "upsert", folder, "-", "--batch", "1", "--json"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Writer(child.expect("pagevec runs"))
    }

    /// Starts one, and waits until it has the lock.
    pub(crate) fn holding(folder: &str) -> Self {
        let mut writer = Writer::start(folder);
        assert_eq!(writer.write(&line("held", &[1.0, 0.0], json!({}))), json!({ "acked": 1 }));
        writer
    }

    /// Writes a row, and waits until it is acknowledged.
    pub(crate) fn write(&mut self, line: &str) -> Value {
        let stdin = self.0.stdin.as_mut().expect("stdin is piped");
        stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).expect("the row is taken");
        let mut told = String::new();
        let stdout = self.0.stdout.as_mut().expect("stdout is piped");
        BufReader::with_capacity(1, stdout).read_line(&mut told).expect("an answer");
        serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told:?}"))
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("the process is killed");
    }

    /// Ends it. Returns whether it had the collection, and what it said on stderr.
    pub(crate) fn end(mut self) -> (bool, String) {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().expect("the process ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Waits for a file, for 10 seconds at most.
pub(crate) fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(10), "{} is not there", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}
