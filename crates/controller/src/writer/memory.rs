//! [`Memories`]: the last successful apply of each dependent.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::Instant;
use trimtab_cache::{ObjectKey, ResourceVersion};

use super::fields::{first_difference, project};

/// The time for which an apply is remembered after its last use, once there are many.
const KEPT: Duration = Duration::from_secs(3600);

/// The number of applies that are remembered without a time limit.
const FEW: usize = 1024;

/// The time after which another change of an applied field is not a round of the same contest.
const CONTEST: Duration = Duration::from_secs(600);

/// The number of rounds after which two writers that undo each other are reported.
pub(crate) const ROUNDS: u32 = 10;

/// The plural of a kind, and the key of an object.
pub(crate) type ApplyKey = (&'static str, ObjectKey);

/// The last successful apply of an object.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    /// The hash of the applied object.
    pub(crate) hash: String,
    /// The version in the reply.
    pub(crate) version: Option<ResourceVersion>,
    /// The hash of the applied fields as the reply had them.
    pub(crate) fields: String,
    /// The other field managers in the reply.
    pub(crate) managers: Vec<String>,
}

/// The number of times in a row that an applied field was changed by another writer, and the last time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contest {
    pub(crate) rounds: u32,
    last: Instant,
}

#[derive(Debug)]
struct Entry {
    memory: Option<Memory>,
    contest: Option<Contest>,
    used: Instant,
}

/// The last successful apply of each dependent. Dependents that were not applied for an hour are forgotten, once there are
/// more than a thousand: the next apply of such an object is sent.
#[derive(Debug, Default)]
pub(crate) struct Memories(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<ApplyKey, Entry>,
    /// The number of entries at which the next sweep is due.
    sweep_at: usize,
}

impl Memories {
    pub(crate) fn get(&self, key: &ApplyKey) -> Option<Memory> {
        let mut table = self.0.lock();
        let entry = table.entries.get_mut(key)?;
        entry.used = Instant::now();
        entry.memory.clone()
    }

    pub(crate) fn set(&self, key: ApplyKey, memory: Memory) {
        let (mut table, now) = (self.0.lock(), Instant::now());
        if table.entries.len() >= table.sweep_at.max(FEW) {
            table.entries.retain(|_, entry| now.duration_since(entry.used) < KEPT);
            table.sweep_at = 2 * table.entries.len();
        }
        let entry = table.entries.entry(key).or_insert(Entry { memory: None, contest: None, used: now });
        (entry.memory, entry.used) = (Some(memory), now);
    }

    /// Counts a round in which another writer changed an applied field, and returns the number of rounds.
    pub(crate) fn undone(&self, key: &ApplyKey) -> u32 {
        let (mut table, now) = (self.0.lock(), Instant::now());
        let Some(entry) = table.entries.get_mut(key) else { return 0 };
        let before = entry.contest.filter(|contest| now.duration_since(contest.last) < CONTEST);
        let contest = Contest { rounds: before.map_or(1, |contest| contest.rounds + 1), last: now };
        entry.contest = Some(contest);
        contest.rounds
    }
}

impl Memory {
    /// Returns the path of the first applied field that does not stand in `cached`; `None` if all stand.
    pub(crate) fn lost_field(&self, applied: &Value, cached: &Value) -> Option<String> {
        let standing = project(applied, cached);
        if hash_of(&standing) == self.fields {
            return None;
        }
        // The reply is not kept. Compared with the applied object, a field that the server has normalized may be named.
        Some(first_difference(&project(applied, applied), &standing).unwrap_or_default())
    }
}

/// Returns a hash of a JSON value that does not depend on the order of its fields.
pub(crate) fn hash_of(value: &Value) -> String {
    trimtab_ownership::template_hash(value, None).unwrap_or_default() // a `Value` is always JSON
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ApplyKey {
        ("pods", ObjectKey::cluster_scoped(name))
    }

    fn memory() -> Memory {
        Memory { hash: "h".to_owned(), version: None, fields: String::new(), managers: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn rounds_are_counted_while_they_follow_each_other() {
        let memories = Memories::default();
        memories.set(key("web"), memory());
        for round in 1..=3 {
            assert_eq!(memories.undone(&key("web")), round);
            tokio::time::advance(Duration::from_secs(60)).await;
            memories.set(key("web"), memory()); // applied again
        }
        tokio::time::advance(CONTEST).await;
        assert_eq!(memories.undone(&key("web")), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn applies_that_are_not_used_any_more_are_forgotten() {
        let memories = Memories::default();
        (0..FEW).for_each(|n| memories.set(key(&n.to_string()), memory()));
        tokio::time::advance(KEPT).await;
        assert!(memories.get(&key("7")).is_some());
        memories.set(key("new"), memory());
        assert!(memories.get(&key("7")).is_some() && memories.get(&key("8")).is_none());
        assert_eq!(memories.0.lock().entries.len(), 2);
    }
}
