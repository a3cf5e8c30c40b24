//! Ctrl-C during a build: no folder, no file, a failing exit code.
#![cfg(unix)]

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Room, f32_bytes, npy, pagevec, values};

#[test]
fn an_interrupted_build_leaves_nothing() {
    let room = Room::new();
    // Long enough to be interrupted even on a fast machine: the graph alone takes many seconds.
    let vectors = room.write("v.npy", npy("<f4", false, 40_000, 64, &f32_bytes(&values(40_000, 64))));
    let out = room.join("index");
    let arguments = ["build", &vectors, "-o", &out, "--ef-construction", "4000"];
    let mut child = pagevec(&arguments).stderr(Stdio::piped()).spawn().expect("pagevec runs");
    std::thread::sleep(Duration::from_millis(1000));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());

    let asked = Instant::now();
    while child.try_wait().expect("the child can be asked").is_none() {
        if asked.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
            panic!("still building half a minute after the interrupt");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("the child has ended");
    match output.status.code() {
        Some(code) => {
            assert_eq!(code, 1);
            assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
        }
        // On a machine so slow that it was still reading, the signal simply ended it.
        None => assert!(output.stderr.is_empty()),
    }
    let left = std::fs::read_dir(room.path()).expect("a readable folder");
    let left: Vec<_> = left.map(|entry| entry.expect("a readable folder").file_name()).collect();
    assert_eq!(left, ["v.npy"], "neither the index nor a temporary file");
}
