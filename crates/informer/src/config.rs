//! [`ReflectorConfig`]: how an informer lists, watches and decodes.

use tokio::time::Duration;
use trimtab_cache::ManagedFields;

use crate::backoff::LONGEST;

/// The shortest period of resyncs and audits.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(crate) struct ReflectorConfig {
    pub(crate) streaming_lists: bool,
    pub(crate) page_size: Option<u32>,
    /// The period of audits.
    pub(crate) audit: Option<Duration>,
    pub(crate) managed_fields: ManagedFields,
    pub(crate) max_backoff: Duration,
    /// The seed of the jitter; `None` for a seed of the operating system.
    pub(crate) seed: Option<u64>,
}

impl Default for ReflectorConfig {
    fn default() -> Self {
        Self {
            streaming_lists: true,
            page_size: Some(500),
            audit: None,
            managed_fields: ManagedFields::Dropped,
            max_backoff: LONGEST,
            seed: None,
        }
    }
}

/// Returns the period itself, or the shortest one.
pub(crate) fn period(period: Duration) -> Duration {
    period.max(SHORTEST_PERIOD)
}
