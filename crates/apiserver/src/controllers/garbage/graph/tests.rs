//! Who is looked at after which commit, and what is found out.

use serde_json::json;

use super::*;
use crate::StoredObject;

/// An object named like its UID, with its owners' UIDs; one after `!` is blocked by it.
fn object(uid: &str, owners: &[&str]) -> Value {
    let references: Vec<Value> = owners
        .iter()
        .map(|owner| {
            let name = owner.trim_start_matches('!');
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": name,
                "blockOwnerDeletion": owner.starts_with('!')})
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata":
        {"namespace": "default", "name": uid, "uid": uid, "ownerReferences": references}})
}

fn deleting(uid: &str, owners: &[&str], finalizer: &str) -> Value {
    let mut object = object(uid, owners);
    object["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
    object["metadata"]["finalizers"] = json!([finalizer]);
    object
}

/// A graph that is told of objects and of their ends.
#[derive(Default)]
struct Told {
    graph: Graph,
    present: HashMap<String, StoredObject>,
}

impl Told {
    fn put(&mut self, object: &Value) -> &mut Self {
        let name = object::name(object).to_owned();
        let object = StoredObject::new(Stored::unsaved(object, None).into());
        let previous = self.present.insert(name.clone(), object.clone());
        let change = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.tell(name, change, object, previous)
    }

    fn remove(&mut self, name: &str) -> &mut Self {
        let object = self.present.remove(name).expect("it is there");
        self.tell(name.to_owned(), ChangeKind::Deleted, object.clone(), Some(object))
    }

    fn tell(
        &mut self,
        name: String,
        change: ChangeKind,
        object: StoredObject,
        previous: Option<StoredObject>,
    ) -> &mut Self {
        let namespace = Some("default".to_owned());
        let resource = "configmaps".to_owned();
        self.graph.observe(&Commit { version: 1, resource, namespace, name, change, object, previous });
        self
    }

    /// The tasks, each in a few words.
    fn tasks(&mut self) -> Vec<String> {
        let name = |node: &Node| object::name(&node.object).to_owned();
        let tasks = std::iter::from_fn(|| {
            let (uid, task) = self.graph.next()?;
            self.graph.done(&uid);
            Some(match task {
                Task::Release(node, finalizer) => format!("release {} from {finalizer}", name(&node)),
                Task::Orphan(node, dependents) => {
                    format!(
                        "orphan {} of {}",
                        dependents.iter().map(name).collect::<Vec<_>>().join(","),
                        name(&node)
                    )
                }
                Task::Judge(case) => format!(
                    "judge {}: solid {}, dangling {:?}, waiting {:?}, unknown {}",
                    name(&case.node),
                    case.solid,
                    case.dangling,
                    case.waiting,
                    case.unknown.len()
                ),
            })
        });
        tasks.collect()
    }
}

#[test]
fn dependents_are_judged_when_their_last_owner_is_gone() {
    let mut told = Told::default();
    told.put(&object("owner", &[])).put(&object("other", &[])).put(&object("child", &["owner", "other"]));
    assert_eq!(told.tasks(), [""; 0], "both owners are there");
    told.remove("owner");
    assert_eq!(told.tasks(), [r#"judge child: solid true, dangling ["owner"], waiting [], unknown 0"#]);
    told.remove("other");
    assert_eq!(
        told.tasks(),
        [r#"judge child: solid false, dangling ["owner", "other"], waiting [], unknown 0"#]
    );
}

#[test]
fn an_owner_that_was_never_seen_is_asked_for() {
    let mut told = Told::default();
    told.put(&object("child", &["nobody"]));
    assert_eq!(told.tasks(), ["judge child: solid false, dangling [], waiting [], unknown 1"]);
}

#[test]
fn an_owner_in_another_namespace_is_asked_for_where_the_dependent_is() {
    let mut told = Told::default();
    let mut owner = object("owner", &[]);
    owner["metadata"]["namespace"] = "elsewhere".into();
    told.put(&owner).put(&object("child", &["owner"]));
    assert_eq!(told.tasks(), ["judge child: solid false, dangling [], waiting [], unknown 1"]);
}

#[test]
fn a_waiting_owner_is_released_when_its_last_blocking_dependent_is_gone() {
    let mut told = Told::default();
    told.put(&object("owner", &[])).put(&object("blocks", &["!owner"])).put(&object("not", &["owner"]));
    told.put(&deleting("owner", &[], FOREGROUND));
    let judged = |name| format!(r#"judge {name}: solid false, dangling [], waiting ["owner"], unknown 0"#);
    assert_eq!(told.tasks(), [judged("blocks"), judged("not")]);
    told.remove("not");
    assert_eq!(told.tasks(), [""; 0], "the other still blocks");
    told.remove("blocks");
    assert_eq!(told.tasks(), ["release owner from foregroundDeletion"]);
}

#[test]
fn a_dependent_that_blocks_no_longer_lets_its_owner_go() {
    let mut told = Told::default();
    told.put(&object("owner", &[])).put(&object("child", &["!owner"])).put(&deleting(
        "owner",
        &[],
        FOREGROUND,
    ));
    told.tasks();
    told.put(&object("child", &["owner"]));
    assert!(told.tasks().contains(&"release owner from foregroundDeletion".to_owned()));
}

#[test]
fn orphaning_names_every_dependent() {
    let mut told = Told::default();
    told.put(&object("owner", &[])).put(&object("a", &["owner"])).put(&object("b", &["!owner"]));
    told.put(&deleting("owner", &[], ORPHAN));
    assert_eq!(told.tasks(), ["orphan a,b of owner"]);
}

#[test]
fn an_object_is_handed_out_once_at_a_time() {
    let mut told = Told::default();
    told.put(&object("child", &["nobody"]));
    let (uid, _) = told.graph.next().expect("a task");
    told.graph.enqueue(&uid);
    assert!(told.graph.next().is_none(), "it is busy (I3)");
    told.graph.done(&uid);
    assert!(told.graph.next().is_some());
}

#[test]
fn nothing_is_kept_of_what_is_gone() {
    let mut told = Told::default();
    told.put(&object("owner", &[])).put(&object("child", &["owner"])).remove("owner").remove("child");
    told.tasks();
    let Graph { nodes, dependents, gone, queue, queued, busy, parked } = &told.graph;
    assert!(nodes.is_empty() && dependents.is_empty() && gone.is_empty() && parked.is_empty());
    assert!(queue.is_empty() && queued.is_empty() && busy.is_empty());
}
