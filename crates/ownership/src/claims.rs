//! [`Claims`]: looks each dependent up in the claim table and sends the patches that it asks for.

use std::{
    error, fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::{Client, Resource};
use tracing::debug;
use trimtab_cache::{Metadata, Object, Selector};

use crate::{
    ClaimError, ClaimFailure, OwnerIndex, ReferenceError,
    adoption::{Adoption, recheck},
    controller_reference_with,
    dependent::Dependent,
    error::Cause,
    groups::is_built_in,
    in_order::in_order,
    index::Controlled,
    known::Known,
    patch::{Base, Claim},
    reference::Dynamic,
    request::{DEADLINE, RequestError, Requests},
    state::{Controller, Decision, Facts, Wanted},
};

/// The number of patches that are sent at once unless set otherwise.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).expect("32 is not zero");

/// One owner's claims on its dependents, for the length of one sync.
///
/// Make a new value for each sync, from the owner as the cache shows it: upstream's
/// `ControllerRefManager`. The check whether the owner may adopt is made at most once, and only before an
/// adoption.
pub struct Claims {
    requests: Requests,
    /// The owner's kind, key and UID, for messages.
    owner: Arc<str>,
    claim: Claim,
    /// `None` for a cluster-scoped owner.
    namespace: Option<String>,
    being_deleted: bool,
    selector: Selector,
    adoption: Adoption,
    concurrency: NonZeroUsize,
    require_version: bool,
    /// The server has refused a strategic merge patch (415).
    merge_only: AtomicBool,
}

impl Claims {
    /// Creates the claims of `owner` on objects that `selector` matches.
    ///
    /// Before the first adoption the owner is read from the server, not from a cache: one that was
    /// replaced or is being deleted must not adopt, and its cached state may not show that yet.
    ///
    /// # Errors
    ///
    /// If the owner has no name or no UID, so that nothing can refer to it.
    pub fn new<O: Object>(client: Client, owner: &O, selector: Selector) -> Result<Self, ReferenceError>
    where
        Dynamic<O>: Default,
    {
        Self::new_with(client, owner, &Dynamic::<O>::default(), selector)
    }

    /// [`Claims::new`] for an owner whose kind is known at run time only.
    ///
    /// # Errors
    ///
    /// If the owner has no name or no UID.
    pub fn new_with<O: Object>(
        client: Client,
        owner: &O,
        kind: &Dynamic<O>,
        selector: Selector,
    ) -> Result<Self, ReferenceError> {
        let reference = controller_reference_with(owner, kind)?;
        let metadata = owner.metadata();
        let namespace = metadata.namespace().map(ToOwned::to_owned);
        let path = O::Kind::url_path(kind, namespace.as_deref());
        let requests = Requests::new(client, DEADLINE);
        let OwnerReference { kind, name, uid, .. } = &reference;
        Ok(Self {
            owner: format!("{kind} {} (uid {uid})", owner.key()).into(),
            namespace,
            being_deleted: metadata.is_being_deleted(),
            selector,
            adoption: recheck(requests.clone(), path, name.clone(), uid.clone()),
            requests,
            claim: Claim { reference, finalizers: Vec::new() },
            concurrency: CONCURRENCY,
            require_version: false,
            merge_only: AtomicBool::new(false),
        })
    }

    /// The number of patches that are sent at once. Default: 32.
    #[must_use]
    pub fn concurrency(mut self, patches: NonZeroUsize) -> Self {
        self.concurrency = patches;
        self
    }

    /// Sets the time after which a request without a reply fails. Default: 30 seconds; kube-client sets
    /// none.
    #[must_use]
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.requests.set_deadline(timeout);
        self
    }

    /// Also requires that a dependent has the resource version that the cache shows.
    ///
    /// Default: off, as upstream. Every patch names the UID, so a later object of the same name is never
    /// touched, and a patch of a built-in kind adds or removes a single reference, so no other owner's is
    /// lost. With the version, a dependent that was merely touched since it was cached is a conflict (409):
    /// the claim fails and is repeated until the cache has caught up.
    #[must_use]
    pub fn require_version(mut self, require: bool) -> Self {
        self.require_version = require;
        self
    }

    /// Also adds `finalizers` to each adopted dependent, and removes them from each released one.
    ///
    /// A custom resource is read before it is patched, since a cache need not hold its finalizers.
    #[must_use]
    pub fn finalizers<F: Into<String>>(mut self, finalizers: impl IntoIterator<Item = F>) -> Self {
        self.claim.finalizers = finalizers.into_iter().map(Into::into).collect();
        self
    }

    /// Calls `hook` to check whether the owner may adopt, instead of reading the owner from the server.
    ///
    /// It is called at most once, before the first adoption; its error holds for all later ones.
    #[must_use]
    pub fn can_adopt<F, E>(mut self, hook: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        self.adoption = Adoption::new(hook);
        self
    }

    /// Returns the dependents of the owner among `objects`, after adopting and releasing.
    ///
    /// An orphan that matches is adopted. A dependent of the owner that does not match is released. A
    /// dependent of another controller is left alone. An owner that is being deleted neither adopts nor
    /// releases. An object that turns out to be gone is not claimed, and that is no error. The list holds the
    /// objects as they were given, in their order: the reference of an adopted one arrives with its next
    /// event.
    ///
    /// # Errors
    ///
    /// If an adoption was denied or a patch failed. The rest of the list is processed all the same; the
    /// error holds the claimed dependents and every failure.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, some patches may have been sent. Each is complete in itself, and the next sync
    /// continues from there.
    pub async fn claim<T: Object>(
        &self,
        objects: impl IntoIterator<Item = Arc<T>>,
    ) -> Result<Vec<Arc<T>>, ClaimError<T>>
    where
        Dynamic<T>: Default,
    {
        self.claim_with(objects, &Dynamic::<T>::default(), |_| true).await
    }

    /// [`claim`](Self::claim) for the objects of an index: those that the owner controls, and the orphans that it may adopt.
    ///
    /// It reads less of each object than [`claim`](Self::claim) of
    /// [`OwnerIndex::candidates`](crate::OwnerIndex::candidates), as the index knows the controller.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim).
    ///
    /// # Cancel safety
    ///
    /// As [`claim`](Self::claim).
    pub async fn claim_from<T: Object>(&self, index: &OwnerIndex<T>) -> Result<Vec<Arc<T>>, ClaimError<T>>
    where
        Dynamic<T>: Default,
    {
        self.claim_from_with(index, &Dynamic::<T>::default(), |_| true).await
    }

    /// [`claim_from`](Self::claim_from), where an object must also pass `filter` to match.
    ///
    /// The filter is called only for objects that the selector matches. `kind` is the dynamic type of the objects: `&()`
    /// for types of k8s-openapi.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim).
    ///
    /// # Cancel safety
    ///
    /// As [`claim`](Self::claim).
    pub async fn claim_from_with<T: Object>(
        &self,
        index: &OwnerIndex<T>,
        kind: &Dynamic<T>,
        filter: impl Fn(&T) -> bool,
    ) -> Result<Vec<Arc<T>>, ClaimError<T>> {
        let Controlled { objects, have_equal_labels } = index.controlled(&self.claim.reference.uid);
        // The Pods of one template usually have equal labels. To read the labels of each would take most of a claim's time.
        let selected = match objects.first() {
            Some(first) if have_equal_labels => Some(first.metadata().matches(&self.selector)),
            _ => None,
        };
        let orphans = index.orphans(self.namespace.as_deref());
        let own = objects.into_iter().map(|object| Known { controller: Controller::Us, selected, object });
        let orphans = orphans.into_iter().map(|object| Known::new(Controller::Nobody, object));
        self.claim_known(own.chain(orphans), kind, filter).await
    }

    /// [`claim`](Self::claim), where an object must also pass `filter` to match.
    ///
    /// The filter is called only for objects that the selector matches. `kind` is the dynamic type of the objects: `&()`
    /// for types of k8s-openapi.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim).
    ///
    /// # Cancel safety
    ///
    /// As [`claim`](Self::claim).
    pub async fn claim_with<T: Object>(
        &self,
        objects: impl IntoIterator<Item = Arc<T>>,
        kind: &Dynamic<T>,
        filter: impl Fn(&T) -> bool,
    ) -> Result<Vec<Arc<T>>, ClaimError<T>> {
        let known =
            objects.into_iter().map(|object| Known::new(self.controller_of(object.metadata()), object));
        self.claim_known(known, kind, filter).await
    }

    /// Claims objects whose controllers are known.
    async fn claim_known<T: Object>(
        &self,
        objects: impl Iterator<Item = Known<T>>,
        kind: &Dynamic<T>,
        filter: impl Fn(&T) -> bool,
    ) -> Result<Vec<Arc<T>>, ClaimError<T>> {
        // A write keeps its place: the number of dependents before it that need none.
        let (mut kept, mut writes) = (Vec::with_capacity(objects.size_hint().0), Vec::new());
        for Known { controller, selected, object } in objects {
            let metadata = object.metadata();
            let matches = || selected.unwrap_or_else(|| metadata.matches(&self.selector)) && filter(&object);
            let wanted = match self.decide(controller, metadata, matches) {
                Decision::Leave => continue,
                Decision::Keep => {
                    kept.push(object);
                    continue;
                }
                Decision::Adopt => Wanted::Adopt,
                Decision::Release => Wanted::Release,
            };
            writes.push((kept.len(), wanted, object));
        }
        let (mut adopted, mut failures) = (Vec::new(), Vec::new());
        let requests: Vec<_> = writes.into_iter().map(|write| self.carry_out(write, kind)).collect();
        let mut written = stream::iter(requests).buffered(self.concurrency.get());
        while let Some((place, wanted, object, result)) = written.next().await {
            match result {
                Ok(true) => adopted.push((place, object)),
                Ok(false) => {}
                Err(cause) => failures.push(ClaimFailure { key: object.key(), wanted, cause }),
            }
        }
        let claimed = in_order(kept, adopted);
        if failures.is_empty() {
            return Ok(claimed);
        }
        Err(ClaimError { owner: Arc::clone(&self.owner), claimed, failures })
    }

    fn controller_of(&self, metadata: &impl Metadata) -> Controller {
        match metadata.controller() {
            None => Controller::Nobody,
            Some(controller) if controller.uid == self.claim.reference.uid => Controller::Us,
            Some(_) => Controller::Another,
        }
    }

    fn decide(
        &self,
        controller: Controller,
        metadata: &impl Metadata,
        matches: impl FnOnce() -> bool,
    ) -> Decision {
        let is_orphan = controller == Controller::Nobody;
        let facts = Facts {
            controller,
            matches: controller != Controller::Another && matches(),
            owner_being_deleted: self.being_deleted,
            // Only for orphans: each more field of a dependent that is read costs a wait for memory.
            dependent_being_deleted: is_orphan && metadata.is_being_deleted(),
            in_reach: is_orphan
                && (self.namespace.is_none() || self.namespace.as_deref() == metadata.namespace()),
        };
        facts.decide()
    }

    /// Adopts or releases a dependent, and says whether it is the owner's now.
    async fn carry_out<T: Object>(
        &self,
        (place, wanted, object): (usize, Wanted, Arc<T>),
        kind: &Dynamic<T>,
    ) -> (usize, Wanted, Arc<T>, Result<bool, Cause>) {
        let result = self.send(wanted, &*object, kind).await;
        (place, wanted, object, result)
    }

    async fn send<T: Object>(&self, wanted: Wanted, object: &T, kind: &Dynamic<T>) -> Result<bool, Cause> {
        if wanted == Wanted::Adopt {
            self.adoption.allowed(&self.owner).await.map_err(Cause::Denied)?;
        }
        let dependent = Dependent::new(&self.requests, object, kind);
        let built_in = is_built_in(&T::Kind::group(kind));
        let ours = match self.write(wanted, Base::cached(object.metadata()), &dependent, built_in).await {
            Ok(ours) => ours,
            Err(error) if dependent.is_gone(wanted, &error).await => false,
            Err(error) => return Err(Cause::Request(error)),
        };
        debug!(owner = %self.owner, dependent = %object.key(), ?wanted, ours, "claimed");
        Ok(ours)
    }

    async fn write(
        &self,
        wanted: Wanted,
        base: Base,
        dependent: &Dependent<'_>,
        built_in: bool,
    ) -> Result<bool, RequestError> {
        if built_in && !self.merge_only.load(Relaxed) {
            let version = self.require_version.then(|| base.resource_version());
            let body = self.claim.strategic(wanted, dependent.uid(), version);
            match dependent.patch(&body).await {
                // A custom resource whose group looks like a built-in one.
                Err(error) if error.code() == Some(415) => self.merge_only.store(true, Relaxed), // a hint: it orders nothing
                patched => return patched.map(|()| wanted == Wanted::Adopt),
            }
        }
        if self.claim.finalizers.is_empty() && base.has_version() {
            match dependent.patch(&self.claim.merge(wanted, base)).await {
                // The cache lags: the lists are read and patched once more.
                Err(error) if error.code() == Some(409) && !self.require_version => {}
                patched => return patched.map(|()| wanted == Wanted::Adopt),
            }
        }
        let now = dependent.read().await?;
        if now.uid() != dependent.uid() {
            return Ok(false);
        }
        let wanted = match self.decide(self.controller_of(&now), &now, || wanted == Wanted::Adopt) {
            Decision::Keep => return Ok(true),
            Decision::Leave => return Ok(false),
            Decision::Adopt => Wanted::Adopt,
            Decision::Release => Wanted::Release,
        };
        dependent.patch(&self.claim.merge(wanted, Base::read(&now))).await?;
        Ok(wanted == Wanted::Adopt)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("owner", &self.owner)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}
