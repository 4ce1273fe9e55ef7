//! [`CorrelatorOptions`]: the limits of the correlator.

use std::{num::NonZeroUsize, time::Duration};

/// Limits of the correlator of [`Form::Core`](crate::Form::Core), with client-go's defaults.
#[derive(Debug, Clone)]
#[must_use]
pub struct CorrelatorOptions {
    pub(crate) capacity: NonZeroUsize,
    pub(crate) burst: u32,
    pub(crate) refill: Duration,
    pub(crate) max_similar: usize,
    pub(crate) window: Duration,
    pub(crate) spam_by_reason: bool,
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        Self {
            capacity: NonZeroUsize::new(4096).expect("4096 is not zero"),
            burst: 25,
            refill: Duration::from_secs(300),
            max_similar: 10,
            window: Duration::from_secs(600),
            spam_by_reason: false,
        }
    }
}

impl CorrelatorOptions {
    /// Sets the number of events, of groups and of sources that are remembered. Default: 4,096.
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        Self { capacity, ..self }
    }

    /// Sets the number of events that a source may record about one object at once, and the time after which it may
    /// record one more. Default: 25 and 300 s.
    pub fn spam(self, burst: u32, refill: Duration) -> Self {
        Self { burst, refill, ..self }
    }

    /// Sets whether the spam filter counts each reason separately (`SpamKeyFunc`). Default: `false`.
    pub fn spam_by_reason(self, spam_by_reason: bool) -> Self {
        Self { spam_by_reason, ..self }
    }

    /// Sets the number of different messages from which similar events become one aggregate, and the longest time
    /// between two of them. Default: 10 and 600 s.
    pub fn aggregate(self, max_similar: usize, window: Duration) -> Self {
        Self { max_similar, window, ..self }
    }
}
