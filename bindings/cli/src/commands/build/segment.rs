//! Builds a segment into a temporary file without a name, so that it is gone however the program ends.

use super::summary::Warning;
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::{Ctx, FileBytes, FileSink, Sink};
use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A segment that is not published yet.
pub(in crate::commands) struct Built {
    pub(in crate::commands) file: FileBytes,
    pub(in crate::commands) warnings: Vec<Warning>,
}

/// What `make` writes, in a file in the folder `there`. `output` is where it will be published.
pub(in crate::commands) fn build(
    output: &Path,
    there: &Path,
    threads: usize,
    progress: &Progress,
    make: impl FnOnce(&mut dyn Sink, &Ctx<'_>) -> Result<(), pagevec::Error> + Send,
) -> Result<Built, Failure> {
    // The handler is set only now: before, an interrupt may end the process at once, even while it waits for stdin.
    // Once the build writes, it completes, and so does what is published.
    static STOP: AtomicBool = AtomicBool::new(false);
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed)).map_err(|e| Failure::Told {
        exit: 1,
        code: "io",
        message: format!("signals: {e}"),
    })?;

    let file = tempfile::tempfile_in(there).map_err(|error| Failure::io(there, &error))?;
    let mut sink = FileSink::new(file, there);
    let (built, warnings) = pagevec::with_threads(threads, || {
        let warnings = RefCell::new(Vec::new());
        let warn = |warning| warnings.borrow_mut().push(warning);
        let report = |p: pagevec::Progress| progress.tick(p.phase, p.done, p.total);
        let cancelled = || STOP.load(Ordering::Relaxed);
        let ctx = Ctx { progress: Some(&report), cancelled: Some(&cancelled), warning: Some(&warn) };
        let built = make(&mut sink, &ctx);
        (built, warnings.into_inner())
    })?;
    if let Err(pagevec::Error::Cancelled) = built {
        return Err(Failure::Told {
            exit: 1,
            code: "cancelled",
            message: format!("interrupted: nothing was written to {}", output.display()),
        });
    }
    built?;
    let warnings = warnings.iter().map(|w| Warning { code: w.code(), message: w.to_string() }).collect();
    Ok(Built { file: sink.into_bytes()?, warnings })
}

/// The folder, or if it does not exist, the nearest above it that does: temporary files are written there. Refuses one that cannot be
/// written, before a build takes its time.
pub(in crate::commands) fn nearest_folder(output: &Path) -> Result<&Path, Failure> {
    let named = |path: &&Path| !path.as_os_str().is_empty() && path.exists();
    let there = output.ancestors().find(named).unwrap_or(Path::new("."));
    if !there.is_dir() {
        return Err(Failure::usage(format!("{} is a file: -o must name a folder", there.display())));
    }
    let probe = there.join(format!(".pagevec-{}.tmp", std::process::id()));
    let written = File::create(&probe).and_then(|_| std::fs::remove_file(&probe));
    written.map_err(|error| Failure::io(there, &error))?;
    Ok(there)
}
