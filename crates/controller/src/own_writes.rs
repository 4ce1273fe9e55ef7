//! [`OwnWrites`]: a controller's creates and deletes of its dependents, until the informers' caches show them.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube_client::{Api, Client, Resource, api::ListParams, core::Request};
use serde::{Deserialize, de::DeserializeOwned};
use trimtab_cache::{Change, MetaView, Metadata, Object, ObjectKey, ResourceVersion};
use trimtab_expectations::{NotReady, Reason};
use trimtab_informer::Informer;

use crate::{
    Error, Ledger,
    requests::{DEADLINE, RequestError, delete_by_uid, within},
    source::owner::OwnerLookup,
};

use gone::GoneOwners;
pub(crate) use report::name_of;
use report::{observe, report, version};

mod gone;
mod report;

/// The largest number of objects that are read to settle an unknown outcome.
const PAGE: u32 = 500;

/// The time until the next read, where the cache still lacks a deletion.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The time after which a key looks again whose owner is gone, if no event tells it before.
const OWNER_IS_GONE: Duration = Duration::from_secs(30);

/// A controller's creates and deletes of its dependents, recorded in a [`Ledger`] until the informers' caches show them.
///
/// A handle: clones share the same ledger. Make it before the informers start, and keep it for as long as the process
/// lives: a new term of leadership must not forget the writes of the last one.
///
/// ```no_run
/// # use std::time::Duration;
/// # use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
/// # use kube_client::{Api, Client, api::PostParams};
/// # use trimtab_controller::{Action, Error, OwnWrites, Request, cache::{Metadata, Object}, gates, informer::Informer};
/// # async fn sync(client: Client, sets: Informer<ReplicaSet>, pods: Informer<Pod>, request: Request, web: ReplicaSet)
/// # -> Result<Action, Error> {
/// let writes = OwnWrites::new(gates::ledger().name("web").build(), &sets).of(&pods);
///
/// // In the reconciler: act only if the cache shows all earlier writes.
/// if let Some(delay) = writes.wait(&request.key, &client).await? {
///     return Ok(Action::requeue_after(delay)); // an event wakes the key earlier
/// }
/// let api: Api<Pod> = Api::default_namespaced(client);
/// let (pod, params) = (Pod::default(), PostParams::default());
/// writes.create(&request.key, web.metadata().uid(), api.create(&params, &pod)).await?;
/// # Ok(Action::done())
/// # }
/// ```
#[derive(Clone)]
pub struct OwnWrites {
    ledger: Ledger,
    owners: OwnerLookup,
    gone: GoneOwners,
    kinds: Vec<Arc<Kind>>,
    deadline: Duration,
}

/// Maps a namespace to UIDs.
type Uids = dyn Fn(&str) -> Vec<String> + Send + Sync;

/// A kind of dependents.
struct Kind {
    /// The plural name, by which the ledger knows the kind.
    name: &'static str,
    /// Returns the version of the cache.
    version: Box<dyn Fn() -> Option<ResourceVersion> + Send + Sync>,
    /// Returns the UIDs of the cached objects in a namespace.
    uids: Box<Uids>,
    /// Returns the path of the collection in a namespace.
    path: fn(Option<&str>) -> String,
}

impl OwnWrites {
    /// The writes of the controller of `owners`' objects, recorded in `ledger`. The record of an owner ends with it.
    pub fn new<T: Object + DeserializeOwned>(ledger: Ledger, owners: &Informer<T>) -> Self
    where
        <T::Kind as Resource>::DynamicType: Default + Clone,
    {
        let gone = GoneOwners::of(owners.store());
        let (writes, gone_owners) = (ledger.clone(), gone.clone());
        owners.on_change(move |event| {
            gone_owners.forget(&event.key());
            match &event.change {
                // A namesake under another UID is another owner.
                Change::Updated { old, new } if old.metadata().uid() != new.metadata().uid() => {
                    writes.clear(&new.key(), Some(old.metadata().uid()));
                }
                Change::Deleted(_) | Change::UndecodableDeleted(_) => {
                    writes.clear(&event.key(), Some(event.metadata().uid()));
                }
                Change::Added(_) | Change::Updated { .. } | Change::Undecodable(_) => {}
            }
        });
        let owners = OwnerLookup::new_with(owners, &Default::default());
        Self { ledger, owners, gone, kinds: Vec::new(), deadline: DEADLINE }
    }

    /// Adds a kind of dependents: the informer's events and versions show what has become of the writes.
    pub fn of<T: Object + DeserializeOwned>(mut self, dependents: &Informer<T>) -> Self
    where
        T::Kind: Resource<DynamicType = ()>,
    {
        let name = name_of::<T::Kind>();
        let ledger = self.ledger.clone();
        dependents.on_progress(move |version| {
            if let Ok(version) = version.parse() {
                ledger.reached(&name, version);
            }
        });
        let (ledger, owners) = (self.ledger.clone(), self.owners.clone());
        dependents.on_change(move |event| observe(&ledger, &owners, name, event));
        let store = dependents.store().clone();
        self.kinds.push(Arc::new(Kind {
            name,
            version: {
                let store = store.clone();
                Box::new(move || store.resource_version()?.parse().ok())
            },
            uids: Box::new(move |namespace| {
                store
                    .in_namespace(namespace)
                    .iter()
                    .map(|object| object.metadata().uid().to_owned())
                    .collect()
            }),
            path: |namespace| T::Kind::url_path(&(), namespace),
        }));
        self
    }

    /// Sets the time after which a request without a reply is given up. Default: 30 seconds; kube-client sets none.
    pub fn request_timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The ledger: wire it with [`Controller::woken_by`](crate::Controller::woken_by).
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Asks whether `key` may create and delete: `None` if it may, else the time after which to ask again if no event
    /// wakes the key before. A key that waits may still write its status.
    ///
    /// A key whose owner the server does not have ([`owner_not_found`](Self::owner_not_found)) waits until an event tells the
    /// cache.
    ///
    /// Ask before you read the caches: an event in between makes them newer, not older. If the outcome of an earlier
    /// write is unknown, one read of the server settles it.
    ///
    /// # Errors
    ///
    /// The server could not be read.
    ///
    /// # Cancel safety
    ///
    /// A `wait` dropped before it completes has changed nothing.
    pub async fn wait(&self, key: &ObjectKey, client: &Client) -> Result<Option<Duration>, RequestError> {
        if self.gone.contains(key) {
            return Ok(Some(OWNER_IS_GONE));
        }
        for _ in 0..=self.kinds.len() {
            let Err(wait) = self.ready(key) else { return Ok(None) };
            let Some(kind) = wait.unknown().and_then(|name| self.kind(name)) else {
                return Ok(Some(wait.expires_in()));
            };
            let is_closed = matches!(wait.reason(), Reason::Closed { .. });
            match self.read(kind, key.namespace().filter(|_| !is_closed), key, client).await? {
                Some(version) => self.ledger.resolve(key, &kind.name, version),
                None => return Ok(Some(READ_AGAIN.min(wait.expires_in()))),
            }
        }
        Ok(self.ready(key).err().map(|wait| wait.expires_in()))
    }

    /// Asks whether `key` may create and delete, as [`wait`](Self::wait) does, for `?` in a reconciler: the error parks
    /// the key until an event wakes it ([`Error::waiting`]).
    ///
    /// # Errors
    ///
    /// The key must wait, or the server could not be read.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    pub async fn settled(&self, key: &ObjectKey, client: &Client) -> Result<(), Error> {
        match self.wait(key, client).await? {
            None => Ok(()),
            Some(limit) => Err(match self.ready(key) {
                _ if self.gone.contains(key) => Error::waiting(
                    limit,
                    "the server does not have the owner any more, which the cache still shows",
                ),
                Err(wait) => Error::waiting(limit, wait),
                Ok(()) => Error::waiting(limit, "the cache lacks a deletion whose outcome was unknown"),
            }),
        }
    }

    fn ready(&self, key: &ObjectKey) -> Result<(), NotReady<&'static str, ResourceVersion>> {
        self.ledger.ready(key, |name| (self.kind(name)?.version)())
    }

    /// Sends a create for the owner `key` with the UID `uid`, and records it until the cache shows the object.
    ///
    /// # Errors
    ///
    /// The create failed. A refusal that says that the namespace is terminating is an error, too; the ledger leaves
    /// its expectation to the time to live, as upstream does.
    ///
    /// # Cancel safety
    ///
    /// A `create` dropped before it completes counts as one with an unknown outcome: the key waits until a read has
    /// settled it.
    pub async fn create<K: Resource<DynamicType = ()>>(
        &self,
        key: &ObjectKey,
        uid: &str,
        request: impl Future<Output = kube_client::Result<K>>,
    ) -> Result<K, RequestError> {
        let write = self.ledger.expect_creation(key, uid, name_of::<K>());
        let created = within(self.deadline, request).await;
        report(write, created.as_ref().map(|object| version(object.meta().resource_version.as_deref())));
        created
    }

    /// Sends a change of a dependent for the owner `key` with the UID `uid`, and records it until the cache has reached the
    /// version in the reply. A kind that was not added with [`of`](Self::of) is not recorded.
    ///
    /// # Errors
    ///
    /// The request failed.
    ///
    /// # Cancel safety
    ///
    /// As [`create`](Self::create).
    pub async fn update<K: Resource<DynamicType = ()>>(
        &self,
        key: &ObjectKey,
        uid: &str,
        request: impl Future<Output = kube_client::Result<K>>,
    ) -> Result<K, RequestError> {
        let name = name_of::<K>();
        if self.kind(name).is_none() {
            return within(self.deadline, request).await;
        }
        let write = self.ledger.expect_update(key, uid, name);
        let updated = within(self.deadline, request).await;
        report(write, updated.as_ref().map(|object| version(object.meta().resource_version.as_deref())));
        updated
    }

    /// Deletes `dependent` for the owner `key` with the UID `uid`, and records the delete until the cache shows the object
    /// as gone or as being deleted. An object that does not exist (404) is deleted.
    ///
    /// The delete names the dependent's UID: a later object of its name stays.
    ///
    /// # Errors
    ///
    /// The delete failed. A conflict (409) does not say that the object is gone.
    ///
    /// # Cancel safety
    ///
    /// As [`create`](Self::create).
    pub async fn delete<K>(
        &self,
        key: &ObjectKey,
        uid: &str,
        api: &Api<K>,
        dependent: &impl Object,
    ) -> Result<(), RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + fmt::Debug,
    {
        let (name, params) = {
            let dependent = dependent.metadata();
            (dependent.name().to_owned(), delete_by_uid(dependent.uid()))
        };
        let request = async {
            let reply = api.delete(&name, &params).await?;
            Ok(reply.left().and_then(|object| object.meta().resource_version.clone()))
        };
        self.delete_by(key, uid, name_of::<K>(), dependent, request).await
    }

    /// Sends `request`, which deletes `dependent` of the kind `name` and returns the version of the object in the reply; see
    /// [`delete`](Self::delete).
    pub(crate) async fn delete_by(
        &self,
        key: &ObjectKey,
        uid: &str,
        name: &'static str,
        dependent: &impl Object,
        request: impl Future<Output = kube_client::Result<Option<String>>>,
    ) -> Result<(), RequestError> {
        let (write, seen) = {
            let dependent = dependent.metadata();
            let write = self.ledger.expect_deletion(key, uid, name, dependent.uid());
            (write, version(Some(dependent.resource_version())))
        };
        let deleted = within(self.deadline, request).await;
        // The reply to a delete that removed the object at once may carry the version before.
        let newer = |text: &Option<String>| version(text.as_deref()).filter(|now| Some(now) > seen.as_ref());
        report(write, deleted.as_ref().map(newer));
        match deleted {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Notes that a write to the owner `key` itself found no object with the UID `uid` (404), so that the key creates and
    /// deletes nothing for it while the cache still shows it. [`Writer::patch_status`](crate::Writer::patch_status) calls it.
    ///
    /// Without it, a stale cache is a hot loop: the garbage collector removes what an owner that is gone creates, and each
    /// removal starts the next reconcile.
    pub fn owner_not_found(&self, key: &ObjectKey, uid: &str) {
        self.gone.note(key, uid);
    }

    /// Forgets the writes of an owner that no longer exists. The informer's events do so, too, if they are not missed.
    pub fn clear(&self, key: &ObjectKey) {
        self.ledger.clear(key, None);
        self.gone.forget(key);
    }

    fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().map(|kind| &**kind).find(|kind| kind.name == name)
    }

    /// Reads the objects of a kind from the server, and returns the version at which the cache shows every write that was
    /// committed before. `None` if the cache lacks a deletion, whose version the list does not have.
    ///
    /// The version of the list itself would do, but no cache reaches it before the next event or bookmark: a minute, where
    /// nothing else is written. So the newest version of the listed objects counts. Where they do not fit into one page,
    /// the version of the list counts.
    ///
    /// `scope` is the namespace of the writes in question; `None` for all namespaces, as after a restart.
    async fn read(
        &self,
        kind: &Kind,
        scope: Option<&str>,
        key: &ObjectKey,
        client: &Client,
    ) -> Result<Option<ResourceVersion>, RequestError> {
        #[derive(Deserialize)]
        struct List {
            metadata: ListMeta,
            /// Null if a kube-apiserver has no object: Go appends to a list that is nil.
            items: Option<Vec<Item>>,
        }
        #[derive(Deserialize)]
        struct Item {
            metadata: MetaView,
        }

        let page = ListParams::default().limit(PAGE);
        let request = Request::new((kind.path)(key.namespace())).list_metadata(&page);
        let request = request.map_err(kube_client::Error::BuildRequest).map_err(RequestError::Client)?;
        let List { metadata, items } = within(self.deadline, client.request::<List>(request)).await?;
        let items = items.unwrap_or_default();
        let of_list = version(metadata.resource_version.as_deref());
        let is_whole = metadata.continue_.is_none_or(|more| more.is_empty());
        let Some(namespace) = scope.filter(|_| is_whole) else { return Ok(of_list) };
        let listed: HashSet<&str> = items.iter().map(|item| item.metadata.uid()).collect();
        if (kind.uids)(namespace).iter().any(|uid| !listed.contains(uid.as_str())) {
            return Ok(None);
        }
        let newest = items.iter().filter_map(|item| version(Some(item.metadata.resource_version()))).max();
        // Without objects, the cache shows that there are none.
        Ok(newest.or_else(|| (kind.version)()).or(of_list))
    }
}

impl fmt::Debug for OwnWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name).collect();
        f.debug_struct("OwnWrites")
            .field("ledger", &self.ledger)
            .field("kinds", &kinds)
            .finish_non_exhaustive()
    }
}
