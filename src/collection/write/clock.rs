//! What a writer knows of the time, which its host tells it: how long rows have been in memory, and whether writes have ceased.

/// Milliseconds without a write after which rows that are in no graph are indexed.
const IDLE: u64 = 2000;

/// Milliseconds from any moment on. What was done before the time was told first was done then: also the opening, so that rows
/// that an earlier writer left are indexed soon.
#[derive(Default)]
pub(crate) struct Clock {
    now: Option<u64>,
    /// The first write since the last flush.
    first_write: Option<u64>,
    last_write: u64,
}

impl Clock {
    pub(crate) fn tell(&mut self, now: u64) {
        if self.now.is_none() {
            self.first_write = self.first_write.map(|_| now);
            self.last_write = now;
        }
        self.now = Some(now);
    }

    pub(crate) fn wrote(&mut self) {
        let now = self.now.unwrap_or_default();
        self.first_write.get_or_insert(now);
        self.last_write = now;
    }

    pub(crate) fn flushed(&mut self) {
        self.first_write = None;
    }

    /// How long ago the first write since the last flush was; 0 if there is none.
    pub(crate) fn age(&self) -> u64 {
        self.first_write.map_or(0, |first| self.now.unwrap_or_default().saturating_sub(first))
    }

    /// Whether nothing was written for a while.
    pub(crate) fn is_idle(&self) -> bool {
        self.now.is_some_and(|now| now.saturating_sub(self.last_write) >= IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told() {
        let mut clock = Clock::default();
        clock.wrote();
        assert!(clock.age() == 0 && !clock.is_idle(), "no time was told");
        clock.tell(1_000_000);
        assert!(clock.age() == 0 && !clock.is_idle(), "what was written before was written now");
        clock.tell(1_001_999);
        assert!(clock.age() == 1999 && !clock.is_idle());
        clock.tell(1_002_000);
        assert!(clock.is_idle());
        clock.wrote();
        assert!(clock.age() == 2000 && !clock.is_idle(), "the first write counts, and the last");
        clock.flushed();
        clock.tell(1_004_000);
        assert!(clock.age() == 0 && clock.is_idle());
        clock.tell(7);
        assert!(!clock.is_idle(), "a clock that was set back");
    }
}
