//! `--io pread --memory-budget`: an index is searched in less memory than its file takes, by every index, with the hits
//! of a mapped file.

mod support;

use serde_json::Value;
use support::{DIM, Room, f32_bytes, json, npy, refused, run, values};

/// The budget that an index says it needs, told one that is too small.
fn needed(index: &str, id: &str, choice: &str) -> u64 {
    let small = run(&[
        "search",
        index,
        "--id",
        id,
        "--io",
        "pread",
        "--memory-budget",
        "1kB",
        "--index",
        choice,
        "--json",
    ]);
    assert_eq!(small.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&small.stdout).expect("JSON");
    assert_eq!(told["error"]["code"], "budget");
    let message = told["error"]["message"].as_str().expect("a message");
    let numbers = message.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok());
    numbers.max().expect("the bytes that are needed")
}

#[test]
fn each_index_is_searched_in_the_budget_it_names() {
    let room = Room::new();
    let index = room.index(&["--codec", "f32"]);
    for choice in ["hnsw", "clusters", "auto"] {
        let budget = format!("{}", needed(&index, "w0", choice));
        let search = ["search", &index, "--id", "w7", "--index", choice, "--explain", "--json"];
        let mapped = json(&search);
        let limited = json(&[&search[..], &["--io", "pread", "--memory-budget", &budget]].concat());
        let answered = limited["explain"]["index"].as_str().expect("a name");
        assert!(choice == "auto" || choice == answered, "{choice}: {answered}");
        if choice == answered {
            assert_eq!(limited["hits"], mapped["hits"], "{choice}");
        }
        assert!(limited["explain"]["bytes"].as_u64() > Some(0), "{limited}");
    }
}

#[test]
fn a_graph_that_does_not_fit_is_walked_from_disk() {
    const MANY: usize = 3000;
    let room = Room::new();
    let bytes = npy("<f4", false, MANY, DIM, &f32_bytes(&values(MANY, DIM)));
    let (vectors, folder) = (room.write("many.npy", bytes), room.join("graph"));
    json(&["build", &vectors, "-o", &folder, "--json"]);
    let facts = json(&["inspect", &folder, "--json"]);
    let sections = facts["segments"][0]["sections"].as_array().expect("sections");
    let length = |name: &str| sections.iter().find(|s| s["name"] == name).and_then(|s| s["length"].as_u64());
    let whole = length("codes").expect("codes") + length("graph").expect("a graph");
    let budget = needed(&folder, "0", "hnsw");
    assert!(budget < whole, "{budget} bytes hold codes and graph, which have {whole}");

    let eval =
        ["eval", &folder, "--queries", &vectors, "--limit", "50", "--ef", "40", "--index", "hnsw", "--json"];
    let mapped = json(&eval);
    let walked = json(&[&eval[..], &["--io", "pread", "--memory-budget", &budget.to_string()]].concat());
    for same in ["index", "recall", "distances"] {
        assert_eq!(walked[same], mapped[same], "{same}");
    }
    assert!(walked["bytes"].as_f64() > Some(0.0), "{walked}");
}

#[test]
fn sizes_have_units_and_what_is_no_size_is_named() {
    let room = Room::new();
    let index = room.index(&[]);
    let base = ["search", &index, "--id", "w3", "--json"];
    let search = |more: &[&'static str]| [&base[..], more].concat();
    let hits = json(&search(&[]))["hits"].clone();
    for size in ["64MB", "64mib", "1 GiB", "67108864"] {
        let found = json(&search(&["--io", "pread", "--memory-budget", size]));
        assert_eq!(found["hits"], hits, "{size}");
    }
    for size in ["64", "1kB"] {
        let output = run(&search(&["--io", "pread", "--memory-budget", size]));
        assert!(String::from_utf8_lossy(&output.stdout).contains("\"budget\""), "{size}");
    }
    for size in ["many", "-1", "1.5", "64 Mb/s"] {
        let size = format!("--memory-budget={size}");
        refused(&[&base[..], &["--io", "pread", &size]].concat(), 2, &["--memory-budget", "64MB"]);
    }
    refused(&search(&["--memory-budget", "64MB"]), 2, &["--memory-budget", "--io pread"]);
    refused(&search(&["--io", "memory", "--memory-budget", "64MB"]), 2, &["--io pread"]);
}
