//! [`Correlator`]: aggregation, counting and the spam filter of `tools/record`, as a plain value.

mod aggregate;
mod count;
mod options;
mod spam;

use tokio::time::Instant;

pub use self::options::CorrelatorOptions;
use self::{aggregate::Aggregator, count::Counter, spam::SpamFilter};
use crate::{
    record::Recorded,
    write::{Object, Write},
};

/// Aggregates, counts and filters events by the earlier ones.
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

    /// Returns the request for an event; `None` if the event is filtered as spam. A filtered event is counted, too:
    /// the filter is the last of the three steps.
    pub(crate) fn observe(&mut self, event: &Recorded, now: Instant) -> Option<Write> {
        let (object, key) = self.aggregator.aggregate(event, now);
        let (object, patch) = self.counter.count(object, key);
        self.spam.takes(event, now).then(|| Write { object: Object::Core(Box::new(object)), patch })
    }
}

#[cfg(test)]
mod tests;
