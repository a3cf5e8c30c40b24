//! While one process writes, others that read see the rows up to a batch that was written whole, and never fewer than before.

mod support;

use pagevec::{Collection, CollectionOptions, Id};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::collection::{collection, direction, line, notes, told};
use support::{Room, pagevec};

/// More than are kept in memory, so that the writer flushes twice.
const ROWS: usize = 40_000;
const BATCH: usize = 250;

/// The ids of all rows.
fn ids(collection: &Collection) -> Vec<u64> {
    let snapshot = collection.snapshot();
    let (mut ids, mut from) = (Vec::new(), Some(0));
    while let Some(next) = from {
        let (page, then) = snapshot.ids(next, 1000).expect("ids are read");
        ids.extend(page.iter().map(|id| if let Id::Number(id) = id { *id } else { u64::MAX }));
        from = then;
    }
    ids.sort_unstable();
    ids
}

#[test]
fn while_another_process_writes() {
    let room = Room::new();
    let folder = notes(&room);
    let text: String = (0..ROWS).map(|i| line(i, &direction(i), json!({}))).collect();
    let input = room.write("rows.jsonl", text);
    let batch = BATCH.to_string();
    let arguments = ["collection", "upsert", &folder, &input, "--batch", &batch, "--json"];
    let mut child = pagevec(&arguments).stdout(Stdio::piped()).spawn().expect("pagevec runs");
    let stdout = child.stdout.take().expect("stdout is piped");
    let (acked, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (told_to, done) = (Arc::clone(&acked), Arc::clone(&ended));
    let acks = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            told_to.store(line["acked"].as_u64().expect("a number") as usize, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    });

    let options = CollectionOptions::default().read_only(true);
    let (mut before, mut looks, mut between) = (0, 0, 0);
    loop {
        let (at_least, last) = (acked.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
        let opened =
            Collection::open(&folder, &options).unwrap_or_else(|error| panic!("look {looks}: {error}"));
        let ids = ids(&opened);
        let count = ids.len();
        assert_eq!(ids, (0..count as u64).collect::<Vec<_>>(), "look {looks}: not the first rows");
        assert_eq!(count % BATCH, 0, "look {looks}: a batch is there in part");
        assert!(
            count >= before && count >= at_least,
            "look {looks}: {count} after {before}, {at_least} acknowledged"
        );
        between += usize::from(count > before && count < ROWS);
        if looks % 8 == 0 {
            // Another process sees no fewer.
            let later = told(&["count", &folder, "--json"])["count"].as_u64().expect("a number");
            assert!(later >= count as u64);
        }
        (before, looks) = (count, looks + 1);
        if last {
            break;
        }
    }
    acks.join().expect("no panic");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(before, ROWS);
    assert!(between >= 3, "{between} of {looks} looks saw rows come");
    assert_eq!(collection(&["list", &folder]).len(), ROWS);
    let stats = told(&["stats", &folder, "--json"]);
    // Two flushes, which were merged at the end.
    assert!(stats["segments"].as_array().is_some_and(|segments| !segments.is_empty()), "{stats}");
    assert!(stats["memtable"]["live"].as_u64().is_some_and(|live| live < 16_384), "{stats}");
}
