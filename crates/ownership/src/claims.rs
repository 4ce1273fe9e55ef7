//! [`Claims`]: reads the claim table for each dependent and sends what it asks for.

use std::{error, fmt, future::Future, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube_client::{Client, Resource};
use tracing::debug;
use trimtab_cache::{Metadata, Object, Selector};

use crate::{
    ClaimError, ClaimFailure, ReferenceError,
    adoption::{Adoption, recheck},
    controller_reference_with,
    dependent::Dependent,
    error::{Cause, Wanted},
    patch::Base,
    reference::Dynamic,
    state::{Controller, Decision, Facts},
};

/// One owner's claims on its dependents, for the length of one sync.
///
/// Made anew for each sync from the owner as the cache shows it: upstream's `ControllerRefManager`.
/// Whether the owner may adopt is asked at most once and only when there is an orphan to adopt.
pub struct Claims {
    client: Client,
    /// Who claims, for messages.
    owner: Arc<str>,
    reference: OwnerReference,
    /// `None` for a cluster-scoped owner.
    namespace: Option<String>,
    being_deleted: bool,
    selector: Selector,
    finalizers: Vec<String>,
    adoption: Adoption,
}

impl Claims {
    /// The claims of `owner` on objects that `selector` matches.
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
        let OwnerReference { kind, name, uid, .. } = &reference;
        Ok(Self {
            owner: format!("{kind} {} (uid {uid})", owner.key()).into(),
            adoption: recheck(client.clone(), path, name.clone(), uid.clone()),
            client,
            namespace,
            being_deleted: metadata.is_being_deleted(),
            selector,
            finalizers: Vec::new(),
            reference,
        })
    }

    /// Also puts `finalizers` on what is adopted, and takes them off what is released.
    ///
    /// Costs one read of each dependent before it is patched, since a cache need not hold its finalizers.
    #[must_use]
    pub fn finalizers<F: Into<String>>(mut self, finalizers: impl IntoIterator<Item = F>) -> Self {
        self.finalizers = finalizers.into_iter().map(Into::into).collect();
        self
    }

    /// Asks `hook` whether the owner may adopt, instead of reading the owner from the server.
    ///
    /// It is called at most once, before the first adoption; its refusal holds for all later ones.
    #[must_use]
    pub fn can_adopt<F, E>(mut self, hook: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        self.adoption = Adoption::new(hook);
        self
    }

    /// Tells which of `objects` are the owner's, after adopting and releasing what the selector asks for.
    ///
    /// An orphan that matches is adopted, an own object that does not match is released, and what
    /// another object controls is left alone; an owner that is being deleted does neither. An object
    /// that turns out to be gone is not claimed, and that is no error. The list holds the objects as
    /// they were given: the reference of an adopted one arrives with its next event.
    ///
    /// # Errors
    ///
    /// If an adoption was denied, or a patch failed, or the object had changed meanwhile (409); the
    /// rest of the list is processed all the same, and the error holds what was claimed.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, some patches may have been sent. Each is complete in itself, and the next sync
    /// goes on from there.
    pub async fn claim<T: Object>(
        &self,
        objects: impl IntoIterator<Item = Arc<T>>,
    ) -> Result<Vec<Arc<T>>, ClaimError<T>>
    where
        Dynamic<T>: Default,
    {
        self.claim_with(objects, &Dynamic::<T>::default(), |_| true).await
    }

    /// [`claim`](Self::claim), where an object must also pass `filter` to match.
    ///
    /// The filter sees only what the selector matches. `kind` is that of the objects; `&()` or
    /// `&Default::default()` where the type tells it.
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
        let mut claimed = Vec::new();
        let mut failures = Vec::new();
        for object in objects {
            let metadata = object.metadata();
            let matches = || metadata.matches(&self.selector) && filter(&object);
            let wanted = match self.decide(metadata, matches) {
                Decision::Leave => continue,
                Decision::Keep => {
                    claimed.push(object);
                    continue;
                }
                Decision::Adopt => Wanted::Adopt,
                Decision::Release => Wanted::Release,
            };
            match self.carry_out(wanted, &*object, kind).await {
                Ok(true) => claimed.push(object),
                Ok(false) => {}
                Err(cause) => failures.push(ClaimFailure { key: object.key(), wanted, cause }),
            }
        }
        if failures.is_empty() {
            return Ok(claimed);
        }
        Err(ClaimError { owner: Arc::clone(&self.owner), claimed, failures })
    }

    fn decide(&self, metadata: &impl Metadata, matches: impl FnOnce() -> bool) -> Decision {
        let controller = match metadata.controller() {
            None => Controller::Nobody,
            Some(controller) if controller.uid == self.reference.uid => Controller::Us,
            Some(_) => Controller::Another,
        };
        let facts = Facts {
            controller,
            matches: controller != Controller::Another && matches(),
            owner_being_deleted: self.being_deleted,
            dependent_being_deleted: metadata.is_being_deleted(),
            in_reach: self.namespace.is_none() || self.namespace.as_deref() == metadata.namespace(),
        };
        facts.decide()
    }

    /// Adopts or releases `object`; whether it is ours now.
    async fn carry_out<T: Object>(
        &self,
        wanted: Wanted,
        object: &T,
        kind: &Dynamic<T>,
    ) -> Result<bool, Cause> {
        if wanted == Wanted::Adopt {
            self.adoption.allowed(&self.owner).await.map_err(Cause::Denied)?;
        }
        let dependent = Dependent::new(&self.client, object, kind);
        let ours = match self.write(wanted, Base::cached(object.metadata()), &dependent).await {
            Ok(ours) => ours,
            Err(error) if dependent.is_gone(wanted, &error).await => false,
            Err(error) => return Err(Cause::Api(Box::new(error))),
        };
        debug!(owner = %self.owner, dependent = %object.key(), ?wanted, ours, "claimed");
        Ok(ours)
    }

    async fn write(
        &self,
        wanted: Wanted,
        mut base: Base,
        dependent: &Dependent<'_>,
    ) -> kube_client::Result<bool> {
        if !self.finalizers.is_empty() || !base.has_version() {
            let now = dependent.read().await?;
            match self.decide(&now, || wanted == Wanted::Adopt) {
                _ if now.uid() != dependent.uid() => return Ok(false),
                Decision::Keep => return Ok(true),
                Decision::Leave => return Ok(false),
                Decision::Adopt | Decision::Release => base = Base::read(&now),
            }
        }
        let body = match wanted {
            Wanted::Adopt => base.adopt(&self.reference, &self.finalizers),
            Wanted::Release => base.release(&self.reference.uid, &self.finalizers),
        };
        dependent.patch(&body).await?;
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
