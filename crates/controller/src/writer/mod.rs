//! [`Writer`]: the writes of a controller, with everything that each of them needs.

use std::{any::type_name, fmt, sync::Arc, time::Duration};

use k8s_openapi::ClusterResourceScope;
use kube_client::{
    Client, Resource,
    api::{Patch, PatchParams, PostParams},
    core::Request,
};
use serde::{Serialize, de::DeserializeOwned};
use trimtab_cache::{Metadata, Object, ObjectKey};
use trimtab_leaderelection::{FenceLayer, Observer};
use trimtab_ownership::{dependent_name, set_controller_reference};

use self::{fenced::fenced, memory::Memories};
use crate::{
    own_writes::{OwnWrites, name_of},
    requests::{DEADLINE, RequestError, delete_by_uid, within},
    written::Written,
};

mod apply;
mod fenced;
mod fields;
mod memory;
mod status;

pub use apply::{Applied, Because};

/// The writes of a controller to its dependents.
///
/// Each write has the field manager, names the owner in a controller reference, and is recorded in the ledger of
/// [`OwnWrites`]. [`apply`](Self::apply) sends nothing where nothing is to change.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
/// # use kube_client::Client;
/// # use trimtab_controller::{Action, Error, OwnWrites, Request, Writer, gates, informer::Informer};
/// # fn config_map(_: &ConfigMap) -> Deployment { Deployment::default() }
/// # fn wire(client: Client, maps: Informer<ConfigMap>, deployments: Informer<Deployment>) {
/// let writes = OwnWrites::new(gates::ledger().name("web").build(), &maps).of(&deployments);
/// let writer = Writer::new(client.clone(), "web-controller").own_writes(writes.clone());
/// let (maps, deployments) = (maps.store().clone(), deployments.store().clone());
/// let reconcile = async move |request: Request| -> Result<Action, Error> {
///     let Some(map) = maps.get(&request.key) else { return Ok(Action::done()) };
///     writes.settled(&request.key, &client).await?; // parks the key until its earlier writes are in the cache
///     writer.apply(&*map, config_map(&map), &deployments).await?;
///     Ok(Action::done())
/// };
/// # drop(reconcile);
/// # }
/// ```
///
/// A handle: clones share the memory of what was applied. Keep it for as long as the process lives.
///
/// # Guarantees
///
/// 1. A write is in the ledger before it is sent, whatever becomes of it.
/// 2. Behind a [fence](Self::fence), no write is sent after the end of leadership.
/// 3. `apply` omits a request only if the object equals its own last successful apply, the cache has reached the version
///    of that apply, and every applied field still stands in the cache.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    field_manager: Arc<str>,
    writes: Option<OwnWrites>,
    transitions: Option<(Arc<str>, Observer)>,
    deadline: Duration,
    memories: Arc<Memories>,
}

impl Writer {
    /// Creates a writer with the name of its field manager, which is also in `managedFields`.
    pub fn new(client: Client, field_manager: &str) -> Self {
        Self {
            client,
            field_manager: field_manager.into(),
            writes: None,
            transitions: None,
            deadline: DEADLINE,
            memories: Arc::default(),
        }
    }

    /// Records each write in the ledger of `writes`.
    ///
    /// Creates and deletes are recorded for every kind, patches and applies for the kinds of
    /// [`OwnWrites::of`], whose caches can show their versions.
    #[must_use]
    pub fn own_writes(mut self, writes: OwnWrites) -> Self {
        self.writes = Some(writes);
        self
    }

    /// Refuses writes after the end of leadership: [`LeaderElector::fence`](trimtab_leaderelection::LeaderElector::fence).
    ///
    /// Not needed for a client that has the layer already.
    #[must_use]
    pub fn fence(mut self, fence: &FenceLayer) -> Self {
        self.client = fenced(self.client, fence);
        self
    }

    /// Writes the number of the Lease's transitions into the annotation `name` of every object that is created or applied:
    /// it says which leader has made the object.
    #[must_use]
    pub fn lease_transitions(mut self, name: &str, observer: Observer) -> Self {
        self.transitions = Some((name.into(), observer));
        self
    }

    /// Sets the time after which a request without a reply is given up. Default: 30 seconds; kube-client sets none. A writer
    /// with [`own_writes`](Self::own_writes) has [their limit](OwnWrites::request_timeout).
    #[must_use]
    pub fn request_timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns the name of the field manager.
    pub fn field_manager(&self) -> &str {
        &self.field_manager
    }

    /// Creates `dependent` for `owner`, in the namespace of the owner unless it has one.
    ///
    /// With a [`deterministic_name`], a create that is repeated makes no second object.
    ///
    /// # Errors
    ///
    /// The owner cannot be the controller of the dependent, or the request failed.
    ///
    /// # Cancel safety
    ///
    /// A `create` dropped before it completes counts as one with an unknown outcome.
    pub async fn create<O, K>(&self, owner: &O, dependent: K) -> Result<K, RequestError>
    where
        O: Object,
        <O::Kind as Resource>::DynamicType: Default,
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned,
    {
        self.send_create(owner, dependent).await
    }

    /// Creates `dependent` as [`create`](Self::create) does, and reads little of the reply: for a controller that finds the
    /// object in its cache.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    ///
    /// # Cancel safety
    ///
    /// As [`create`](Self::create).
    pub async fn create_written<O, K>(&self, owner: &O, dependent: K) -> Result<Written<K>, RequestError>
    where
        O: Object,
        <O::Kind as Resource>::DynamicType: Default,
        K: Resource<DynamicType = ()> + Serialize,
    {
        self.send_create(owner, dependent).await
    }

    /// Creates `dependent`, and reads the reply as an `R`.
    async fn send_create<O, K, R>(&self, owner: &O, dependent: K) -> Result<R, RequestError>
    where
        O: Object,
        <O::Kind as Resource>::DynamicType: Default,
        K: Resource<DynamicType = ()> + Serialize,
        R: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let dependent = self.annotated(self.owned(owner, dependent)?);
        let params =
            PostParams { field_manager: Some(self.field_manager.to_string()), ..PostParams::default() };
        let path = Self::path::<K>(dependent.meta().namespace.as_deref());
        let body = serde_json::to_vec(&dependent).map_err(kube_client::Error::SerdeError);
        let request =
            body.map_err(RequestError::Client).and_then(|body| built(path.create(&params, body)))?;
        let request = self.client.request::<R>(request);
        match &self.writes {
            Some(writes) => writes.create(&owner.key(), owner.metadata().uid(), request).await,
            None => within(self.deadline, request).await,
        }
    }

    /// Deletes `dependent` for `owner`. An object that does not exist (404) is deleted. A later object of the name stays.
    ///
    /// # Errors
    ///
    /// The request failed. A conflict (409) does not say that the object is gone.
    ///
    /// # Cancel safety
    ///
    /// A `delete` dropped before it completes counts as one with an unknown outcome.
    pub async fn delete<O, D>(&self, owner: &O, dependent: &D) -> Result<(), RequestError>
    where
        O: Object,
        D: Object,
        D::Kind: Resource<DynamicType = ()>,
    {
        let metadata = dependent.metadata();
        let params = delete_by_uid(metadata.uid());
        let path = Self::path::<D::Kind>(metadata.namespace());
        let request = built(path.delete(metadata.name(), &params))?;
        let request = async {
            let reply = self.client.request::<Written<D::Kind>>(request).await?;
            Ok(reply.meta().resource_version.clone())
        };
        match &self.writes {
            Some(writes) => {
                let (key, kind) = (owner.key(), name_of::<D::Kind>());
                writes.delete_by(&key, owner.metadata().uid(), kind, dependent, request).await
            }
            None => match within(self.deadline, request).await {
                Err(error) if !error.is_not_found() => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// Patches `dependent` for `owner`.
    ///
    /// A merge patch that replaces a list should name the `resourceVersion` that it is based on.
    ///
    /// # Errors
    ///
    /// The request failed.
    ///
    /// # Cancel safety
    ///
    /// A `patch` dropped before it completes counts as one with an unknown outcome.
    pub async fn patch<O, D, P>(
        &self,
        owner: &O,
        dependent: &D,
        patch: &Patch<P>,
    ) -> Result<D::Kind, RequestError>
    where
        O: Object,
        D: Object,
        D::Kind: Resource<DynamicType = ()> + DeserializeOwned,
        P: Serialize + fmt::Debug,
    {
        let metadata = dependent.metadata();
        let params =
            PatchParams { field_manager: Some(self.field_manager.to_string()), ..PatchParams::default() };
        let path = Self::path::<D::Kind>(metadata.namespace());
        let request = built(path.patch(metadata.name(), &params, patch))?;
        self.update(owner, self.client.request::<D::Kind>(request)).await
    }

    /// Sends a change of an object that exists, or may exist.
    async fn update<K: Resource<DynamicType = ()>>(
        &self,
        owner: &impl Object,
        request: impl Future<Output = kube_client::Result<K>>,
    ) -> Result<K, RequestError> {
        match &self.writes {
            Some(writes) => writes.update(&owner.key(), owner.metadata().uid(), request).await,
            None => within(self.deadline, request).await,
        }
    }

    /// Sets the namespace and the controller reference of a dependent.
    fn owned<O, K>(&self, owner: &O, mut dependent: K) -> Result<K, RequestError>
    where
        O: Object,
        <O::Kind as Resource>::DynamicType: Default,
        K: Resource,
    {
        let metadata = dependent.meta_mut();
        if metadata.namespace.is_none() && !is_cluster_scoped::<K>() {
            metadata.namespace = owner.metadata().namespace().map(str::to_owned);
        }
        set_controller_reference(owner, metadata).map_err(RequestError::Owner)?;
        Ok(dependent)
    }

    fn annotated<K: Resource>(&self, mut dependent: K) -> K {
        if let Some((name, observer)) = &self.transitions
            && let Some(transitions) = observer.transitions()
        {
            let annotations = dependent.meta_mut().annotations.get_or_insert_default();
            annotations.insert(name.to_string(), transitions.to_string());
        }
        dependent
    }

    fn path<K: Resource<DynamicType = ()>>(namespace: Option<&str>) -> Request {
        Request::new(K::url_path(&(), namespace))
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("field_manager", &self.field_manager)
            .field("own_writes", &self.writes)
            .finish_non_exhaustive()
    }
}

/// Returns the name of `owner`'s dependent number `index`: always the same for the same owner, by UID, and index.
///
/// With such names a create that is repeated after a lost reply makes no second object: the server refuses it with 409. See
/// [`dependent_name`].
pub fn deterministic_name(owner: &impl Object, index: u32) -> String {
    let metadata = owner.metadata();
    dependent_name(metadata.name(), metadata.uid(), index)
}

/// By name, because [`Resource::Scope`] need not be `'static`, as a `TypeId` needs it.
fn is_cluster_scoped<K: Resource>() -> bool {
    type_name::<K::Scope>() == type_name::<ClusterResourceScope>()
}

fn built<T>(request: Result<T, kube_client::core::request::Error>) -> Result<T, RequestError> {
    request.map_err(kube_client::Error::BuildRequest).map_err(RequestError::Client)
}

/// Returns the key of a dependent whose namespace is set.
fn key_of<K: Resource>(dependent: &K) -> ObjectKey {
    ObjectKey::from(dependent.meta())
}
