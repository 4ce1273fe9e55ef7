//! The audit: whether the store holds what the server has, asked of the server now and then.
//!
//! The server is asked for the metadata of all objects at exactly the store's version, so whatever differs
//! is an error, here or there, and not a change that is under way.

use std::{collections::HashMap, fmt, sync::Arc};

use kube_client::api::DynamicObject;
use trimtab_cache::{ManagedFields, MetaView, Metadata, Object, ObjectKey};

use crate::{
    SourceError,
    relist_buffer::is_wanted,
    shared::{Held, Shared},
    source::{BODY_PATIENCE, Source, items::ItemParser},
};

/// How a store was found to differ from the server at the same resource version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inconsistency {
    /// The version at which both were compared.
    pub resource_version: String,
    /// Objects that the server has, and the store does not.
    pub missing: Vec<ObjectKey>,
    /// Objects that the store has, and the server does not.
    pub surplus: Vec<ObjectKey>,
    /// Objects that the store has in another state than the server.
    pub outdated: Vec<ObjectKey>,
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the store differs from the server at version {}: {} objects are missing, {} are surplus, {} are outdated",
            self.resource_version,
            self.missing.len(),
            self.surplus.len(),
            self.outdated.len()
        )
    }
}

/// An object, as far as it takes part in an audit.
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

/// Compares what the store holds of a source with what the server has. `None` if nothing differs, or if
/// there is nothing to compare yet.
///
/// # Errors
///
/// The server cannot give that version, or nothing at all, for now.
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
        match body.next(BODY_PATIENCE).await? {
            Some(part) => parser.feed(&part).map_err(SourceError::list)?,
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
                continue; // known, and reported
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
