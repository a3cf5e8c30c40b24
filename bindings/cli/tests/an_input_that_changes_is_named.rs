//! A build reads its file several times, so a file that changes meanwhile is an error that names it.

mod support;

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Room, f32_bytes, npy, pagevec, values};

/// Builds while `change` is called again and again; returns what the program says.
fn built_while(change: impl Fn(&str)) -> (Room, String) {
    let room = Room::new();
    let vectors = room.write("v.npy", npy("<f4", false, 6000, 64, &f32_bytes(&values(6000, 64))));
    let out = room.join("index");
    let mut child =
        pagevec(&["build", &vectors, "-o", &out]).stderr(Stdio::piped()).spawn().expect("it runs");
    let started = Instant::now();
    while child.try_wait().expect("the child can be asked").is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "still building");
        std::thread::sleep(Duration::from_millis(20));
        change(&vectors);
    }
    let output = child.wait_with_output().expect("the child has ended");
    assert_eq!(output.status.code(), Some(1));
    assert!(!std::path::Path::new(&out).exists());
    (room, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_file_that_is_written_meanwhile_is_named() {
    let (_, told) = built_while(|path| {
        let mut file = OpenOptions::new().write(true).open(path).expect("the file can be written");
        file.seek(SeekFrom::End(-4)).expect("the file can be sought");
        file.write_all(&0.25f32.to_le_bytes()).expect("the file can be written");
    });
    assert!(told.contains("v.npy") && told.contains("changed while it was read"), "{told}");
}

#[test]
fn a_file_that_is_cut_meanwhile_is_named() {
    let (_, told) = built_while(|path| {
        let file = OpenOptions::new().write(true).open(path).expect("the file can be written");
        file.set_len(200_000).expect("the file can be cut");
    });
    // A file that was cut before it was opened is told as one that is too short.
    assert!(told.contains("v.npy") && (told.contains("changed") || told.contains("is cut")), "{told}");
}
