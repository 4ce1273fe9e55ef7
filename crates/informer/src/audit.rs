//! The audit: compares the store with the server.
//!
//! It reads the metadata of all objects at exactly the store's version. A difference is therefore an error of
//! the informer or of the server, and not a change that is still on its way.

use std::{collections::HashMap, sync::Arc};

use kube_client::api::DynamicObject;
use trimtab_cache::{ManagedFields, MetaView, Metadata, Object, ObjectKey};

use crate::{
    inconsistency::Inconsistency,
    relist_buffer::is_wanted,
    shared::{Held, Shared},
    source::{BODY_TIMEOUT, Source, error::SourceError, items::ItemParser},
};

/// The part of an object that an audit reads.
#[derive(serde::Deserialize)]
struct Outline {
    metadata: MetaView,
}

impl Object for Outline {
    type Kind = DynamicObject;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// Compares the store's objects of a source with the server's. `None` if nothing differs, and before the first
/// list.
///
/// # Errors
///
/// The server cannot be reached, or no longer has the store's version.
pub(crate) async fn audit<T: Object>(
    shared: &Shared<T>,
    source: &Source,
    number: usize,
) -> Result<Option<Inconsistency>, SourceError> {
    let Some(Held { version, objects, undecodable }) = shared.held(number) else { return Ok(None) };
    let mut held: HashMap<ObjectKey, Arc<T>> =
        objects.into_iter().map(|object| (object.key(), object)).collect();
    let (mut missing, mut outdated) = (Vec::new(), Vec::new());
    let mut body = source.audit(&version).await?;
    let mut parser = ItemParser::<Outline>::new(ManagedFields::Dropped);
    while !parser.is_done() {
        match body.next(BODY_TIMEOUT).await? {
            Some(part) => parser.feed(&part),
            None => parser.end(),
        }
        while let Some(item) = parser.next().map_err(SourceError::list)? {
            let Ok(Outline { metadata }) = item else { continue };
            if !is_wanted(&metadata, shared.shard.as_ref()) {
                continue;
            }
            let key = ObjectKey::namespaced(metadata.namespace().unwrap_or_default(), metadata.name());
            let stored = held.remove(&key);
            if undecodable.contains(&key) {
                continue; // reported already
            }
            match stored {
                None => missing.push(key),
                Some(stored) if stored.metadata().resource_version() != metadata.resource_version() => {
                    outdated.push(key);
                }
                Some(_) => {}
            }
        }
    }
    let mut surplus: Vec<_> = held.into_keys().filter(|key| !undecodable.contains(key)).collect();
    if missing.is_empty() && surplus.is_empty() && outdated.is_empty() {
        return Ok(None);
    }
    [&mut missing, &mut surplus, &mut outdated].into_iter().for_each(|keys| keys.sort());
    Ok(Some(Inconsistency { resource_version: version, missing, surplus, outdated }))
}
