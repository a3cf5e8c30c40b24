//! Waits for a [`Dir`](crate::Dir) that answers later. Native: the thread sleeps meanwhile.

use std::path::Path;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::storage::Asked;

/// How long a writer waits for others, each of which may write many gigabytes.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until there is an answer, for `limit` at most. What is pending so long is the lock of `folder`.
pub(super) fn wait<T>(folder: &Path, limit: Duration, mut ask: impl FnMut() -> Asked<T>) -> Result<T, Error> {
    let mut started = None;
    loop {
        match ask() {
            Poll::Ready(answer) => return answer,
            Poll::Pending if started.get_or_insert_with(Instant::now).elapsed() >= limit => {
                let path = folder.join(".lock").display().to_string();
                return Err(Error::Locked { path, seconds: limit.as_secs() });
            }
            Poll::Pending => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wait;
    use crate::storage::{Dir as _, FsDir};
    use std::time::{Duration, Instant};

    #[test]
    fn a_held_lock_is_waited_for_and_then_named() {
        let folder = tempfile::tempdir().unwrap();
        let take = |limit| wait(folder.path(), limit, || FsDir.lock(folder.path()));
        let first = take(Duration::ZERO).unwrap();
        assert!(first.is_held());
        let limit = Duration::from_millis(60);
        let started = Instant::now();
        let refused = take(limit).err().unwrap();
        assert!(started.elapsed() >= limit);
        assert_eq!(refused.code(), "locked");
        let told = refused.to_string();
        assert!(told.contains(".lock") && told.contains("publish again"), "{told}");

        let waiting = std::thread::scope(|scope| {
            let second = scope.spawn(|| take(Duration::from_secs(20)).map(|lock| lock.is_held()));
            std::thread::sleep(Duration::from_millis(30));
            drop(first);
            second.join().unwrap()
        });
        assert!(waiting.unwrap());
        let nowhere = folder.path().join("nowhere");
        assert_eq!(wait(&nowhere, limit, || FsDir.lock(&nowhere)).err().unwrap().code(), "io");
    }
}
