//! The writer: owner, manager, ledger, fence, and applies that are not sent without need.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube_client::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde_json::json;
use trimtab_apiserver::{Filter, Verb};
use trimtab_controller::{
    Applied, Because, Ledger, OwnWrites, Writer,
    cache::{Metadata, Object},
    deterministic_name,
    informer::Informer,
    leaderelection::{FenceLayer, LeaderElector},
};
use trimtab_test_support::settle;

use crate::{
    lines::Lines,
    world::{MS, SECOND, World, key},
};

struct Writing {
    world: World,
    owner: ConfigMap,
    maps: Informer<ConfigMap>,
    writes: OwnWrites,
    writer: Writer,
}

impl Writing {
    async fn new() -> Self {
        let world = World::new();
        let owner = world.map("owner").await;
        let (maps, pods) = (world.maps.clone(), world.informers.informer::<Pod>());
        let writes = OwnWrites::new(Ledger::new(), &maps).of(&maps).of(&pods);
        let writer = Writer::new(world.client.clone(), "web-controller").own_writes(writes.clone());
        world.informers.start();
        assert!(maps.wait_for_sync().await && pods.wait_for_sync().await);
        Self { world, owner, maps, writes, writer }
    }

    async fn waits(&self) -> bool {
        self.writes.wait(&key("owner"), &self.world.client).await.expect("a server that answers").is_some()
    }

    async fn apply(&self, data: &[(&str, &str)]) -> Applied<ConfigMap> {
        let applied = self.writer.apply(&self.owner, config("config", data), self.maps.store()).await;
        applied.expect("applied")
    }
}

fn config(name: &str, data: &[(&str, &str)]) -> ConfigMap {
    let data: BTreeMap<_, _> =
        data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut map = ConfigMap { data: Some(data), ..ConfigMap::default() };
    map.metadata.name = Some(name.to_owned());
    map
}

fn pod(name: &str) -> Pod {
    let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    serde_json::from_value(pod).expect("a Pod")
}

/// Guarantee 1: the ledger knows of each write, and the key waits until the cache shows it.
#[tokio::test(start_paused = true)]
async fn creates_deletes_patches_and_applies_are_recorded_in_the_ledger() {
    let writing = Writing::new().await;
    let stall = |resource: &str| {
        writing.world.server.faults().stall_watches(Filter::any().verb(Verb::Watch).resource(resource))
    };
    let stalled = stall("pods");
    let made = writing.writer.create(&writing.owner, pod("p")).await.expect("created");
    let metadata = made.metadata.clone();
    assert_eq!(metadata.namespace.as_deref(), Some("default"));
    assert_eq!(metadata.managed_fields.expect("recorded")[0].manager.as_deref(), Some("web-controller"));
    assert_eq!(made.metadata().controller().map(|owner| owner.name.as_str()), Some("owner"));
    assert!(writing.waits().await, "a create");
    stalled.release();
    settle(SECOND).await;
    assert!(!writing.waits().await);

    let stalled = stall("pods");
    let patch = Patch::Merge(json!({"metadata": {"labels": {"a": "1"}}}));
    let patched = writing.writer.patch(&writing.owner, &made, &patch).await.expect("patched");
    assert_eq!(patched.metadata().label("a"), Some("1"));
    assert!(writing.waits().await, "a patch");
    stalled.release();
    settle(SECOND).await;
    assert!(!writing.waits().await);

    let stalled = stall("pods");
    writing.writer.delete(&writing.owner, &made).await.expect("deleted");
    assert!(writing.waits().await, "a delete");
    stalled.release();
    settle(SECOND).await;
    assert!(!writing.waits().await);

    let stalled = stall("configmaps");
    assert_eq!(writing.apply(&[("a", "1")]).await.because(), Some(&Because::First));
    assert!(writing.waits().await, "an apply");
    stalled.release();
    settle(SECOND).await;
    assert!(!writing.waits().await);
    writing.writer.delete(&writing.owner, &made).await.expect("it is gone, which is as wanted");
}

/// Guarantee 1 for a create whose reply is hardly read.
#[tokio::test(start_paused = true)]
async fn a_create_of_which_only_the_version_is_read_is_recorded_like_another() {
    let writing = Writing::new().await;
    let stalled = writing.world.server.faults().stall_watches(Filter::any().resource("pods"));
    let made = writing.writer.create_written(&writing.owner, pod("p")).await.expect("created");
    assert_eq!(made.meta().name.as_deref(), Some("p"));
    assert!(made.meta().resource_version.is_some() && made.meta().owner_references.is_none());
    let pods: Api<Pod> = Api::default_namespaced(writing.world.client.clone());
    let pod = pods.get("p").await.expect("it exists");
    assert_eq!(pod.metadata().controller().map(|owner| owner.name.as_str()), Some("owner"));
    assert!(writing.waits().await);
    stalled.release();
    settle(SECOND).await;
    assert!(!writing.waits().await);
}

/// Guarantee 3, each of its three conditions.
#[tokio::test(start_paused = true)]
async fn an_apply_is_omitted_only_if_nothing_is_to_change_and_says_why_not() {
    let writing = Writing::new().await;
    assert_eq!(writing.apply(&[("a", "1")]).await.because(), Some(&Because::First));
    settle(SECOND).await;
    let before = writing.world.writes();
    let unchanged = writing.apply(&[("a", "1")]).await;
    assert!(matches!(&unchanged, Applied::Unchanged(map) if map.data.is_some()), "{unchanged:?}");
    assert_eq!(writing.world.writes(), before, "nothing was sent");

    // 1. Another object.
    assert_eq!(writing.apply(&[("a", "2")]).await.because(), Some(&Because::Changed));
    // 2. The cache has not reached that version: nobody knows what became of it.
    let stalled = writing.world.server.faults().stall_watches(Filter::any().resource("configmaps"));
    assert_eq!(writing.apply(&[("a", "3")]).await.because(), Some(&Because::Changed));
    assert_eq!(writing.apply(&[("a", "3")]).await.because(), Some(&Because::CacheBehind));
    stalled.release();
    settle(SECOND).await;
    assert_eq!(writing.apply(&[("a", "3")]).await.because(), None);
    // Another manager's field is none of ours.
    writing.world.patch("config", json!({"data": {"b": "1"}})).await;
    settle(SECOND).await;
    assert_eq!(writing.apply(&[("a", "3")]).await.because(), None);
    // 3. An applied field does not stand any more.
    writing.world.patch("config", json!({"data": {"a": "other"}})).await;
    settle(SECOND).await;
    let lost = Because::FieldLost { path: ".data.a".to_owned(), rounds: 1 };
    assert_eq!(writing.apply(&[("a", "3")]).await.because(), Some(&lost));
    settle(SECOND).await;
    writing.world.delete("config").await;
    settle(SECOND).await;
    let again = writing.apply(&[("a", "3")]).await;
    assert_eq!(again.because(), Some(&Because::Deleted));
    assert_eq!(again.object().data.as_ref().and_then(|data| data.get("a")).map(String::as_str), Some("3"));
}

/// Incident 25 (kubernetes#68432, #61998): two controllers, or two versions of one, chase each other.
#[tokio::test(start_paused = true)]
async fn two_writers_that_undo_each_other_are_reported_after_ten_rounds() {
    let (lines, _guard) = Lines::capture();
    let writing = Writing::new().await;
    let fight = "two writers undo each other";
    let _ = writing.apply(&[("a", "ours")]).await;
    for round in 1..=20 {
        let theirs = Patch::Merge(json!({"data": {"a": "theirs"}}));
        let params =
            PatchParams { field_manager: Some("other-controller".to_owned()), ..PatchParams::default() };
        writing.world.api::<ConfigMap>().patch("config", &params, &theirs).await.expect("patched");
        settle(SECOND).await;
        let ours = writing.apply(&[("a", "ours")]).await;
        assert!(
            matches!(ours.because(), Some(Because::FieldLost { rounds, .. }) if *rounds == round),
            "{ours:?}"
        );
        settle(SECOND).await;
        let calm = writing.apply(&[("a", "ours")]).await;
        assert_eq!(calm.because(), None, "it stands for a moment in each round");
        assert_eq!(lines.containing(fight).len(), round as usize / 10);
    }
    let line = &lines.containing(fight)[0];
    for part in ["default/config", ".data.a", "web-controller", "rounds=10"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

/// Guarantee 2, in the writer of a client without a fence.
#[tokio::test(start_paused = true)]
async fn behind_a_fence_nothing_is_written_without_leadership() {
    let writing = Writing::new().await;
    let mut elector = LeaderElector::builder(writing.world.server.client(), "default", "web")
        .build()
        .expect("sound settings");
    let fence: FenceLayer = elector.fence();
    let observer = elector.observer();
    let writer = writing.writer.clone().fence(&fence).lease_transitions("example.com/term", observer);
    let refused = writer.create(&writing.owner, pod("early")).await.expect_err("nobody leads");
    assert!(refused.is_refusal(), "{refused}");
    assert!(!writing.waits().await, "nothing was sent, so nothing is awaited");
    let led = async |_| {
        settle(MS).await;
        writer.create(&writing.owner, pod("led")).await.expect("created")
    };
    let outcome = elector.run(settle(30 * SECOND), led).await;
    let made = outcome.into_output().expect("it ended by itself");
    let annotations = made.metadata.annotations.unwrap_or_default();
    assert_eq!(annotations.get("example.com/term").map(String::as_str), Some("0"));
    assert!(writer.create(&writing.owner, pod("late")).await.is_err());
    let pods: Api<Pod> = writing.world.api();
    assert!(pods.get_opt("early").await.expect("a reply").is_none());
    assert!(pods.get_opt("late").await.expect("a reply").is_none());
}

/// The number of the term is no change of an object: a new leader does not write what stands. A change gets its number.
#[tokio::test(start_paused = true)]
async fn an_apply_has_the_number_of_the_term_that_wrote_it() {
    let writing = Writing::new().await;
    let elector = LeaderElector::builder(writing.world.server.client(), "default", "web");
    let mut elector = elector.release_on_cancel(true).build().expect("sound settings");
    let writer = writing
        .writer
        .clone()
        .fence(&elector.fence())
        .lease_transitions("example.com/term", elector.observer());
    let apply = async |value: &str| {
        let applied =
            writer.apply(&writing.owner, config("config", &[("a", value)]), writing.maps.store()).await;
        settle(SECOND).await; // the cache has it
        applied.expect("applied")
    };
    let term = |map: &ConfigMap| map.metadata.annotations.as_ref()?.get("example.com/term").cloned();
    let first = elector.run(settle(30 * SECOND), async |_| apply("1").await).await;
    let first = first.into_output().expect("it ended by itself");
    let number: u32 = term(first.object()).and_then(|term| term.parse().ok()).expect("a number");
    let second = async |_| (apply("1").await, apply("2").await);
    let second = elector.run(settle(30 * SECOND), second).await;
    let (same, changed) = second.into_output().expect("it ended by itself");
    assert!(matches!(same, Applied::Unchanged(_)), "{same:?}");
    assert_eq!(term(same.object()), Some(number.to_string()));
    assert_eq!(term(changed.object()), Some((number + 1).to_string()));
}

/// A create whose reply is lost is repeated under the same name: the server has one object.
#[tokio::test(start_paused = true)]
async fn a_deterministic_name_makes_no_twin() {
    let writing = Writing::new().await;
    let name = deterministic_name(&writing.owner, 3);
    assert!(
        name.starts_with("owner-") && name.ends_with("-3") && name == deterministic_name(&writing.owner, 3)
    );
    let _lost =
        writing.world.server.faults().lose_reply(Filter::any().verb(Verb::Create).resource("pods"), 1);
    writing.writer.create(&writing.owner, pod(&name)).await.expect_err("no reply");
    let again = writing.writer.create(&writing.owner, pod(&name)).await.expect_err("it exists");
    assert!(again.is_conflict(), "{again}");
    let pods =
        writing.world.api::<Pod>().list(&kube_client::api::ListParams::default()).await.expect("a list");
    assert_eq!(pods.items.len(), 1);
}

/// A dependent in another namespace would be deleted by the garbage collector.
#[tokio::test(start_paused = true)]
async fn an_owner_in_another_namespace_is_refused_before_anything_is_sent() {
    let writing = Writing::new().await;
    let mut elsewhere = config("config", &[]);
    elsewhere.metadata.namespace = Some("kube-system".to_owned());
    let error =
        writing.writer.apply(&writing.owner, elsewhere, writing.maps.store()).await.expect_err("refused");
    assert!(error.is_refusal() && error.to_string().contains("namespace"), "{error}");
    assert_eq!(writing.world.writes(), 0);
}
