//! The rules of garbage collection as a plain value: who owns whom, and what is to be done next.
//!
//! - I1: an object that is stored, and no other, is in `nodes`, in its newest state that was observed.
//! - I2: `dependents` lists under an owner's UID exactly the nodes that name it as an owner, whether
//!   the owner exists or not.
//! - I3: a UID is in `queue` at most once, and not handed out again before it is `done`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use crate::{ChangeKind, Commit, api::object, controllers::requests, store::Stored};

/// Keeps an object until its blocking dependents are gone.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// Keeps an object until its dependents have forgotten it.
pub(super) const ORPHAN: &str = "orphan";

type Uid = Arc<str>;

/// An object in its newest state, to be worked on.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where to reach it.
    pub(super) path: String,
    pub(super) object: Arc<Value>,
}

/// The record of every object: few are ever worked on, so none is kept parsed.
#[derive(Debug)]
struct Entry {
    path: String,
    stored: Arc<Stored>,
    /// The owners by UID, and whether each is blocked by this object.
    owners: BTreeMap<Uid, bool>,
    is_waiting: bool,
}

impl Entry {
    fn node(&self) -> Node {
        Node { path: self.path.clone(), object: self.stored.value() }
    }
}

/// A task for an object.
#[derive(Debug)]
pub(super) enum Task {
    /// It is being deleted and nothing holds it any more but this finalizer.
    Release(Node, &'static str),
    /// It is being deleted and its dependents shall stay: they are to forget it first.
    Orphan(Node, Vec<Node>),
    /// It has owners, and some of them may be gone.
    Judge(Case),
}

/// An object with owners, and what is known of these.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) node: Node,
    /// Whether an owner is there to stay.
    pub(super) solid: bool,
    /// UIDs of owners that are gone.
    pub(super) dangling: Vec<String>,
    /// UIDs of owners that wait for their dependents' deletion.
    pub(super) waiting: Vec<String>,
    /// References to owners that were never seen: ask the server.
    pub(super) unknown: Vec<Value>,
    /// Whether other objects depend on this one.
    pub(super) has_dependents: bool,
    /// Whether one of these waits for the deletion of its own dependents: a cycle.
    pub(super) is_in_cycle: bool,
}

/// All objects and their owners, as far as commits were observed.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<Uid, Entry>,
    dependents: HashMap<Uid, BTreeSet<Uid>>,
    /// Owners whose deletion was observed while they had dependents.
    gone: HashSet<Uid>,
    queue: VecDeque<Uid>,
    queued: HashSet<Uid>,
    busy: HashSet<Uid>,
    /// Objects with an owner of a kind that is not served; they wait for a new definition.
    parked: BTreeSet<Uid>,
}

impl Graph {
    /// Takes a commit in, and queues the objects that it may concern.
    pub(super) fn observe(&mut self, commit: &Commit) {
        if commit.resource == "events" {
            return; // nothing owns an Event and an Event owns nothing: upstream leaves them out as well
        }
        if commit.resource == "customresourcedefinitions.apiextensions.k8s.io" {
            std::mem::take(&mut self.parked).into_iter().for_each(|uid| self.enqueue(&uid));
        }
        let uid: Uid = commit.object.stored().uid().into();
        let entry = self.nodes.get(&uid); // I1: the state before, unless that was not observed
        let before = match entry {
            Some(entry) => entry.owners.clone(),
            None => commit.previous.as_ref().map(|before| owners(before.stored())).unwrap_or_default(),
        };
        let was_waiting = entry.is_some_and(|entry| entry.is_waiting);
        let now = match commit.change {
            ChangeKind::Deleted => BTreeMap::new(),
            _ => owners(commit.object.stored()),
        };
        for owner in before.keys().filter(|owner| !now.contains_key(*owner)) {
            self.forget_dependent(owner, &uid);
        }
        for owner in now.keys() {
            self.dependents.entry(owner.clone()).or_default().insert(uid.clone());
        }
        if commit.change == ChangeKind::Deleted {
            self.removed(&uid);
        } else {
            let (path, stored) = (path(commit), commit.object.stored().clone());
            let entry = Entry { path, is_waiting: is_waiting(&stored), owners: now.clone(), stored };
            self.changed(&uid, &entry, was_waiting);
            self.nodes.insert(uid.clone(), entry);
        }
        // An owner that waits for its dependents has one reason less, if one of them is gone, owned by
        // another, or no longer blocking.
        for owner in before.keys() {
            if before.get(owner) != now.get(owner) && self.is_waiting(owner) {
                self.enqueue(owner);
            }
        }
    }

    /// Whether the object is still there.
    pub(super) fn contains(&self, uid: &Uid) -> bool {
        self.nodes.contains_key(uid)
    }

    /// Queues an object that is to be looked at again.
    pub(super) fn enqueue(&mut self, uid: &Uid) {
        if self.queued.insert(uid.clone()) {
            self.queue.push_back(uid.clone());
        }
    }

    /// The next object about which there is something to do. It is not handed out again before it is
    /// [`done`](Self::done) (I3).
    pub(super) fn next(&mut self) -> Option<(Uid, Task)> {
        for _ in 0..self.queue.len() {
            let uid = self.queue.pop_front()?;
            if self.busy.contains(&uid) {
                self.queue.push_back(uid);
                continue;
            }
            self.queued.remove(&uid);
            if let Some(task) = self.task(&uid) {
                self.busy.insert(uid.clone());
                return Some((uid, task));
            }
        }
        None
    }

    /// Allows a task that [`next`](Self::next) returned to be returned again.
    pub(super) fn done(&mut self, uid: &Uid) {
        self.busy.remove(uid);
    }

    /// Leaves an object alone until a definition comes or changes.
    pub(super) fn park(&mut self, uid: Uid) {
        self.parked.insert(uid);
    }

    fn changed(&mut self, uid: &Uid, entry: &Entry, was_waiting: bool) {
        let starts_waiting = entry.is_waiting && !was_waiting;
        let needs_look = entry.stored.is_being_deleted() || !entry.owners.is_empty();
        if starts_waiting {
            let dependents = self.dependents.get(uid).cloned().unwrap_or_default();
            dependents.iter().for_each(|dependent| self.enqueue(dependent));
        }
        if needs_look {
            self.enqueue(uid);
        }
    }

    fn removed(&mut self, uid: &Uid) {
        self.nodes.remove(uid);
        self.parked.remove(uid);
        if let Some(dependents) = self.dependents.get(uid).cloned() {
            self.gone.insert(uid.clone());
            dependents.iter().for_each(|dependent| self.enqueue(dependent));
        }
    }

    fn forget_dependent(&mut self, owner: &Uid, dependent: &Uid) {
        if let Some(dependents) = self.dependents.get_mut(owner) {
            dependents.remove(dependent);
            if dependents.is_empty() {
                self.dependents.remove(owner);
                self.gone.remove(owner);
            }
        }
    }

    fn is_waiting(&self, uid: &Uid) -> bool {
        self.nodes.get(uid).is_some_and(|entry| entry.is_waiting)
    }

    fn dependents_of(&self, uid: &Uid) -> impl Iterator<Item = &Entry> {
        self.dependents.get(uid).into_iter().flatten().filter_map(|dependent| self.nodes.get(dependent))
    }

    fn task(&self, uid: &Uid) -> Option<Task> {
        let node = self.nodes.get(uid)?.node();
        let held_by = |finalizer| object::finalizers(&node.object).any(|held| held == finalizer);
        if object::is_being_deleted(&node.object) {
            return if held_by(ORPHAN) {
                Some(Task::Orphan(node, self.dependents_of(uid).map(Entry::node).collect()))
            } else if held_by(FOREGROUND) && !self.dependents_of(uid).any(|dependent| blocks(dependent, uid))
            {
                Some(Task::Release(node, FOREGROUND))
            } else {
                None // what it waits for brings it back
            };
        }
        self.case(uid, node).map(Task::Judge)
    }

    fn case(&self, uid: &Uid, node: Node) -> Option<Case> {
        let mut case = Case {
            solid: false,
            dangling: Vec::new(),
            waiting: Vec::new(),
            unknown: Vec::new(),
            has_dependents: self.dependents.contains_key(uid),
            is_in_cycle: self.dependents_of(uid).any(|dependent| dependent.is_waiting),
            node,
        };
        for reference in references(&case.node.object) {
            let owner = reference["uid"].as_str().unwrap_or_default();
            match self.nodes.get(owner) {
                Some(found) if !is_named(found, reference, &case.node) => {
                    case.unknown.push(reference.clone());
                }
                Some(found) if found.is_waiting => case.waiting.push(owner.to_owned()),
                Some(_) => case.solid = true,
                None if self.gone.contains(owner) => case.dangling.push(owner.to_owned()),
                None => case.unknown.push(reference.clone()),
            }
        }
        let is_fine = case.dangling.is_empty() && case.waiting.is_empty() && case.unknown.is_empty();
        (!is_fine).then_some(case)
    }
}

/// The object's references to owners, as they are written.
pub(super) fn references(object: &Value) -> impl Iterator<Item = &Value> {
    object::metadata(object).get("ownerReferences").and_then(Value::as_array).into_iter().flatten()
}

/// The owners by UID, and whether each is blocked by this object.
fn owners(stored: &Stored) -> BTreeMap<Uid, bool> {
    let owner = |reference: &Value| {
        let uid = reference["uid"].as_str().unwrap_or_default();
        (uid.into(), reference["blockOwnerDeletion"] == true)
    };
    stored.owners().iter().map(owner).collect()
}

/// Whether an object is kept until its blocking dependents are gone.
fn is_waiting(stored: &Stored) -> bool {
    stored.is_being_deleted() && object::finalizers(&stored.value()).any(|finalizer| finalizer == FOREGROUND)
}

fn blocks(dependent: &Entry, owner: &Uid) -> bool {
    dependent.owners.get(owner) == Some(&true)
}

/// Whether `reference`, in `dependent`, is to `owner` by more than its UID.
fn is_named(owner: &Entry, reference: &Value, dependent: &Node) -> bool {
    let key = &owner.stored.key;
    key.namespace().is_none_or(|namespace| namespace == object::namespace(&dependent.object))
        && reference["kind"] == owner.stored.kind()
        && reference["name"] == key.name()
}

fn path(commit: &Commit) -> String {
    let plural = commit.resource.split('.').next().unwrap_or_default();
    let namespace = commit.namespace.as_deref().unwrap_or_default();
    requests::path(commit.object.stored().api_version(), namespace, plural, &commit.name)
}

#[cfg(test)]
mod tests;
