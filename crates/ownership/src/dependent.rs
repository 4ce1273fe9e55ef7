//! [`Dependent`]: one object on the server, and the requests that claim it.

use kube_client::{
    Resource,
    api::{Patch, PatchParams},
    core::Request,
};
use serde::de::IgnoredAny;
use trimtab_cache::{Metadata, Object};

use crate::{
    patch::Body,
    reference::Dynamic,
    request::{RequestError, Requests},
    state::Wanted,
};

/// The place of a dependent on the server, and the UID under which it was cached.
pub(crate) struct Dependent<'a> {
    requests: &'a Requests,
    /// The collection's path.
    path: String,
    name: &'a str,
    uid: &'a str,
}

impl<'a> Dependent<'a> {
    pub(crate) fn new<T: Object>(requests: &'a Requests, object: &'a T, kind: &Dynamic<T>) -> Self {
        let metadata = object.metadata();
        let path = T::Kind::url_path(kind, metadata.namespace());
        Self { requests, path, name: metadata.name(), uid: metadata.uid() }
    }

    pub(crate) fn uid(&self) -> &str {
        self.uid
    }

    pub(crate) async fn read(
        &self,
    ) -> Result<k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, RequestError> {
        self.requests.read(&self.path, self.name).await
    }

    pub(crate) async fn patch(&self, body: &Body) -> Result<(), RequestError> {
        let (request, params) = (Request::new(&*self.path), PatchParams::default());
        let request = match body {
            Body::Strategic(body) => request.patch_metadata(self.name, &params, &Patch::Strategic(body)),
            Body::Merge(body) => request.patch_metadata(self.name, &params, &Patch::Merge(body)),
        };
        self.requests.send::<IgnoredAny>(request).await.map(drop)
    }

    /// Returns whether `error` says that the object no longer exists, so that there is nothing to adopt or release.
    ///
    /// After a conflict, or a refusal to change the UID, another object may have the name. A read decides.
    pub(crate) async fn is_gone(&self, wanted: Wanted, error: &RequestError) -> bool {
        match error.code() {
            Some(404) => true,
            // Nothing to release: no such reference, or the UID is that of a later object.
            Some(422) if wanted == Wanted::Release => true,
            Some(409 | 422) => match self.read().await {
                Ok(now) => now.uid() != self.uid,
                Err(error) => error.code() == Some(404),
            },
            _ => false,
        }
    }
}
