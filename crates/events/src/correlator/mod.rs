//! [`Correlator`]: aggregation, counting and the spam filter of `tools/record`, as a plain value.

mod aggregate;
mod count;
mod spam;

use std::{num::NonZeroUsize, time::Duration};

use tokio::time::Instant;

use self::{aggregate::Aggregator, count::Counter, spam::SpamFilter};
use crate::{
    record::Recorded,
    write::{Object, Write},
};

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
    /// How many events, groups and sources are remembered; 4,096 by default.
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        Self { capacity, ..self }
    }

    /// How many events a source may record about one object at once, and how long it takes until it may record one
    /// more; 25 and 300 s by default.
    pub fn spam(self, burst: u32, refill: Duration) -> Self {
        Self { burst, refill, ..self }
    }

    /// Whether the spam filter counts each reason for itself (`SpamKeyFunc`); not by default.
    pub fn spam_by_reason(self, spam_by_reason: bool) -> Self {
        Self { spam_by_reason, ..self }
    }

    /// How many events that differ in their message alone become one aggregate, if no more than `window` lies
    /// between two of them; 10 and 600 s by default.
    pub fn aggregate(self, max_similar: usize, window: Duration) -> Self {
        Self { max_similar, window, ..self }
    }
}

/// What earlier events say about a new one.
#[derive(Debug)]
pub(crate) struct Correlator {
    aggregator: Aggregator,
    counter: Counter,
    spam: SpamFilter,
}

impl Correlator {
    pub(crate) fn new(options: &CorrelatorOptions) -> Self {
        Self {
            aggregator: Aggregator::new(options),
            counter: Counter::new(options.capacity),
            spam: SpamFilter::new(options),
        }
    }

    /// The request that an event leads to; `None` if it is filtered as spam. The order of the three steps matters:
    /// a filtered event counts, too.
    pub(crate) fn observe(&mut self, event: &Recorded, now: Instant) -> Option<Write> {
        let (object, key) = self.aggregator.aggregate(event, now);
        let (object, patch) = self.counter.count(object, key);
        self.spam.takes(event, now).then(|| Write { object: Object::Core(Box::new(object)), patch })
    }
}

#[cfg(test)]
mod tests;
