//! Who holds a lock: a process, told by its number, by when it began, and by the machine.

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::STALE;

/// The line in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) pid: u32,
    /// Changes when another process gets the number, also after the machine was started again; empty where that is not told.
    pub(super) start: String,
    /// The machine, and on Linux the space that process numbers are of.
    pub(super) host: String,
    /// No other holder has it.
    pub(super) token: String,
}

impl Holder {
    /// This process.
    pub(super) fn own() -> Self {
        let pid = std::process::id();
        let start = match look_up(pid) {
            Process::Began(start) => start,
            _ => String::new(),
        };
        Holder { pid, start, host: host(), token: token() }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok().filter(|holder: &Holder| holder.pid > 0)
    }

    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).map(|line| line + "\n").unwrap_or_default()
    }

    /// Whether the process has ended; one that cannot be looked up, if its last heartbeat is long ago.
    pub(super) fn is_gone(&self, age: &dyn Fn() -> Duration) -> bool {
        if self.host == host() {
            match look_up(self.pid) {
                Process::None => return true,
                Process::Began(start) if !self.start.is_empty() => return start != self.start,
                _ => {}
            }
        }
        age() > STALE
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.host.split('/').next().unwrap_or_default();
        match self.host == host() {
            true => write!(f, "process {}", self.pid),
            false => write!(f, "process {} on {machine}", self.pid),
        }
    }
}

/// What is known of a process.
enum Process {
    None,
    Began(String),
    Unknown,
}

#[cfg(target_os = "linux")]
fn look_up(pid: u32) -> Process {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => {
            let stat = String::from_utf8_lossy(&stat);
            // The name of the program, in brackets, may have blanks and brackets in it.
            let began = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(19));
            match (boot.get(..8), began) {
                (Some(boot), Some(began)) => Process::Began(format!("{boot}/{began}")),
                _ => Process::Unknown,
            }
        }
        Err(_) if fs::exists("/proc/self/stat").unwrap_or(false) => {
            match fs::exists(format!("/proc/{pid}")) {
                Ok(false) => Process::None,
                _ => Process::Unknown,
            }
        }
        Err(_) => Process::Unknown,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn look_up(pid: u32) -> Process {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    match pid.map(rustix::process::test_kill_process) {
        Some(Err(rustix::io::Errno::SRCH)) => Process::None,
        _ => Process::Unknown,
    }
}

#[cfg(not(unix))]
fn look_up(_: u32) -> Process {
    Process::Unknown
}

/// The machine. Containers may share its name, and each have numbers of processes of its own.
#[cfg(unix)]
fn host() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let space = fs::read_link("/proc/self/ns/pid").ok();
    let space = space.as_deref().and_then(|space| space.to_str());
    match space.and_then(|space| space.strip_prefix("pid:[")?.strip_suffix(']')) {
        Some(space) => format!("{name}/{space}"),
        None => name,
    }
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// 32 hexadecimal digits, of the random keys that the standard library gives each of its hashers.
fn token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    let part = || RandomState::new().hash_one(std::time::SystemTime::now());
    format!("{:016x}{:016x}", part(), part())
}
