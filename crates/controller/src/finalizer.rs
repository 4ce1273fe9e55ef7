//! [`Finalizer`]: keeps an object until its clean-up is done, as a typed state.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_client::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::requests::{DEADLINE, RequestError, within};

/// The most attempts of one change: the first, and one more after each conflict.
const ATTEMPTS: usize = 5;

/// A finalizer of a controller: a name in the metadata that keeps an object until the controller has cleaned up.
///
/// ```
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # use kube_client::Api;
/// # use trimtab_controller::{Action, Error, Finalizer, FinalizerState};
/// # async fn create_bucket() -> Result<(), Error> { Ok(()) }
/// # async fn delete_bucket() -> Result<(), Error> { Ok(()) }
/// async fn reconcile(api: &Api<ConfigMap>, map: &ConfigMap) -> Result<Action, Error> {
///     let finalizer = Finalizer::new("example.com/bucket")?;
///     match finalizer.state(map) {
///         FinalizerState::Missing(missing) => {
///             // Before anything is created that must be cleaned up. The event of the write comes back here.
///             missing.add(api).await?;
///         }
///         FinalizerState::Present => create_bucket().await?,
///         FinalizerState::CleanUp(clean_up) => {
///             delete_bucket().await?;
///             clean_up.remove(api).await?;
///         }
///         FinalizerState::Removed => {}
///     }
///     Ok(Action::done())
/// }
/// ```
///
/// # Guarantees
///
/// 1. No other finalizer is lost: each write names the resource version that it is based on. After a conflict the object
///    is read again.
/// 2. Nothing is written where nothing changes, even if the object at hand is old.
/// 3. A write changes only the object that it was made for, by UID, not a later one of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finalizer {
    name: String,
}

/// A name that is not a finalizer's.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a finalizer: expected a domain and a name, such as `example.com/bucket`")]
pub struct FinalizerNameError(String);

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for FinalizerNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The state of an object with regard to a finalizer.
#[must_use = "the state says what to do next"]
pub enum FinalizerState<'a, K> {
    /// The object is not being deleted and lacks the finalizer: add it before creating anything.
    Missing(MissingFinalizer<'a, K>),
    /// The object is not being deleted and has the finalizer: bring it to its desired state.
    Present,
    /// The object is being deleted and waits for the clean-up.
    CleanUp(CleanUp<'a, K>),
    /// The object is being deleted and does not wait for this finalizer: there is nothing to do.
    Removed,
}

impl<K> fmt::Debug for FinalizerState<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing(_) => "Missing",
            Self::Present => "Present",
            Self::CleanUp(_) => "CleanUp",
            Self::Removed => "Removed",
        })
    }
}

/// An object that lacks a finalizer.
pub struct MissingFinalizer<'a, K>(Edit<'a, K>);

/// An object whose deletion waits for a clean-up.
pub struct CleanUp<'a, K>(Edit<'a, K>);

impl<K> fmt::Debug for MissingFinalizer<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MissingFinalizer").field(&self.0.finalizer.name).finish()
    }
}

impl<K> fmt::Debug for CleanUp<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CleanUp").field(&self.0.finalizer.name).finish()
    }
}

impl Finalizer {
    /// Creates the finalizer `name`: a domain and a name, such as `example.com/bucket`.
    ///
    /// # Errors
    ///
    /// The API server would refuse the name.
    pub fn new(name: &str) -> Result<Self, FinalizerNameError> {
        let is_part = |part: &str, others: &str| {
            let is_inner = |char: char| char.is_ascii_alphanumeric() || others.contains(char);
            let ends = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
            part.chars().all(is_inner) && ends(part.chars().next()) && ends(part.chars().next_back())
        };
        let is_name = |(domain, name): (&str, &str)| {
            let is_domain = domain.len() <= 253 && domain.split('.').all(|label| is_part(label, "-"));
            is_domain && !domain.contains(char::is_uppercase) && name.len() <= 63 && is_part(name, "-_.")
        };
        match name.split_once('/').is_some_and(is_name) {
            true => Ok(Self { name: name.to_owned() }),
            false => Err(FinalizerNameError(name.to_owned())),
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the state of `object`, which may come from a cache.
    pub fn state<'a, K: Resource>(&'a self, object: &'a K) -> FinalizerState<'a, K> {
        let metadata = object.meta();
        let edit = Edit { finalizer: self, object };
        match (metadata.deletion_timestamp.is_some(), self.is_in(metadata)) {
            (false, false) => FinalizerState::Missing(MissingFinalizer(edit)),
            (false, true) => FinalizerState::Present,
            (true, true) => FinalizerState::CleanUp(CleanUp(edit)),
            (true, false) => FinalizerState::Removed,
        }
    }

    fn is_in(&self, metadata: &ObjectMeta) -> bool {
        metadata.finalizers.iter().flatten().any(|name| *name == self.name)
    }
}

impl<K> MissingFinalizer<'_, K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug,
{
    /// Adds the finalizer. Returns whether the object has it now; `false` if the object is gone or is being deleted.
    ///
    /// # Errors
    ///
    /// The request failed, or met a conflict five times in a row.
    ///
    /// # Cancel safety
    ///
    /// An `add` dropped before it completes may have added the finalizer.
    pub async fn add(self, api: &Api<K>) -> Result<bool, RequestError> {
        let Edit { finalizer, .. } = self.0;
        let outcome = self.0.write(api, |metadata| {
            if metadata.deletion_timestamp.is_some() {
                return Next::Stop(false); // the server refuses a new finalizer from then on
            }
            if finalizer.is_in(metadata) {
                return Next::Stop(true);
            }
            let mut names = metadata.finalizers.clone().unwrap_or_default();
            names.push(finalizer.name.clone());
            Next::Write(names)
        });
        Ok(outcome.await?.unwrap_or(false))
    }
}

impl<K> CleanUp<'_, K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug,
{
    /// Removes the finalizer, after the clean-up. An object that is gone needs no removal.
    ///
    /// # Errors
    ///
    /// The request failed, or met a conflict five times in a row.
    ///
    /// # Cancel safety
    ///
    /// A `remove` dropped before it completes may have removed the finalizer.
    pub async fn remove(self, api: &Api<K>) -> Result<(), RequestError> {
        let Edit { finalizer, .. } = self.0;
        let outcome = self.0.write(api, |metadata| {
            if !finalizer.is_in(metadata) {
                return Next::Stop(true);
            }
            let names = metadata.finalizers.iter().flatten();
            Next::Write(names.filter(|name| **name != finalizer.name).cloned().collect())
        });
        outcome.await.map(drop)
    }
}

/// A change of one object's finalizers.
struct Edit<'a, K> {
    finalizer: &'a Finalizer,
    object: &'a K,
}

/// The next step of a change.
enum Next {
    Write(Vec<String>),
    Stop(bool),
}

impl<K> Edit<'_, K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug,
{
    /// Writes what `next` asks for; after a conflict again, based on the newest state. Returns `None` if the object is
    /// gone.
    async fn write(
        &self,
        api: &Api<K>,
        next: impl Fn(&ObjectMeta) -> Next,
    ) -> Result<Option<bool>, RequestError> {
        let seen = self.object.meta();
        let name = seen.name.as_deref().unwrap_or_default();
        let mut newest: Option<ObjectMeta> = None;
        let mut refusal = None;
        for _ in 0..ATTEMPTS {
            let metadata = newest.as_ref().unwrap_or(seen);
            let names = match next(metadata) {
                Next::Write(names) => names,
                Next::Stop(outcome) => return Ok(Some(outcome)),
            };
            let body = json!({"metadata": {
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
                "finalizers": if names.is_empty() { None } else { Some(names) },
            }});
            let (params, patch) = (PatchParams::default(), Patch::Merge(body));
            match within(DEADLINE, api.patch(name, &params, &patch)).await {
                Ok(_) => return Ok(Some(true)),
                Err(error) if error.is_not_found() => return Ok(None),
                // A UID that is not that of the object is invalid (422) or a conflict (409).
                Err(error) if error.is_conflict() || error.code() == Some(422) => refusal = Some(error),
                Err(error) => return Err(error),
            }
            match (within(DEADLINE, api.get_metadata_opt(name)).await?, refusal.take()) {
                (Some(read), Some(error)) if read.metadata.uid == seen.uid => {
                    if !error.is_conflict() {
                        return Err(error);
                    }
                    (newest, refusal) = (Some(read.metadata), Some(error));
                }
                _ => return Ok(None),
            }
        }
        refusal.map_or(Ok(None), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finalizer_has_a_domain_and_a_name() {
        for name in ["example.com/bucket", "a-b.example.com/My_bucket.v1", "kubernetes.io/pv-protection"] {
            assert_eq!(Finalizer::new(name).map(|finalizer| finalizer.name), Ok(name.to_owned()));
        }
        for name in [
            "bucket",
            "",
            "/",
            "example.com/",
            "/bucket",
            "Example.com/bucket",
            "a..b/c",
            "a.b/c/d",
            "a.b/-c",
        ] {
            let error = Finalizer::new(name).expect_err(name);
            let expected = format!(
                "{name:?} is not a finalizer: expected a domain and a name, such as `example.com/bucket`"
            );
            assert_eq!(format!("{error:?}"), expected);
        }
    }
}
