//! What the operating system says of this process and of the machine: a door of the platform. A figure that a system does not
//! give is `None`; Linux gives all.

/// Figures of this process, and of the memory of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// Bytes of memory of the machine, or of the control group that this process runs in.
    pub total: Option<u64>,
    /// Bytes of memory that can be had without swapping.
    pub available: Option<u64>,
    /// Bytes of this process that are in memory, with the pages of files that it maps.
    pub resident: Option<u64>,
    /// Of them those of files.
    pub resident_files: Option<u64>,
    /// Bytes of this process that were swapped out.
    pub swap: Option<u64>,
    /// Page faults that were served from memory.
    pub minor_faults: Option<u64>,
    /// Page faults that waited for a disk.
    pub major_faults: Option<u64>,
    /// Bytes that this process has read from disks.
    pub disk_read: Option<u64>,
    /// Milliseconds that it waited for disks; `None` where the system does not count them (`kernel.task_delayacct`).
    pub disk_wait: Option<u64>,
}

#[cfg(feature = "native")]
impl Machine {
    /// The figures now. Some files of `/proc` are read: some ten microseconds.
    pub fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let [status, memory, stat, io] =
            ["/proc/self/status", "/proc/meminfo", "/proc/self/stat", "/proc/self/io"].map(read);
        let kilobytes = |text: &str, name: &str| Some(labelled(text, name)? << 10);
        // The name of the program may have spaces; what follows its parenthesis has not. Its fields count from 3.
        let field = |number: usize| {
            stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number - 3)?.parse::<u64>().ok()
        };
        let counts_delays = read("/proc/sys/kernel/task_delayacct").trim() == "1";
        let total = match memory_size() {
            u64::MAX => None,
            bytes => Some(bytes),
        };
        Machine {
            total,
            available: kilobytes(&memory, "MemAvailable:").map(|free| free.min(total.unwrap_or(free))),
            resident: kilobytes(&status, "VmRSS:"),
            resident_files: kilobytes(&status, "RssFile:"),
            swap: kilobytes(&status, "VmSwap:"),
            minor_faults: field(10),
            major_faults: field(12),
            disk_read: labelled(&io, "read_bytes:"),
            // In hundredths of a second.
            disk_wait: field(42).filter(|_| counts_delays).map(|ticks| ticks * 10),
        }
    }
}

#[cfg(not(feature = "native"))]
impl Machine {
    /// Nothing is known here.
    pub fn now() -> Self {
        Machine::default()
    }
}

/// The memory of this machine, or of the control group that this process runs in; `u64::MAX` if it is unknown.
#[cfg(feature = "native")]
pub(crate) fn memory_size() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let total = read("/proc/meminfo");
    let total = total.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let total = total.and_then(|kilobytes| kilobytes.parse::<u64>().ok()).map(|kilobytes| kilobytes << 10);
    let groups = read("/proc/self/cgroup");
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let limits =
        ["/", own].map(|group| read(&format!("/sys/fs/cgroup{group}/memory.max")).trim().parse().ok());
    limits.into_iter().chain([total]).flatten().min().unwrap_or(u64::MAX)
}

/// The number behind a label that begins a line.
#[cfg(feature = "native")]
fn labelled(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

/// A clock, where there is one.
#[cfg(feature = "native")]
pub(super) struct Stopwatch(std::time::Instant);

#[cfg(feature = "native")]
impl Stopwatch {
    pub(super) fn start() -> Self {
        Stopwatch(std::time::Instant::now())
    }

    pub(super) fn micros(&self) -> Option<u64> {
        u64::try_from(self.0.elapsed().as_micros()).ok()
    }
}

/// A clock, where there is one.
#[cfg(not(feature = "native"))]
pub(super) struct Stopwatch;

#[cfg(not(feature = "native"))]
impl Stopwatch {
    pub(super) fn start() -> Self {
        Stopwatch
    }

    pub(super) fn micros(&self) -> Option<u64> {
        None
    }
}
