//! What went wrong: a stable code for programs, a sentence for people, an exit code for the shell.

use std::io;
use std::path::Path;

/// Why a subcommand stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads stdout any more: not a fault, nothing to say.
    ClosedPipe,
    /// Anything else.
    Told {
        /// 1 failed, 2 wrong usage.
        exit: u8,
        /// As [`pagevec::Error::code`], or `usage`, `input`, `io`.
        code: &'static str,
        /// What happened and what to do next.
        message: String,
    },
}

impl Failure {
    /// Arguments that cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Told { exit: 2, code: "usage", message: message.into() }
    }

    /// An input file that is not what it should be.
    pub(crate) fn input(path: &Path, message: impl std::fmt::Display) -> Self {
        Failure::Told { exit: 1, code: "input", message: format!("{}: {message}", path.display()) }
    }

    /// A file that the operating system would not give.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Failure::Told {
            exit: 1,
            code: "io",
            message: format!("{}: {error}{}", path.display(), advice(error)),
        }
    }

    /// A file of an index that is not what it should be. The message names the file once.
    pub(crate) fn of_file(path: &Path, error: pagevec::Error) -> Self {
        if error.code() == "io" {
            return error.into();
        }
        Failure::Told { exit: 1, code: error.code(), message: format!("{}: {error}", path.display()) }
    }

    /// The outcome of a write to stdout.
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

/// What to do about a refusal of the operating system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => ": check the path",
        io::ErrorKind::PermissionDenied => ": check its owner and mode, or run as another user",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": free some space and run it again",
        io::ErrorKind::ReadOnlyFilesystem => ": give a place that can be written",
        io::ErrorKind::AddrInUse => ": another program listens there; give another --port",
        io::ErrorKind::AddrNotAvailable => ": it is no address of this machine; give another --host",
        _ => "",
    }
}
