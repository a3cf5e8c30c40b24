//! A folder to work in, made-up vectors in every format, the program, and an HTTP client of a few lines.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod collection;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub(crate) const ROWS: usize = 300;
pub(crate) const DIM: usize = 16;

/// The program, with its arguments.
pub(crate) fn pagevec(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagevec"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    pagevec(arguments).output().expect("pagevec runs")
}

/// Runs it, which must succeed, and reads its JSON.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON document")
}

/// Runs it, which must fail with `exit` and say each of `words` on stderr without a panic.
pub(crate) fn refused(arguments: &[&str], exit: i32, words: &[&str]) {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?}: no {word:?} in {stderr:?}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// `rows` x `dim` values between -1 and 1, all of them exact in f16.
pub(crate) fn values(rows: usize, dim: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 22) as f32 / 512.0 - 0.999_023_44
    };
    (0..rows * dim).map(|_| next()).collect()
}

/// A `.npy` file: `descr` as NumPy names it, `data` as it lies in the file.
pub(crate) fn npy(descr: &str, fortran: bool, rows: usize, dim: usize, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({rows}, {dim}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a short header");
    [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), header.as_bytes(), data].concat()
}

pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A folder that goes away with the test.
pub(crate) struct Room(tempfile::TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Room(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> String {
        self.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.join(name);
        std::fs::write(&path, bytes).expect("the folder can be written");
        path
    }

    /// The made-up vectors as `.npy`.
    pub(crate) fn vectors(&self) -> String {
        self.write("vectors.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(&values(ROWS, DIM))))
    }

    /// An ids file: `w0`, `w1`, …
    pub(crate) fn words(&self) -> String {
        self.write("words.txt", (0..ROWS).map(|i| format!("w{i}\n")).collect::<String>())
    }

    /// An index of the made-up vectors with text ids.
    pub(crate) fn index(&self, options: &[&str]) -> String {
        let (vectors, words, folder) = (self.vectors(), self.words(), self.join("index"));
        let arguments = ["build", &vectors, "--ids", &words, "-o", &folder, "--json"];
        json(&[&arguments, options].concat());
        folder
    }
}

/// The segment file of an index folder.
pub(crate) fn segment(folder: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).expect("the index folder is there");
    let mut files = files.map(|f| f.expect("a readable folder").path());
    files.find(|f| f.extension().is_some_and(|e| e == "bin")).expect("a segment")
}

/// A running `pagevec serve`.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(crate) fn start(folder: &Path, options: &[&str]) -> Self {
        Self::start_as_told(folder, &[&["--port", "0"], options].concat())
    }

    /// On the usual port, if it is free.
    pub(crate) fn start_as_told(folder: &Path, options: &[&str]) -> Self {
        let folder = folder.to_str().expect("a path in UTF-8");
        let mut child = pagevec(&[&["serve", folder], options].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("pagevec runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        let address =
            line.trim().rsplit_once("http://").expect("an address").1.trim_end_matches('/').to_owned();
        Server { child, address }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// One request, its path exactly as given.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[&str]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("the reply ends");
        Reply::parse(&reply)
    }

    pub(crate) fn get(&self, path: &str, headers: &[&str]) -> Reply {
        self.request("GET", path, headers)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        let header = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        Reply {
            status,
            headers: head.lines().skip(1).filter_map(header).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// A header's value, empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}
