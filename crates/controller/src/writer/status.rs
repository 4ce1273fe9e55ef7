//! The writes of a status: [`Writer::patch_status`] and [`Writer::overwrite_status`].

use kube_client::{
    Resource,
    api::{GetParams, Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use trimtab_cache::{Metadata, Object};

use super::{Writer, built};
use crate::{
    conditions::status_patch,
    own_writes::OwnWrites,
    requests::{RequestError, within},
    written::Written,
};

impl Writer {
    /// Writes the status of `object` if `new` differs from `old`, the status in `object`: see
    /// [`patch_status`](crate::patch_status). Returns `None` if nothing was sent.
    ///
    /// # Errors
    ///
    /// The request failed. After a conflict (409), reconcile again.
    ///
    /// # Cancel safety
    ///
    /// A `patch_status` dropped before it completes may have written the status.
    pub async fn patch_status<K, S>(
        &self,
        object: &K,
        old: Option<&S>,
        new: &S,
    ) -> Result<Option<K>, RequestError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static,
        S: Serialize,
    {
        let Some(body) = status_patch(object, old, new)? else { return Ok(None) };
        let written = self.send_status::<K, K>(object, body).await;
        if written.as_ref().is_err_and(RequestError::is_not_found) {
            self.note_gone(object);
        }
        written.map(Some)
    }

    /// Writes fields of the status of `object`, whatever the server has in them: for a controller that alone writes the
    /// statuses of a kind.
    ///
    /// `status` returns the fields for a state of the object, or `None` if that state needs no write. Fields that it does not
    /// return stay; `null` removes one. The patch names the UID of the object but not its version, so that a change of the
    /// spec in the meantime is no conflict. After a 409 or a 422 the object is read from the server, and `status` called with
    /// that state, once.
    ///
    /// An object that is gone, or whose name a later object has, needs no status, and that is no error. With
    /// [`own_writes`](Self::own_writes) its key creates nothing more while the cache still shows it.
    ///
    /// ```no_run
    /// # use k8s_openapi::api::apps::v1::ReplicaSet;
    /// # use serde_json::json;
    /// # use trimtab_controller::{RequestError, Writer};
    /// # async fn run(writer: Writer, web: ReplicaSet) -> Result<(), RequestError> {
    /// let replicas = 3;
    /// let status = |set: &ReplicaSet| {
    ///     let before = set.status.as_ref().map(|status| status.replicas);
    ///     let generation = set.metadata.generation;
    ///     (before != Some(replicas)).then(|| json!({"replicas": replicas, "observedGeneration": generation}))
    /// };
    /// writer.overwrite_status(&web, status).await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request failed; after a 409 or a 422, the second one, too.
    ///
    /// # Cancel safety
    ///
    /// An `overwrite_status` dropped before it completes may have written the status.
    pub async fn overwrite_status<K, S>(
        &self,
        object: &K,
        status: impl Fn(&K) -> Option<S>,
    ) -> Result<(), RequestError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static,
        S: Serialize,
    {
        let mut written = self.overwrite(object, status(object)).await;
        // 422: the name is that of a later object, whose UID must not change.
        if written.as_ref().is_err_and(|error| matches!(error.code(), Some(409 | 422))) {
            written = match self.read(object).await {
                Ok(now) if now.meta().uid == object.meta().uid => self.overwrite(&now, status(&now)).await,
                Ok(_later) => {
                    self.note_gone(object);
                    Ok(())
                }
                Err(error) => Err(error),
            };
        }
        if written.as_ref().is_err_and(RequestError::is_not_found) {
            self.note_gone(object);
            return Ok(());
        }
        written
    }

    async fn overwrite<K, S>(&self, object: &K, status: Option<S>) -> Result<(), RequestError>
    where
        K: Resource<DynamicType = ()> + Send + Sync + 'static,
        S: Serialize,
    {
        let Some(status) = status else { return Ok(()) };
        let status = serde_json::to_value(status).map_err(kube_client::Error::SerdeError);
        let status = status.map_err(RequestError::Client)?;
        let body = json!({"metadata": {"uid": object.meta().uid}, "status": status});
        self.send_status::<K, Written<K>>(object, body).await.map(drop)
    }

    /// Sends a merge patch of the status of an object, and reads the reply as an `R`.
    async fn send_status<K, R>(&self, object: &K, body: Value) -> Result<R, RequestError>
    where
        K: Resource<DynamicType = ()> + Send + Sync + 'static,
        R: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let params =
            PatchParams { field_manager: Some(self.field_manager.to_string()), ..PatchParams::default() };
        let path = Self::path::<K>(object.metadata().namespace());
        let patch = Patch::Merge(body);
        let request = built(path.patch_subresource("status", object.metadata().name(), &params, &patch))?;
        self.update(object, self.client.request::<R>(request)).await
    }

    /// Reads the object that has the name of `object` now.
    async fn read<K>(&self, object: &K) -> Result<K, RequestError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static,
    {
        let path = Self::path::<K>(object.metadata().namespace());
        let request = built(path.get(object.metadata().name(), &GetParams::default()))?;
        let deadline = self.writes.as_ref().map_or(self.deadline, OwnWrites::deadline);
        within(deadline, self.client.request::<K>(request)).await
    }

    fn note_gone(&self, object: &impl Object) {
        if let Some(writes) = &self.writes {
            writes.owner_not_found(&object.key(), object.metadata().uid());
        }
    }
}
