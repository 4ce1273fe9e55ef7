//! Keys that wait for a version, as a plain value. Every operation on one key takes O(log n).
//!
//! - P1: a key is parked at one version at most.
//! - P2: a released key is released once.

use std::{collections::BTreeMap, hash::Hash};

use hashbrown::HashMap;

/// Keys by the resource and version that they wait for.
#[derive(Debug)]
pub(crate) struct Parking<K, R, V> {
    /// By version, then by a number that distinguishes keys with the same version.
    waiting: HashMap<R, BTreeMap<(V, u64), K>>,
    places: HashMap<K, (R, V, u64)>,
    next: u64,
}

impl<K, R, V> Parking<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    pub(crate) fn new() -> Self {
        Self { waiting: HashMap::new(), places: HashMap::new(), next: 0 }
    }

    /// Parks `key` until the cache of `resource` reaches `version`, in place of its earlier wait (P1).
    pub(crate) fn park(&mut self, key: &K, resource: &R, version: &V) {
        self.unpark(key);
        let number = self.next;
        self.next += 1;
        self.waiting.entry(resource.clone()).or_default().insert((version.clone(), number), key.clone());
        self.places.insert(key.clone(), (resource.clone(), version.clone(), number));
    }

    /// Takes `key` out. Returns whether it was parked.
    pub(crate) fn unpark(&mut self, key: &K) -> bool {
        let Some((resource, version, number)) = self.places.remove(key) else { return false };
        if let Some(waiting) = self.waiting.get_mut(&resource) {
            waiting.remove(&(version, number));
        }
        true
    }

    /// Takes out up to `limit` keys that wait for `version` of `resource` or an earlier one, oldest version
    /// first (P2).
    pub(crate) fn release(&mut self, resource: &R, version: &V, limit: usize) -> Vec<K> {
        let Some(waiting) = self.waiting.get_mut(resource) else { return Vec::new() };
        let mut released = Vec::new();
        while released.len() < limit
            && let Some(first) = waiting.first_entry()
            && first.key().0 <= *version
        {
            let key = first.remove();
            self.places.remove(&key);
            released.push(key);
        }
        released
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_parked_once_at_the_version_that_it_asked_for_last() {
        let mut parking = Parking::new();
        parking.park(&"web", &"pods", &5);
        parking.park(&"web", &"pods", &9);
        assert_eq!((parking.len(), parking.release(&"pods", &8, 10)), (1, vec![]));
        assert_eq!(parking.release(&"pods", &9, 10), ["web"]);
        assert_eq!((parking.len(), parking.release(&"pods", &9, 10)), (0, vec![]));
    }

    #[test]
    fn keys_are_released_oldest_version_first_and_no_more_than_asked_for() {
        let mut parking = Parking::new();
        for (key, version) in [("c", 7), ("a", 5), ("b", 5), ("d", 8)] {
            parking.park(&key, &"pods", &version);
        }
        parking.park(&"e", &"sets", &1);
        assert_eq!(parking.release(&"pods", &7, 2), ["a", "b"]);
        assert_eq!(parking.release(&"pods", &7, 2), ["c"]);
        assert!(parking.unpark(&"d") && !parking.unpark(&"d"));
        assert_eq!(parking.release(&"pods", &9, 2), [""; 0]);
    }
}
