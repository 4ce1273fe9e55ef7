//! [`World`]: the state of the cluster and its commits, for properties.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use trimtab_apiserver::{ChangeKind, Commit, StoredObject};

/// The author of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Writer {
    /// A process of the scenario, by its name.
    Process(Arc<str>),
    /// A step of the workload, or the setup.
    Workload,
    /// A fault, such as the deletion of an object.
    Chaos,
    /// The cluster itself: the garbage collector, the namespace controller, the kubelet.
    Cluster,
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Process(name) => name,
            Self::Workload => "workload",
            Self::Chaos => "chaos",
            Self::Cluster => "cluster",
        })
    }
}

/// A commit with its time and its author.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Written {
    /// The time since the start of the processes.
    pub at: Duration,
    /// The author.
    pub by: Writer,
    /// The change.
    pub commit: Commit,
}

/// The objects of a resource, by namespace and name.
type Objects = BTreeMap<(String, String), StoredObject>;

/// The state of the cluster after one commit, and all commits so far.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) now: Duration,
    resources: BTreeMap<String, Objects>,
    commits: Vec<Written>,
}

impl World {
    /// Returns the time since the start of the processes.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Returns the objects of a resource, ordered by namespace and name. `resource` is the plural name and the group, such as
    /// `pods` or `replicasets.apps`.
    pub fn objects(&self, resource: &str) -> impl Iterator<Item = &StoredObject> {
        self.resources.get(resource).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns one object. The namespace of a cluster-scoped object is empty.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&StoredObject> {
        self.resources.get(resource)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Returns all commits so far, those of the setup included, oldest first.
    pub fn commits(&self) -> &[Written] {
        &self.commits
    }

    /// Returns the newest commit.
    pub fn newest(&self) -> Option<&Written> {
        self.commits.last()
    }

    pub(crate) fn apply(&mut self, written: Written) {
        let commit = &written.commit;
        let key = (commit.namespace.clone().unwrap_or_default(), commit.name.clone());
        match self.resources.get_mut(&commit.resource) {
            Some(objects) if commit.change == ChangeKind::Deleted => {
                objects.remove(&key);
            }
            Some(objects) => {
                objects.insert(key, commit.object.clone());
            }
            None if commit.change == ChangeKind::Deleted => {}
            None => {
                self.resources.insert(commit.resource.clone(), Objects::from([(key, commit.object.clone())]));
            }
        }
        self.commits.push(written);
    }
}
