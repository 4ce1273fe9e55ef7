//! [`Rates`]: reconciles, failures, events and bytes per second over the last minute.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use trimtab_controller::ControllerHandle;

use crate::{ManagerHandle, Shutdown};

/// The time between two samples.
const PERIOD: Duration = Duration::from_secs(10);
/// The number of samples before the present one: a minute.
const SAMPLES: usize = 6;

/// The counters of all informers and controllers at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    reconciles: u64,
    failures: u64,
    events: u64,
    bytes: u64,
}

/// The samples of the last minute. A clone shares them.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    process: ManagerHandle,
    samples: Arc<Mutex<VecDeque<Sample>>>,
}

impl Rates {
    pub(crate) fn new(process: &ManagerHandle) -> Self {
        Self { process: process.clone(), samples: Arc::default() }
    }

    /// Takes samples until the shutdown.
    pub(crate) async fn sample_until(self, shutdown: Shutdown) -> Result<(), Infallible> {
        let sampling = async {
            loop {
                self.keep(self.sample());
                sleep(PERIOD).await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = sampling => {}
        }
        Ok(())
    }

    fn keep(&self, sample: Sample) {
        let mut samples = self.samples.lock();
        samples.push_back(sample);
        while samples.len() > SAMPLES {
            samples.pop_front();
        }
    }

    fn sample(&self) -> Sample {
        let mut sample = Sample { at: Instant::now(), reconciles: 0, failures: 0, events: 0, bytes: 0 };
        for summary in self.process.informers.summaries() {
            sample.events += summary.status.events;
            sample.bytes += summary.status.bytes;
        }
        for status in self.process.controllers().iter().map(ControllerHandle::status) {
            sample.reconciles += status.reconciles;
            sample.failures += status.failures;
        }
        sample
    }

    /// Returns the rates since the oldest sample.
    pub(crate) fn json(&self) -> Value {
        let now = self.sample();
        let Some(then) = self.samples.lock().front().copied() else { return Value::Null };
        let elapsed = (now.at - then.at).as_secs_f64().max(0.001);
        let rate = |count: fn(&Sample) -> u64| {
            let counted = count(&now).saturating_sub(count(&then));
            (counted as f64 / elapsed * 10.0).round() / 10.0
        };
        json!({
            "over": format!("{elapsed:.0} s"),
            "reconciles per second": rate(|sample| sample.reconciles),
            "failures per second": rate(|sample| sample.failures),
            "events per second": rate(|sample| sample.events),
            "bytes per second": rate(|sample| sample.bytes),
        })
    }
}
