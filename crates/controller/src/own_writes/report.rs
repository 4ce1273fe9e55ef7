//! The reports to a ledger: of events that the informers show, and of the outcomes of requests.

use std::{any::type_name, borrow::Cow};

use kube_client::Resource;
use trimtab_cache::{Change, Metadata, Object, ObjectKey, ResourceVersion};
use trimtab_expectations::Write;
use trimtab_informer::Event;

use crate::{Ledger, requests::RequestError, source::owner::OwnerLookup};

/// Reports a dependent's event to the ledger. An object that is being deleted is gone as far as its owner is concerned,
/// even if it is seen so for the first time.
pub(super) fn observe<T: Object>(
    ledger: &Ledger,
    owners: &OwnerLookup,
    name: &'static str,
    event: &Event<T>,
) {
    let went = |object: &dyn Metadata| {
        if let Some(key) = owners.controller(object) {
            ledger.deletion_observed(&key, &name, object.uid());
        }
    };
    let came = |object: &dyn Metadata| {
        if let Some(key) = owners.controller(object) {
            ledger.creation_observed(&key, &name);
        }
    };
    let now = event.metadata();
    match &event.change {
        Change::Added(_) if !now.is_being_deleted() => came(now),
        Change::Updated { old, .. } if old.metadata().uid() != now.uid() => {
            went(old.metadata());
            if now.is_being_deleted() { went(now) } else { came(now) }
        }
        // The cache's version settles the create of an object that cannot be decoded: this may be its second event.
        Change::Updated { .. } | Change::Undecodable(_) if !now.is_being_deleted() => {}
        _ => went(now),
    }
}

/// Reports the outcome of a request: with the version in the reply, if it is newer than any that the cache has shown.
pub(super) fn report(
    write: Write<ObjectKey, &'static str, ResourceVersion>,
    reply: Result<Option<ResourceVersion>, &RequestError>,
) {
    match reply {
        Ok(Some(version)) => write.succeeded(version),
        Ok(None) => write.succeeded_without_version(),
        // Upstream leaves the expectation to its time to live: the owner goes with its namespace.
        Err(error) if error.is_namespace_terminating() => write.succeeded_without_version(),
        Err(error) if error.is_refusal() => write.refused(),
        Err(_) => write.unknown(),
    }
}

pub(super) fn version(text: Option<&str>) -> Option<ResourceVersion> {
    text?.parse().ok()
}

/// The name by which a ledger knows a kind: the plural, which is a constant for nearly every kind.
pub(crate) fn name_of<K: Resource<DynamicType = ()>>() -> &'static str {
    match K::plural(&()) {
        Cow::Borrowed(name) => name,
        Cow::Owned(_) => type_name::<K>(),
    }
}
