//! One writer has a collection at a time, whichever programs and threads race for it; readers need not wait.
#![cfg(unix)]

mod support;

use pagevec::{Collection, CollectionOptions};
use serde_json::json;
use std::time::{Duration, Instant};
use support::collection::{Writer, collection, line, notes, told, wait_for};
use support::{Room, refused};

#[test]
fn of_threads_and_processes_that_race_one_wins() {
    let options = CollectionOptions::default().create(false);
    for round in 0..100 {
        let room = Room::new();
        let folder = notes(&room);
        if round % 3 == 2 {
            Writer::holding(&folder).kill();
            assert!(room.path().join("notes/lock").exists(), "a killed writer leaves its lock");
        }
        let (threads, mut processes) = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..2).map(|_| scope.spawn(|| Collection::open(&folder, &options))).collect();
            let processes: Vec<_> = (0..2).map(|_| Writer::start(&folder)).collect();
            let threads: Vec<_> =
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
            (threads, processes)
        });
        let of_threads = threads.iter().filter(|opened| opened.is_ok()).count();
        for refused in threads.iter().filter_map(|opened| opened.as_ref().err()) {
            assert_eq!(refused.code(), "locked", "round {round}: {refused}");
        }
        // Processes that lose end; one that wins waits for rows.
        let started = Instant::now();
        let losers = processes.len() + of_threads - 1;
        loop {
            let ended =
                processes.iter_mut().filter_map(|one| one.0.try_wait().expect("it can be asked")).count();
            assert!(ended <= losers, "round {round}: nobody won");
            if ended == losers {
                break;
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "round {round}: {of_threads} threads won, and {} of the processes",
                processes.len() - ended
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        let ends: Vec<_> = processes.drain(..).map(Writer::end).collect();
        let of_processes = ends.iter().filter(|(won, _)| *won).count();
        assert_eq!(of_threads + of_processes, 1, "round {round}: {ends:?}");
        for (_, stderr) in ends.iter().filter(|(won, _)| !won) {
            assert!(stderr.contains("has this collection open for writing"), "round {round}: {stderr}");
        }
        drop(threads);
        assert!(!room.path().join("notes/lock").exists(), "round {round}: the lock is given back");
    }
}

#[test]
fn a_second_writer_is_told_which_process_has_it_and_readers_go_on() {
    let room = Room::new();
    let folder = notes(&room);
    let mut writer = Writer::holding(&folder);
    let who = format!("process {} ", writer.0.id());
    for command in [
        &["flush"][..],
        &["compact"],
        &["repair"],
        &["upsert", "-"],
        &["delete", "--ids", "-"],
        &["backup", "-o", "x"],
    ] {
        let arguments = [&["collection", command[0], &folder], &command[1..]].concat();
        refused(&arguments, 1, &[&who, "open for writing"]);
    }
    assert_eq!(writer.write(&line("second", &[0.0, 1.0], json!({ "n": 2 }))), json!({ "acked": 2 }));
    assert_eq!(told(&["count", &folder, "--json"])["count"], 2);
    assert_eq!(told(&["get", &folder, "second"])["fields"], json!({ "n": 2 }));
    assert_eq!(collection(&["list", &folder]).len(), 2);
    assert_eq!(told(&["search", &folder, "--vector", "0,1", "-k", "1", "--json"])["hits"][0]["id"], "second");
    assert_eq!(told(&["verify", &folder, "--json"])["count"], 2);
    assert_eq!(told(&["stats", &folder, "--json"])["sequence"], 2);
    assert_eq!(told(&["export", &folder, "-o", &room.join("index"), "--json"])["rows"], 2);
    assert!(writer.end().0);
    told(&["flush", &folder, "--json"]);
}

#[test]
fn a_killed_writer_is_replaced_at_once() {
    let room = Room::new();
    let folder = notes(&room);
    let writer = Writer::holding(&folder);
    let lock = room.path().join("notes/lock");
    wait_for(&lock);
    let held: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&lock).expect("a lock")).expect("JSON");
    assert_eq!(held["pid"], writer.0.id());
    writer.kill();
    let started = Instant::now();
    assert_eq!(told(&["flush", &folder, "--json"])["flushed"], true);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!lock.exists());
}
