//! Group commit: of the threads that write, one leads, and writes the batches of all that wait; the others get their results.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::collection::write::{Waiting, Written};
use crate::error::Error;
use crate::memory::lock;

/// See the head of this file.
#[derive(Default)]
pub(crate) struct Queue {
    line: Mutex<Line>,
    /// The leader has ended, or results are there.
    changed: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: Vec<Queued>,
    is_led: bool,
}

/// A batch, and where its result goes.
struct Queued {
    batch: Arc<Waiting>,
    result: Arc<Mutex<Option<Result<Written, Error>>>>,
}

impl Queue {
    /// Waits until the batch is written: by another thread, or by this one, which calls `lead` then.
    pub(crate) fn join(&self, batch: Arc<Waiting>, lead: impl FnOnce(Group<'_>)) -> Result<Written, Error> {
        let result = Arc::new(Mutex::new(None));
        let mut line = lock(&self.line);
        line.waiting.push(Queued { batch, result: Arc::clone(&result) });
        loop {
            if let Some(result) = lock(&result).take() {
                return result;
            }
            if !line.is_led {
                break;
            }
            line = self.changed.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        line.is_led = true;
        drop(line);
        lead(Group { queue: self, taken: Vec::new(), leads: true });
        let result = lock(&result).take();
        result.unwrap_or_else(|| Err(Error::internal("a batch without a result")))
    }
}

/// The batches that a leader writes. Its lead ends when they are answered, or by a panic.
pub(crate) struct Group<'a> {
    queue: &'a Queue,
    taken: Vec<Queued>,
    leads: bool,
}

impl Group<'_> {
    /// Takes the batches that wait.
    pub(crate) fn take(&mut self) -> Vec<Arc<Waiting>> {
        self.taken = std::mem::take(&mut lock(&self.queue.line).waiting);
        self.taken.iter().map(|queued| Arc::clone(&queued.batch)).collect()
    }

    /// Hands their results to those that wait for them. Another leads from here on, as soon as it gets the writer.
    pub(crate) fn answer(mut self, results: Vec<Result<Written, Error>>) {
        for (queued, written) in self.taken.drain(..).zip(results) {
            *lock(&queued.result) = Some(written);
        }
        self.end();
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.leads) {
            lock(&self.queue.line).is_led = false;
            self.queue.changed.notify_all();
        }
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        for queued in self.taken.drain(..) {
            *lock(&queued.result) = Some(Err(Error::internal("a write has panicked")));
        }
        self.end();
    }
}

/// The same error again, for another of those that wait.
pub(crate) fn same(error: &Error) -> Error {
    match error {
        Error::Io { path, source } => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            Error::Io { path: path.clone(), source }
        }
        Error::Poisoned { path } => Error::Poisoned { path: path.clone() },
        Error::OutOfMemory { bytes } => Error::OutOfMemory { bytes: *bytes },
        Error::Argument { name, detail } => Error::Argument { name, detail: detail.clone() },
        other => Error::internal(other.to_string()),
    }
}
