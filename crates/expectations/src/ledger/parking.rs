//! Keys that wait for a version, as a plain value. Parking and unparking one key take O(log n) for n different
//! versions; releasing keys takes constant time for each.
//!
//! - P1: a key is parked at one version at most.
//! - P2: a released key is released once.
//! - P3: a slot is in `places`, and once in the group of its resource and version, exactly while it holds a parked key.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash},
};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Keys by the resource and version that they wait for.
#[derive(Debug)]
pub(crate) struct Parking<K, R, V> {
    hasher: DefaultHashBuilder,
    slots: Vec<Slot<K, V>>,
    free: Vec<usize>,
    /// The slot of each parked key, by the key.
    places: HashTable<usize>,
    /// The resources that were ever waited for: a handful.
    resources: Vec<(R, BTreeMap<V, Group>)>,
}

/// The slots of the keys that wait for one version, in no order.
type Group = Vec<usize>;

#[derive(Debug)]
enum Slot<K, V> {
    Free,
    Parked(Parked<K, V>),
}

#[derive(Debug)]
struct Parked<K, V> {
    key: K,
    hash: u64,
    /// The index in `resources`.
    resource: usize,
    version: V,
    /// The index in the group.
    index: usize,
}

impl<K, R, V> Parking<K, R, V>
where
    K: Hash + Eq + Clone,
    R: Hash + Eq + Clone,
    V: Ord + Clone,
{
    pub(crate) fn new() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            slots: Vec::new(),
            free: Vec::new(),
            places: HashTable::new(),
            resources: Vec::new(),
        }
    }

    /// Parks `key` until the cache of `resource` reaches `version`, in place of its earlier wait (P1).
    pub(crate) fn park(&mut self, key: &K, resource: &R, version: &V) {
        self.unpark(key);
        let known = self.resources.iter().position(|(known, _)| known == resource);
        let resource = known.unwrap_or_else(|| {
            self.resources.push((resource.clone(), BTreeMap::new()));
            self.resources.len() - 1
        });
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() - 1
        });
        let group = self.resources[resource].1.entry(version.clone()).or_default();
        let (hash, index) = (self.hasher.hash_one(key), group.len());
        group.push(slot); // P3
        self.slots[slot] =
            Slot::Parked(Parked { key: key.clone(), hash, resource, version: version.clone(), index });
        let slots = &self.slots;
        self.places.insert_unique(hash, slot, |&other| parked(slots, other).hash);
    }

    /// Takes `key` out. Returns whether it was parked.
    pub(crate) fn unpark(&mut self, key: &K) -> bool {
        if self.places.is_empty() {
            return false; // nothing is hashed
        }
        let (hash, slots) = (self.hasher.hash_one(key), &self.slots);
        let Ok(place) = self.places.find_entry(hash, |&slot| parked(slots, slot).key == *key) else {
            return false;
        };
        let (slot, _) = place.remove();
        let Parked { resource, version, index, .. } = self.take(slot);
        let groups = &mut self.resources[resource].1;
        let group = groups.get_mut(&version).expect("P3: a parked key is in the group of its version");
        group.swap_remove(index);
        match group.get(index) {
            Some(&moved) => parked_mut(&mut self.slots, moved).index = index,
            None if group.is_empty() => drop(groups.remove(&version)),
            None => {}
        }
        self.shrink();
        true
    }

    /// Takes out up to `limit` keys that wait for `version` of `resource` or an earlier one, oldest version
    /// first (P2).
    pub(crate) fn release(&mut self, resource: &R, version: &V, limit: usize) -> Vec<K> {
        let mut released = Vec::new();
        let Some(index) = self.resources.iter().position(|(known, _)| known == resource) else {
            return released;
        };
        while released.len() < limit
            && let Some(mut first) = self.resources[index].1.first_entry()
            && first.key() <= version
        {
            let group = first.get_mut();
            let kept = group.len().saturating_sub(limit - released.len());
            let slots = group.split_off(kept);
            if kept == 0 {
                first.remove();
            }
            for slot in slots {
                let Parked { key, hash, .. } = self.take(slot);
                if let Ok(place) = self.places.find_entry(hash, |&other| other == slot) {
                    place.remove();
                }
                released.push(key);
            }
        }
        self.shrink();
        released
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Gives the memory of a burst back.
    fn shrink(&mut self) {
        if self.places.is_empty() {
            self.slots = Vec::new();
            self.free = Vec::new();
        }
    }

    /// Empties a slot. The caller restores P3.
    fn take(&mut self, slot: usize) -> Parked<K, V> {
        self.free.push(slot);
        match std::mem::replace(&mut self.slots[slot], Slot::Free) {
            Slot::Parked(parked) => parked,
            Slot::Free => unreachable!("P3: a slot that is named holds a key"),
        }
    }
}

fn parked<K, V>(slots: &[Slot<K, V>], slot: usize) -> &Parked<K, V> {
    match &slots[slot] {
        Slot::Parked(parked) => parked,
        Slot::Free => unreachable!("P3: a slot that is named holds a key"),
    }
}

fn parked_mut<K, V>(slots: &mut [Slot<K, V>], slot: usize) -> &mut Parked<K, V> {
    match &mut slots[slot] {
        Slot::Parked(parked) => parked,
        Slot::Free => unreachable!("P3: a slot that is named holds a key"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let mut first = parking.release(&"pods", &7, 2);
        first.sort_unstable();
        assert_eq!(first, ["a", "b"]);
        assert_eq!(parking.release(&"pods", &7, 2), ["c"]);
        assert!(parking.unpark(&"d") && !parking.unpark(&"d"));
        assert_eq!(parking.release(&"pods", &9, 2), [""; 0]);
    }

    proptest! {
        /// Against a list of `(key, resource, version)`.
        #[test]
        fn any_order_of_calls_parks_and_releases_what_a_list_does(
            calls in proptest::collection::vec((0..4_u8, 0..12_u8, 0..2_u8, 0..6_u8), 0..200),
        ) {
            let (mut parking, mut model) = (Parking::new(), Vec::<(u8, u8, u8)>::new());
            for (call, key, resource, version) in calls {
                match call {
                    0 | 1 => {
                        model.retain(|(other, ..)| *other != key);
                        model.push((key, resource, version));
                        parking.park(&key, &resource, &version);
                    }
                    2 => {
                        let before = model.len();
                        model.retain(|(other, ..)| *other != key);
                        prop_assert_eq!(parking.unpark(&key), model.len() < before);
                    }
                    _ => {
                        let limit = usize::from(key);
                        let released = parking.release(&resource, &version, limit);
                        let due = |&&(_, other, at): &&(u8, u8, u8)| other == resource && at <= version;
                        prop_assert_eq!(released.len(), model.iter().filter(due).count().min(limit));
                        let newest = released.iter().map(|key| {
                            model.iter().find(|(other, ..)| other == key).expect("it was parked").2
                        }).max();
                        let left = |&&(other, ..): &&(u8, u8, u8)| !released.contains(&other);
                        let oldest = model.iter().filter(due).filter(left).map(|(.., at)| *at).min();
                        prop_assert!(oldest.is_none() || newest <= oldest, "oldest version first");
                        model.retain(|(other, ..)| !released.contains(other));
                    }
                }
                prop_assert_eq!(parking.len(), model.len());
            }
        }
    }
}
