//! [`LedgerSource`]: queues keys whose wait for own writes has ended.

use std::{hash::Hash, sync::Arc};

use trimtab_cache::ObjectKey;
use trimtab_expectations::Ledger;

use super::{Activity, Connection, Source};
use crate::{queue::Inlet, reasons::EventKind};

/// A ledger, whose keys are queued when their wait ends.
pub(crate) struct LedgerSource<R, V>(pub(crate) Ledger<ObjectKey, R, V>);

impl<R, V> Source for LedgerSource<R, V>
where
    R: Hash + Eq + Clone + Send + Sync + 'static,
    V: Ord + Clone + Send + Sync + 'static,
{
    fn name(&self) -> Arc<str> {
        "ledger".into()
    }

    fn activity(&self) -> Activity {
        Activity::healthy("observing")
    }

    fn connect(&self, inlet: Inlet) -> Connection {
        let guard = self.0.on_wake(move |key| inlet.add(key.clone(), EventKind::Woken, false));
        Connection { guard: Box::new(guard), driver: None }
    }
}
