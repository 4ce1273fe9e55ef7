//! [`ExternalSource`]: keys from outside of the cluster: a stream, a channel, a timer.

use std::{collections::BTreeSet, fmt, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, Stream, StreamExt};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use trimtab_cache::{Object, ObjectKey};

use super::{Activity, Connection, Driver, Source};
use crate::{queue::Inlet, reasons::EventKind};

/// The delay before the second attempt to connect a source, and the longest delay: those of the informers.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));

/// A source of keys outside of the cluster: controller-runtime's `source.Channel` and `source.Func`.
///
/// ```
/// # use std::time::Duration;
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # use trimtab_controller::{Controller, ExternalSource, informer::Informer};
/// # fn wire(maps: Informer<ConfigMap>) -> Controller<()> {
/// let (webhook, webhooks) = ExternalSource::channel("webhooks");
/// let store = maps.store().clone();
/// let hourly = ExternalSource::timer("hourly", Duration::from_secs(3600), move || store.keys());
/// let controller = Controller::new("config", &maps).external(webhooks).external(hourly);
/// webhook.send(("default", "web").into()); // at any time, from any thread
/// # controller
/// # }
/// ```
#[must_use]
pub struct ExternalSource {
    name: Arc<str>,
    health: Arc<Mutex<Health>>,
    connect: Box<Connect>,
}

/// Connects a source to the queue of a run.
type Connect = dyn Fn(Inlet, Arc<Mutex<Health>>) -> Connection + Send + Sync;

/// The state of an external source.
#[derive(Debug, Default)]
struct Health {
    phase: Phase,
    last_error: Option<String>,
    failing_since: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Phase {
    #[default]
    Idle,
    Connecting,
    Open,
    Ended,
}

impl Health {
    fn opened(&mut self) {
        (self.phase, self.failing_since) = (Phase::Open, None);
    }

    fn failed(&mut self, name: &str, error: String) {
        tracing::warn!(source = name, %error, "external source failed");
        self.phase = Phase::Connecting;
        self.failing_since.get_or_insert_with(Instant::now);
        self.last_error = Some(error);
    }
}

impl ExternalSource {
    /// Takes keys from a stream. The end of the stream ends the source, not the controller.
    ///
    /// The stream is polled while the controller runs. In a second run it continues where it was.
    pub fn keys(name: &str, stream: impl Stream<Item = ObjectKey> + Send + 'static) -> Self {
        let stream =
            Arc::new(tokio::sync::Mutex::new(Box::pin(stream) as Pin<Box<dyn Stream<Item = _> + Send>>));
        Self::driven(name, move |inlet, health| {
            let stream = stream.clone();
            Box::pin(async move {
                let mut stream = stream.lock().await;
                health.lock().opened();
                while let Some(key) = stream.next().await {
                    inlet.add(key, EventKind::External, false);
                }
                health.lock().phase = Phase::Ended;
            })
        })
    }

    /// Takes the keys of objects from a stream. See [`keys`](Self::keys).
    pub fn objects<T: Object>(name: &str, stream: impl Stream<Item = Arc<T>> + Send + 'static) -> Self {
        Self::keys(name, stream.map(|object| object.key()))
    }

    /// Takes keys from streams that `connect` opens: again with backoff after an error and after the end of a stream.
    ///
    /// The backoff is 0.8 s, doubling to 30 s; a stream that delivers a key resets it. The errors are in the status of the
    /// source; they delay no other source.
    pub fn connecting<C, F, S, E>(name: &str, connect: C) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: Stream<Item = Result<ObjectKey, E>> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let (source, connect): (Arc<str>, _) = (name.into(), Arc::new(connect));
        Self::driven(name, move |inlet, health| {
            let (source, connect) = (source.clone(), connect.clone());
            Box::pin(async move {
                let mut delay = BACKOFF.0;
                loop {
                    let followed = follow(&*connect, &inlet, &health, &mut delay);
                    match AssertUnwindSafe(followed).catch_unwind().await {
                        Ok(Ok(())) => health.lock().phase = Phase::Connecting,
                        Ok(Err(error)) => health.lock().failed(&source, error.to_string()),
                        Err(_) => health.lock().failed(&source, "the source panicked".to_owned()),
                    }
                    sleep(delay).await;
                    delay = (delay * 2).min(BACKOFF.1);
                }
            })
        })
    }

    /// Returns a source and the handle that sends keys to it.
    pub fn channel(name: &str) -> (KeySender, Self) {
        let sender = KeySender(Arc::default());
        let channel = sender.0.clone();
        let connect = move |inlet: Inlet, health: Arc<Mutex<Health>>| {
            health.lock().opened();
            let waiting = {
                let mut channel = channel.lock();
                channel.inlet = Some(Arc::new(inlet.clone()));
                std::mem::take(&mut channel.waiting)
            };
            waiting.into_iter().for_each(|key| inlet.add(key, EventKind::External, false));
            Connection { guard: Box::new(Disconnect(channel.clone())), driver: None }
        };
        (sender, Self { name: name.into(), health: Arc::default(), connect: Box::new(connect) })
    }

    /// Queues the keys that `keys` returns, in each `period` of a run; the first time one period after its begin.
    ///
    /// The shortest period is one millisecond.
    pub fn timer<I>(name: &str, period: Duration, keys: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: IntoIterator<Item = ObjectKey>,
    {
        let (source, keys): (Arc<str>, _) = (name.into(), Arc::new(keys));
        Self::driven(name, move |inlet, health| {
            let (source, keys) = (source.clone(), keys.clone());
            Box::pin(async move {
                let mut ticks = interval(period.max(Duration::from_millis(1)));
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                ticks.tick().await; // the first one is due at once
                health.lock().opened();
                loop {
                    ticks.tick().await;
                    let add =
                        || keys().into_iter().for_each(|key| inlet.add(key, EventKind::External, false));
                    match std::panic::catch_unwind(AssertUnwindSafe(add)) {
                        Ok(()) => health.lock().opened(),
                        Err(_) => {
                            health.lock().failed(&source, "the function of the timer panicked".to_owned())
                        }
                    }
                }
            })
        })
    }

    fn driven(
        name: &str,
        driver: impl Fn(Inlet, Arc<Mutex<Health>>) -> Driver + Send + Sync + 'static,
    ) -> Self {
        let source: Arc<str> = name.into();
        let name = source.clone();
        let connect = move |inlet: Inlet, health: Arc<Mutex<Health>>| {
            health.lock().phase = Phase::Connecting;
            let (driver, source) = (driver(inlet, health.clone()), source.clone());
            let contained = async move {
                if AssertUnwindSafe(driver).catch_unwind().await.is_err() {
                    let mut health = health.lock();
                    health.failed(&source, "the source panicked".to_owned());
                    health.phase = Phase::Ended;
                }
            };
            Connection { guard: Box::new(()), driver: Some(Box::pin(contained)) }
        };
        Self { name, health: Arc::default(), connect: Box::new(connect) }
    }
}

/// Opens one stream and queues its keys until it ends. A key resets the backoff.
async fn follow<F, S, E>(
    connect: &(impl Fn() -> F + Sync),
    inlet: &Inlet,
    health: &Mutex<Health>,
    delay: &mut Duration,
) -> Result<(), E>
where
    F: Future<Output = Result<S, E>>,
    S: Stream<Item = Result<ObjectKey, E>>,
{
    let mut stream = std::pin::pin!(connect().await?);
    health.lock().opened();
    while let Some(key) = stream.next().await {
        inlet.add(key?, EventKind::External, false);
        *delay = BACKOFF.0;
    }
    Ok(())
}

impl Source for ExternalSource {
    fn name(&self) -> Arc<str> {
        self.name.clone()
    }

    fn activity(&self) -> Activity {
        let health = self.health.lock();
        let phase = match health.phase {
            Phase::Idle => "not started",
            Phase::Connecting => "connecting",
            Phase::Open => "open",
            Phase::Ended => "ended",
        };
        Activity {
            last_error: health.last_error.clone(),
            failing_since: health.failing_since,
            ..Activity::healthy(phase)
        }
    }

    fn connect(&self, inlet: Inlet) -> Connection {
        (self.connect)(inlet, self.health.clone())
    }
}

impl fmt::Debug for ExternalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalSource").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Sends keys to the controller that has the [`ExternalSource`] of the same channel. Clones send to the same one.
#[derive(Clone)]
pub struct KeySender(Arc<Mutex<Channel>>);

#[derive(Default)]
struct Channel {
    /// The queue of the present run.
    inlet: Option<Arc<Inlet>>,
    /// The keys that were sent while the controller did not run: each once.
    waiting: BTreeSet<ObjectKey>,
}

impl KeySender {
    /// Queues a key; kept for the next run if the controller does not run now. Never waits.
    pub fn send(&self, key: ObjectKey) {
        let mut channel = self.0.lock();
        match channel.inlet.clone() {
            Some(inlet) => {
                drop(channel);
                inlet.add(key, EventKind::External, false);
            }
            None => _ = channel.waiting.insert(key),
        }
    }
}

impl fmt::Debug for KeySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySender").field("waiting", &self.0.lock().waiting.len()).finish_non_exhaustive()
    }
}

/// Disconnects a channel from the queue of a run when it is dropped.
struct Disconnect(Arc<Mutex<Channel>>);

impl Drop for Disconnect {
    fn drop(&mut self) {
        self.0.lock().inlet = None;
    }
}
