//! `ControllerRevision`s against an API server. The names cite upstream's tests in `history_test.go`.

use std::{collections::HashSet, sync::Arc};

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use kube_client::{
    Api,
    api::{ListParams, PostParams},
};
use serde_json::{Value, json};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_cache::{Metadata, Object};
use trimtab_ownership::{History, equal_revisions, next_revision, revision_number, sort_revisions};

struct World {
    server: ApiServer,
    history: History,
    revisions: Api<ControllerRevision>,
}

impl World {
    fn new() -> Self {
        let server = ApiServer::builder().controllers(false).start();
        let history = History::new(server.client_as("controller"), &owner("u1")).expect("a named set");
        let revisions = Api::default_namespaced(server.client());
        Self { server, history, revisions }
    }

    fn revision(&self, data: &Value, number: i64) -> ControllerRevision {
        let labels = [("app".to_owned(), "web".to_owned())];
        self.history.revision(data, number, labels, Some(0)).expect("JSON")
    }

    async fn names(&self) -> Vec<String> {
        let list = self.revisions.list(&ListParams::default()).await.expect("a list").items;
        list.into_iter().map(|revision| revision.metadata().name().to_owned()).collect()
    }
}

fn owner(uid: &str) -> StatefulSet {
    serde_json::from_value(json!({"metadata": {"namespace": "default", "name": "web", "uid": uid}}))
        .expect("a set")
}

/// `TestRealHistory_CreateControllerRevision`.
#[tokio::test(start_paused = true)]
async fn an_equal_revision_is_created_once_and_a_taken_name_raises_the_collision_count() {
    let world = World::new();
    let mut count = 0;
    let first = world.history.create(world.revision(&json!({"a": 1}), 1), &mut count).await.expect("created");
    assert_eq!(first.metadata.labels.as_ref().expect("labels")["app"], "web");
    assert_eq!(first.metadata().controller().expect("a controller").uid, "u1");
    let again = world.history.create(world.revision(&json!({"a": 1}), 2), &mut count).await.expect("found");
    assert_eq!((again.metadata().uid(), count), (first.metadata().uid(), 0));

    // The name is taken by another content.
    let mut other = world.revision(&json!({"b": 1}), 2);
    other.data = world.revision(&json!({"c": 1}), 2).data;
    world.revisions.create(&PostParams::default(), &other).await.expect("created");
    let second =
        world.history.create(world.revision(&json!({"b": 1}), 2), &mut count).await.expect("created");
    assert_eq!(count, 1);
    assert_ne!(second.metadata().name(), other.metadata().name());
    assert_eq!(world.names().await.len(), 3);
}

/// A revision of an earlier owner of the same name is not taken for ours.
#[tokio::test(start_paused = true)]
async fn an_equal_revision_of_another_owner_is_not_returned() {
    let world = World::new();
    let earlier = History::new(world.server.client(), &owner("u0")).expect("a named set");
    let revision = earlier.revision(&json!({"a": 1}), 1, [], Some(0)).expect("JSON");
    earlier.create(revision, &mut 0).await.expect("created");
    let mut count = 0;
    let ours = world.history.create(world.revision(&json!({"a": 1}), 1), &mut count).await.expect("created");
    assert_eq!((ours.metadata().controller().expect("a controller").uid.as_str(), count), ("u1", 1));
}

/// `TestRealHistory_UpdateControllerRevision`: one conflict is repeated with the present revision.
#[tokio::test(start_paused = true)]
async fn a_revision_is_renumbered_in_spite_of_a_conflict() {
    let world = World::new();
    let revision = world.history.create(world.revision(&json!({"a": 1}), 1), &mut 0).await.expect("created");
    let updates = Filter::any().verb(Verb::Update).user_agent("controller");
    let _conflict = world.server.faults().refuse(updates, Refusal::conflict(), 1);
    let renumbered = world.history.renumber(&revision, 7).await.expect("renumbered");
    assert_eq!(revision_number(&renumbered), 7);
    let same = world.history.renumber(&renumbered, 7).await.expect("nothing to do");
    assert_eq!(same.metadata().resource_version(), renumbered.metadata().resource_version());
}

/// `TestRealHistory_DeleteControllerRevision`, and upstream's `truncateHistory`.
#[tokio::test(start_paused = true)]
async fn the_oldest_revisions_that_are_not_live_are_deleted() {
    let world = World::new();
    let mut revisions = Vec::new();
    for number in 1..=5 {
        let revision = world.revision(&json!({"number": number}), number);
        revisions.push(Arc::new(world.history.create(revision, &mut 0).await.expect("created")));
    }
    let name = |index: usize| revisions[index].metadata().name().to_owned();
    let live = HashSet::from([name(0), name(4)]);
    let deleted = world.history.truncate(revisions.clone(), &live, 1).await.expect("deleted");
    assert_eq!(deleted, 2);
    let left: HashSet<String> = world.names().await.into_iter().collect();
    assert_eq!(left, HashSet::from([name(0), name(3), name(4)]));
    assert_eq!(world.history.truncate(revisions.clone(), &live, 1).await.expect("gone already"), 2);
}

/// `TestFindEqualRevisions`, `TestSortControllerRevisions`.
#[tokio::test(start_paused = true)]
async fn revisions_are_equal_by_content_and_sorted_by_number_age_and_name() {
    let world = World::new();
    let (one, other) =
        (world.revision(&json!({"a": 1, "b": 2}), 1), world.revision(&json!({"b": 2, "a": 1}), 9));
    assert!(equal_revisions(&one, &other));
    assert!(!equal_revisions(&one, &world.revision(&json!({"a": 2}), 1)));

    let named = |name: &str, number: i64, created: &str| -> Arc<ControllerRevision> {
        let json = json!({"metadata": {"name": name, "creationTimestamp": created}, "revision": number});
        Arc::new(serde_json::from_value(json).expect("a revision"))
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let mut revisions =
        vec![named("d", 3, early), named("c", 2, late), named("b", 2, early), named("a", 2, late)];
    sort_revisions(&mut revisions);
    let names: Vec<_> = revisions.iter().map(|revision| revision.metadata().name()).collect();
    assert_eq!(names, ["b", "a", "c", "d"]);
    assert_eq!((next_revision(&revisions), next_revision(&[])), (4, 1));
}
