//! Properties that many scenarios have.

use std::collections::BTreeMap;

use serde_json::Value;
use trimtab_apiserver::StoredObject;

use super::{Sent, Verdict};
use crate::world::World;

/// Checks that no two live objects have the same key.
pub(crate) fn never_twice(
    world: &World,
    resource: &str,
    key: &(dyn Fn(&StoredObject) -> Option<String> + Send + Sync),
) -> Verdict {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for object in world.objects(resource) {
        if !object["metadata"]["deletionTimestamp"].is_null() {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if let Some(key) = key(object)
            && let Some(other) = seen.insert(key.clone(), name)
        {
            return Verdict(Err(format!("{resource} {other} and {name} are both {key}")));
        }
    }
    Verdict(Ok(()))
}

/// Checks that the sender of a write holds the Lease `namespace/name`. Writes to Leases and events are exempt.
pub(crate) fn held_by(world: &World, lease: &str, sent: &Sent) -> Verdict {
    let group = sent.call.resource.split_once('.').map_or("", |(_, group)| group);
    let is_bookkeeping = group == "coordination.k8s.io" || sent.call.resource.starts_with("events");
    if !sent.call.is_write() || is_bookkeeping {
        return Verdict(Ok(()));
    }
    let (namespace, name) = lease.split_once('/').unwrap_or(("default", lease));
    let lease = world.get("leases.coordination.k8s.io", namespace, name);
    let holder = lease.and_then(|lease| lease["spec"]["holderIdentity"].as_str()).unwrap_or_default();
    if holder == sent.identity {
        return Verdict(Ok(()));
    }
    let holder = if holder.is_empty() { "nobody" } else { holder };
    Verdict(Err(format!("{} sends `{}` while {holder} holds the lease", sent.identity, sent.call)))
}

/// Returns the UID of the owner that manages an object, which is usually a part of the key for
/// [`Scenario::never_twice`](crate::Scenario::never_twice).
pub fn controller_uid(object: &StoredObject) -> Option<String> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == Value::Bool(true))?;
    owner["uid"].as_str().map(str::to_owned)
}
