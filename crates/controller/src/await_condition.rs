//! [`await_condition`] and [`wait_established`]: wait until an object is as needed.

use std::{fmt, sync::Arc, time::Duration};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_client::Client;
use serde::Deserialize;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use trimtab_cache::{MetaView, Metadata, Object, ObjectKey};
use trimtab_informer::{Handler, Informer, Selection};

/// The interval at which a stopped informer is looked at.
const POLL: Duration = Duration::from_millis(100);

/// A wait that was given up.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not as needed after {limit:?}: {state}")]
pub struct WaitError {
    what: String,
    limit: Duration,
    state: String,
}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Waits until `condition` returns `true` for the cached state of an object, at most for `limit`. Returns that state; `None`
/// if the object does not exist.
///
/// The informer must have been started. `condition` gets `None` for an object that does not exist, so a deletion can be
/// awaited, too: `|object| object.is_none()`. Nothing is decided before the informer has synced.
///
/// # Errors
///
/// The time is over. The error says whether the object exists, and the informer's last error.
///
/// # Cancel safety
///
/// An `await_condition` dropped before it completes has changed nothing.
pub async fn await_condition<T: Object>(
    informer: &Informer<T>,
    key: &ObjectKey,
    limit: Duration,
    condition: impl Fn(Option<&T>) -> bool,
) -> Result<Option<Arc<T>>, WaitError> {
    let changed = Arc::new(Notify::new());
    let _handler = RemovedOnDrop(informer.on_change({
        let (key, changed) = (key.clone(), changed.clone());
        move |event| {
            if event.key() == key {
                changed.notify_one(); // a permit is kept, so that no change between a look and a wait is missed
            }
        }
    }));
    let waiting = async {
        while !informer.wait_for_sync().await {
            sleep(POLL).await; // it was stopped before its first list, and may be started again
        }
        loop {
            let object = informer.store().get(key);
            if condition(object.as_deref()) {
                return object;
            }
            changed.notified().await;
        }
    };
    timeout(limit, waiting).await.map_err(|_| {
        let status = informer.status();
        let state = match (&status.last_error, status.synced) {
            (Some(error), false) => format!("{error:?}"),
            (None, false) => format!("the informer has no first list ({})", status.phase),
            (_, true) if informer.store().contains(key) => {
                "it exists, and the condition is not met".to_owned()
            }
            (_, true) => "it does not exist".to_owned(),
        };
        WaitError { what: format!("{} {key}", informer.description()), limit, state }
    })
}

/// Waits until the server serves the kinds of the CustomResourceDefinition `name`, such as `websites.example.com`, at most
/// for `limit`.
///
/// # Errors
///
/// The time is over. The error says whether the definition exists, or the condition that is not met.
///
/// # Cancel safety
///
/// A `wait_established` dropped before it completes has changed nothing.
pub async fn wait_established(client: Client, name: &str, limit: Duration) -> Result<(), WaitError> {
    let selection = Selection::all().fields(&format!("metadata.name={name}"));
    let informer = Informer::builder(client).selection(selection).build::<Definition>();
    informer.start();
    let key = ObjectKey::cluster_scoped(name);
    let established = await_condition(&informer, &key, limit, |definition| {
        definition.is_some_and(|definition| definition.is_true("Established"))
    });
    let error = match established.await {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    let refused = informer.store().get(&key).map(|definition| definition.unmet());
    Err(WaitError { state: refused.unwrap_or(error.state.clone()), ..error })
}

/// The fields of a CustomResourceDefinition that say whether it is served.
#[derive(Debug, Deserialize)]
struct Definition {
    metadata: MetaView,
    #[serde(default)]
    status: DefinitionStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DefinitionStatus {
    conditions: Vec<DefinitionCondition>,
}

#[derive(Debug, Deserialize)]
struct DefinitionCondition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    #[serde(default)]
    message: String,
}

impl Object for Definition {
    type Kind = CustomResourceDefinition;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

impl Definition {
    fn is_true(&self, type_: &str) -> bool {
        self.status.conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
    }

    /// Returns the condition that keeps the definition from being served.
    fn unmet(&self) -> String {
        let unmet = self.status.conditions.iter().find(|condition| condition.status != "True");
        match unmet {
            Some(condition) => format!("{} is {}: {}", condition.type_, condition.status, condition.message),
            None => "it has no condition Established".to_owned(),
        }
    }
}

/// Removes a handler when it is dropped.
struct RemovedOnDrop(Handler);

impl Drop for RemovedOnDrop {
    fn drop(&mut self) {
        self.0.remove();
    }
}
