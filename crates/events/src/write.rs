//! [`Write`]: one request for an event, and the classification of its errors.

use k8s_openapi::{
    api::{core::v1::Event as CoreEvent, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube_client::{
    Client, Error, Resource,
    api::{Patch, PatchParams, PostParams},
    core::Request,
};
use serde::{Serialize, de::IgnoredAny};
use serde_json::Value;

/// One request: an object to create, or a patch of one that was created earlier.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) object: Object,
    /// A strategic merge patch. If the object is gone, it is created again.
    pub(crate) patch: Option<Value>,
}

/// The event in one of the two APIs.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Events(Box<Event>),
    Core(Box<CoreEvent>),
}

/// The result of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server refused the event: the same event would be refused again.
    Refused,
    /// The server refused the event, which is not an error: it exists already, or its namespace is terminating.
    RefusedQuietly,
    /// The server could not be reached, or is overloaded.
    Retry,
}

impl Write {
    /// Sends the request once.
    ///
    /// # Cancel safety
    ///
    /// The event may have been written if this is dropped. Its name is fixed, so that a second attempt makes no twin.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Error> {
        match self.object {
            Object::Events(event) => send(client, &event.metadata, &*event, self.patch.as_ref()).await,
            Object::Core(event) => send(client, &event.metadata, &*event, self.patch.as_ref()).await,
        }
    }
}

/// Sends a request, and reads nothing of the reply.
async fn send<K>(
    client: &Client,
    metadata: &ObjectMeta,
    event: &K,
    patch: Option<&Value>,
) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Serialize,
{
    let collection = Request::new(K::url_path(&(), metadata.namespace.as_deref()));
    if let Some(patch) = patch {
        let name = metadata.name.as_deref().unwrap_or_default();
        let request = collection.patch(name, &PatchParams::default(), &Patch::Strategic(patch));
        let patched = client.request::<IgnoredAny>(request.map_err(Error::BuildRequest)?).await;
        match patched {
            Err(Error::Api(status)) if status.code == 404 => {} // expired meanwhile: created again
            other => return other.map(drop),
        }
    }
    let event = serde_json::to_vec(event).map_err(Error::SerdeError)?;
    let request = collection.create(&PostParams::default(), event).map_err(Error::BuildRequest)?;
    client.request::<IgnoredAny>(request).await.map(drop)
}

/// Classifies an error. `is_patch`: the request began as a patch. If the object was gone for the patch and exists for the
/// create, another client has created it in between, and a new patch will find it.
pub(crate) fn verdict(error: &Error, is_patch: bool) -> Verdict {
    match error {
        Error::Api(status) => match status.code {
            409 if status.reason == "AlreadyExists" && is_patch => Verdict::Retry,
            409 if status.reason == "AlreadyExists" => Verdict::RefusedQuietly,
            429 | 500 | 502 | 503 | 504 => Verdict::Retry,
            _ if is_namespace_terminating(status) => Verdict::RefusedQuietly,
            _ => Verdict::Refused,
        },
        Error::BuildRequest(_) => Verdict::Refused,
        _ => Verdict::Retry,
    }
}

fn is_namespace_terminating(status: &kube_client::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}
