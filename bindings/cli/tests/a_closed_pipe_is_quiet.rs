//! When nobody reads stdout any more, the program ends without a word and without a panic.

mod support;

use support::{Room, pagevec};

#[test]
fn a_closed_pipe_is_quiet() {
    let room = Room::new();
    let index = room.index(&[]);
    let cases: [&[&str]; 4] = [
        &["search", &index, "--id", "w1", "-k", "200"],
        &["search", &index, "--id", "w1", "--json"],
        &["inspect", &index],
        &["build", "--help"],
    ];
    for arguments in cases {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = pagevec(arguments).stdout(writer).output().expect("pagevec runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
