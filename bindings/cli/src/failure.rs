//! Failures of a subcommand. Each has a stable code for programs, a message for people and an exit code for the shell.

use std::io;
use std::path::Path;

/// Why a subcommand stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of stdout has closed it. This is not reported.
    ClosedPipe,
    /// A failure that is reported.
    Told {
        /// 1 failed, 2 wrong usage.
        exit: u8,
        /// As [`pagevec::Error::code`], or `usage`, `input`, `io`.
        code: &'static str,
        /// The fault and what to do next.
        message: String,
    },
}

impl Failure {
    /// Arguments are wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Told { exit: 2, code: "usage", message: message.into() }
    }

    /// The content of an input file is wrong.
    pub(crate) fn input(path: &Path, message: impl std::fmt::Display) -> Self {
        Failure::Told { exit: 1, code: "input", message: format!("{}: {message}", path.display()) }
    }

    /// The operating system reported an error about a file.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Failure::Told {
            exit: 1,
            code: "io",
            message: format!("{}: {error}{}", path.display(), advice(error)),
        }
    }

    /// An index, or a file of one, is wrong. The message names the file once.
    pub(crate) fn of_file(path: &Path, error: pagevec::Error) -> Self {
        if error.code() == "io" || matches!(error, pagevec::Error::InSegment { .. }) {
            return error.into();
        }
        Failure::Told { exit: 1, code: error.code(), message: format!("{}: {error}", path.display()) }
    }

    /// A write to stdout failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Told { exit: 1, code: "io", message: format!("stdout: {error}") },
        }
    }
}

impl From<pagevec::Error> for Failure {
    fn from(error: pagevec::Error) -> Self {
        let exit = if error.code() == "argument" { 2 } else { 1 };
        let advice = if let pagevec::Error::Io { source, .. } = &error { advice(source) } else { "" };
        Failure::Told { exit, code: error.code(), message: format!("{error}{advice}") }
    }
}

/// What to do about an error of the operating system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => ": check the path",
        io::ErrorKind::PermissionDenied => ": check its owner and mode, or run as another user",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": free some space and run it again",
        io::ErrorKind::ReadOnlyFilesystem => ": use a folder on a writable file system",
        io::ErrorKind::AddrInUse => ": another program uses this port; use another --port",
        io::ErrorKind::AddrNotAvailable => ": this machine does not have this address; use another --host",
        _ => "",
    }
}
