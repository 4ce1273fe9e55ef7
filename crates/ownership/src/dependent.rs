//! [`Dependent`]: one object on the server, as far as claiming it goes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_client::{
    Client, Resource,
    api::{GetParams, Patch, PatchParams},
    core::Request,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use trimtab_cache::{Metadata, Object};

use crate::{
    error::{Wanted, code},
    reference::Dynamic,
};

/// Where a dependent is found on the server, and which object it was when it was cached.
pub(crate) struct Dependent<'a> {
    client: &'a Client,
    /// The collection's path.
    path: String,
    name: &'a str,
    uid: &'a str,
}

impl<'a> Dependent<'a> {
    pub(crate) fn new<T: Object>(client: &'a Client, object: &'a T, kind: &Dynamic<T>) -> Self {
        let metadata = object.metadata();
        let path = T::Kind::url_path(kind, metadata.namespace());
        Self { client, path, name: metadata.name(), uid: metadata.uid() }
    }

    pub(crate) fn uid(&self) -> &str {
        self.uid
    }

    pub(crate) async fn read(&self) -> kube_client::Result<ObjectMeta> {
        read(self.client, &self.path, self.name).await
    }

    pub(crate) async fn patch(&self, body: &Value) -> kube_client::Result<()> {
        let request = Request::new(&*self.path)
            .patch_metadata(self.name, &PatchParams::default(), &Patch::Merge(body))
            .map_err(kube_client::Error::BuildRequest)?;
        self.client.request::<IgnoredAny>(request).await?;
        Ok(())
    }

    /// Whether `error` says that the object is no more, so that there is nothing to adopt or release.
    ///
    /// A conflict says that it has changed, or that another object has its name by now, and so may a
    /// refusal to change the UID: only reading it again tells which.
    pub(crate) async fn is_gone(&self, wanted: Wanted, error: &kube_client::Error) -> bool {
        match code(error) {
            Some(404) => true,
            // Nothing of ours is there: no such reference, or the UID is that of a later object.
            Some(422) if wanted == Wanted::Release => true,
            Some(409 | 422) => match self.read().await {
                Ok(now) => now.uid() != self.uid,
                Err(error) => code(&error) == Some(404),
            },
            _ => false,
        }
    }
}

/// Reads the metadata of one object from the server.
pub(crate) async fn read(client: &Client, path: &str, name: &str) -> kube_client::Result<ObjectMeta> {
    #[derive(Deserialize)]
    struct Partial {
        metadata: ObjectMeta,
    }

    let request = Request::new(path)
        .get_metadata(name, &GetParams::default())
        .map_err(kube_client::Error::BuildRequest)?;
    Ok(client.request::<Partial>(request).await?.metadata)
}
