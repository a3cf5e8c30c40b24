//! `pagevec collection upsert` is killed (SIGKILL) again and again, at random times. What it had acknowledged is there, no batch is
//! there in part, and the collection opens to be written and is sound. This proves nothing about a loss of power, which
//! `tests/a_crash_loses_no_acknowledged_write.rs` simulates.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "the seed of a failure is told")]

mod support;

use pagevec::{Collection, CollectionOptions, Id};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};
use support::collection::{direction, line, notes, told};
use support::{Room, pagevec};

const KILLS: usize = 300;
/// Rows of a run, of which each batch has so many, and one more, which says how far the run came.
const ROWS: usize = 60;
const BATCH: usize = 5;

struct Random(u64);

impl Random {
    /// Below `end`.
    fn next(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

/// A run, of `ROWS` rows of its own in batches.
fn rows(run: usize) -> String {
    let mut text = String::new();
    for row in 0..ROWS {
        let fields = json!({ "run": run, "row": row });
        text += &line(format!("{run}/{row}"), &direction(row), fields.clone());
        if row % BATCH == BATCH - 1 {
            text += &line("newest", &direction(row), fields);
        }
    }
    text
}

/// How many rows of a run are there: the first ones, up to the end of a batch, as the row `newest` says, too.
fn written(collection: &Collection, run: usize) -> usize {
    let mut ids: Vec<Id> = (0..ROWS).map(|row| Id::Text(format!("{run}/{row}"))).collect();
    ids.push(Id::Text("newest".to_owned()));
    let mut found = collection.snapshot().get(&ids, false, true).expect("rows are read");
    let newest = found.pop().flatten().and_then(|row| row.fields);
    let count = found.iter().take_while(|row| row.is_some()).count();
    assert!(found[count..].iter().all(Option::is_none), "run {run}: a row behind row {count} is there");
    assert_eq!(count % BATCH, 0, "run {run}: a batch is there in part");
    for (row, stored) in found.iter().flatten().enumerate() {
        let fields = stored.fields.as_deref().expect("fields");
        assert_eq!(fields, json!({ "run": run, "row": row }).to_string());
    }
    if count > 0 {
        assert_eq!(newest.as_deref(), Some(&*json!({ "run": run, "row": count - 1 }).to_string()));
    }
    count
}

#[test]
fn at_any_time() {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    let seed = std::env::var("PAGEVEC_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(since.as_nanos() as u64);
    println!("seed {seed}: set PAGEVEC_SEED to run it again");
    let mut random = Random(seed | 1);
    let room = Room::new();
    let folder = notes(&room);
    let options = CollectionOptions::default().create(false);
    let (mut total, mut kills, mut acknowledged, mut run) = (0, 0, 0, 0);
    // How long a run takes to write its rows, without the merges that may follow.
    let mut takes = Duration::from_millis(100);
    while kills < KILLS {
        run += 1;
        let input = room.write("rows.jsonl", rows(run));
        let started = Instant::now();
        let batch = (BATCH + 1).to_string();
        let arguments = ["collection", "upsert", &folder, &input, "--batch", &batch, "--json"];
        let mut child = pagevec(&arguments).stdout(Stdio::piped()).spawn().expect("pagevec runs");
        let stdout = child.stdout.take().expect("stdout is piped");
        let reader = std::thread::spawn(move || {
            // The last line may be cut.
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let acked =
                |line: String| serde_json::from_str::<serde_json::Value>(&line).ok()?["acked"].as_u64();
            let acked = lines.filter_map(acked).map(|acked| (acked, Instant::now())).last();
            acked.unwrap_or((0, Instant::now()))
        });
        let kill = run % 10 != 0;
        if kill {
            std::thread::sleep(takes.mul_f64(random.next(1000) as f64 / 1000.0));
            child.kill().expect("it can be killed");
        }
        let status = child.wait().expect("it ends");
        let (acked, last) = reader.join().expect("no panic");
        let acked = acked as usize;
        if !kill {
            assert!(status.success(), "run {run}");
            takes = last - started;
        }
        // Runs that were faster are none that were killed.
        kills += usize::from(status.code().is_none());
        acknowledged += usize::from(status.code().is_none() && acked > 0);

        let collection =
            Collection::open(&folder, &options).unwrap_or_else(|error| panic!("run {run}: {error}"));
        let count = written(&collection, run);
        let acked = acked / (BATCH + 1) * BATCH;
        assert!(count >= acked, "run {run}: {acked} rows were acknowledged, and {count} are there");
        assert!(kill || count == ROWS);
        total += count;
        assert_eq!(collection.count(), total + usize::from(total > 0), "run {run}: rows of other runs");
        let sound = collection.snapshot().verify(|_| Ok(()));
        sound.unwrap_or_else(|error| panic!("run {run}: {error}"));
    }
    assert_eq!(told(&["verify", &folder, "--json"])["count"], total + 1);
    let stats = told(&["stats", &folder, "--json"]);
    assert!(
        stats["segments"].as_array().is_some_and(|segments| !segments.is_empty()),
        "logs were flushed: {stats}"
    );
    println!(
        "{kills} kills in {run} runs, {acknowledged} after a row was acknowledged; {total} rows; {stats}"
    );
    assert!(acknowledged > KILLS / 10 && acknowledged < KILLS, "the times are spread: {acknowledged}");
}
