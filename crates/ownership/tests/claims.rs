//! The promises of claiming, seen from the requests that a server gets.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{Namespace, Pod},
};
use kube_client::{Client, ResourceExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use trimtab_apiserver::{ApiServer, Filter, Verb};
use trimtab_cache::{MetaView, Metadata, Object, StoreWriter};
use trimtab_ownership::{ClaimError, Claims, OwnerIndex, controller_reference};
use trimtab_test_support::server::{ApiRequest, Requests, answering, failure};

const DELETED: &str = "2026-01-01T00:00:00Z";

fn set(deleted: bool) -> ReplicaSet {
    let mut set = json!({
        "metadata": {"namespace": "default", "name": "web", "uid": "u1"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
    });
    if deleted {
        set["metadata"]["deletionTimestamp"] = DELETED.into();
    }
    serde_json::from_value(set).expect("a replica set")
}

/// The controller of a Pod of a test.
enum Owner {
    Nobody,
    Us,
    Another,
}

fn pod_json(name: &str, app: &str, owner: &Owner) -> Value {
    let mut pod = json!({"metadata": {
        "namespace": "default", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "7", "labels": {"app": app},
    }});
    let mut reference = controller_reference(&set(false)).expect("a named set");
    match owner {
        Owner::Nobody => return pod,
        Owner::Us => {}
        Owner::Another => reference.uid = "u2".into(),
    }
    pod["metadata"]["ownerReferences"] = json!([reference]);
    pod
}

fn pod(name: &str, app: &str, owner: &Owner) -> Arc<Pod> {
    Arc::new(serde_json::from_value(pod_json(name, app, owner)).expect("a pod"))
}

fn being_deleted(pod: &Pod) -> Arc<Pod> {
    let mut pod = serde_json::to_value(pod).expect("a pod");
    pod["metadata"]["deletionTimestamp"] = DELETED.into();
    Arc::new(serde_json::from_value(pod).expect("a pod"))
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    (code, failure(code, reason))
}

/// The server knows the set, and takes every patch.
fn willing(call: &ApiRequest) -> (u16, Value) {
    match (call.method.as_str(), call.path.ends_with("/replicasets/web")) {
        ("GET", true) => (200, json!(set(false))),
        ("PATCH", _) => (200, json!({"metadata": {}})),
        _ => refusal(404, "NotFound"),
    }
}

fn claims_of(client: Client, owner: &ReplicaSet) -> Claims {
    Claims::new(client, owner, "app=web".parse().expect("a selector")).expect("a named set")
}

fn names<T: Object>(objects: &[Arc<T>]) -> Vec<&str> {
    objects.iter().map(|object| object.metadata().name()).collect()
}

/// Claims `pods` for the set; the claimed Pods, and the requests. From an index, the outcome is the same.
async fn claim(deleted: bool, pods: Vec<Arc<Pod>>) -> (Vec<String>, Requests) {
    let mut writer = StoreWriter::<Pod>::new();
    let index = OwnerIndex::add(writer.store());
    pods.iter().for_each(|pod| drop(writer.apply(Pod::clone(pod))));
    let (client, indexed_calls) = answering(willing);
    let indexed = claims_of(client, &set(deleted)).claim_from(&index).await.expect("a willing server");

    let (client, calls) = answering(willing);
    let claimed = claims_of(client, &set(deleted)).claim(pods).await.expect("a willing server");
    let same = |ours: &[Arc<Pod>]| ours.iter().map(|pod| pod.name_any()).collect::<BTreeSet<_>>();
    assert_eq!(same(&indexed), same(&claimed));
    let sent = |calls: &Requests| {
        let calls = calls.all().into_iter();
        calls.map(|call| format!("{} {} {}", call.method, call.path, call.body)).collect::<BTreeSet<_>>()
    };
    assert_eq!(sent(&indexed_calls), sent(&calls));
    (names(&claimed).into_iter().map(ToOwned::to_owned).collect(), calls)
}

/// OW-T1.
#[tokio::test]
async fn a_matching_orphan_is_adopted_and_others_are_ignored() {
    let (claimed, calls) =
        claim(false, vec![pod("a", "web", &Owner::Nobody), pod("b", "db", &Owner::Nobody)]).await;
    assert_eq!(claimed, ["a"]);
    let [patch] = &calls.of("PATCH")[..] else { panic!("one patch: {calls:?}") };
    assert_eq!(patch.path, "/api/v1/namespaces/default/pods/a");
    let reference = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u1", "controller": true, "blockOwnerDeletion": true,
    });
    assert_eq!(
        patch.body,
        json!({"metadata": {"uid": "uid-a", "ownerReferences": [reference]}}),
        "guarantee 4: the very object that was seen"
    );
}

/// OW-T2, guarantee 2.
#[tokio::test]
async fn an_owner_that_is_being_deleted_neither_adopts_nor_releases() {
    let (claimed, calls) =
        claim(true, vec![pod("a", "web", &Owner::Nobody), pod("b", "db", &Owner::Us)]).await;
    assert_eq!(claimed, [""; 0]);
    assert_eq!(calls.all(), []);
}

/// OW-T3.
#[tokio::test]
async fn an_owner_that_is_being_deleted_keeps_what_it_controls() {
    let (claimed, calls) =
        claim(true, vec![pod("a", "web", &Owner::Us), pod("b", "web", &Owner::Nobody)]).await;
    assert_eq!(claimed, ["a"]);
    assert_eq!(calls.all(), []);
}

/// OW-T4, guarantee 1.
#[tokio::test]
async fn what_another_object_controls_is_never_written_to() {
    let pods =
        vec![pod("a", "web", &Owner::Us), pod("b", "web", &Owner::Another), pod("c", "db", &Owner::Another)];
    let (claimed, calls) = claim(false, pods).await;
    assert_eq!(claimed, ["a"]);
    assert_eq!(calls.all(), []);
}

/// OW-T5.
#[tokio::test]
async fn what_no_longer_matches_is_released() {
    let (claimed, calls) = claim(false, vec![pod("a", "web", &Owner::Us), pod("b", "db", &Owner::Us)]).await;
    assert_eq!(claimed, ["a"]);
    let [patch] = &calls.all()[..] else { panic!("one patch and no recheck: {calls:?}") };
    assert_eq!(patch.path, "/api/v1/namespaces/default/pods/b");
    assert_eq!(
        patch.body,
        json!({"metadata": {"uid": "uid-b", "ownerReferences": [{"$patch": "delete", "uid": "u1"}]}})
    );
}

/// OW-T6.
#[tokio::test]
async fn an_object_that_is_being_deleted_is_kept_but_not_adopted() {
    let pods =
        vec![being_deleted(&pod("a", "web", &Owner::Us)), being_deleted(&pod("b", "web", &Owner::Nobody))];
    let (claimed, calls) = claim(false, pods).await;
    assert_eq!(claimed, ["a"]);
    assert_eq!(calls.all(), []);
}

/// OW-T7.
#[tokio::test]
async fn finalizers_are_added_when_adopting_and_removed_when_releasing() {
    let (client, calls) = answering(willing);
    let claims = claims_of(client, &set(false)).finalizers(["foo/one", "foo/two"]);
    let claimed =
        claims.claim([pod("a", "web", &Owner::Nobody), pod("b", "db", &Owner::Us)]).await.expect("willing");
    assert_eq!(names(&claimed), ["a"]);
    let patches = calls.of("PATCH");
    let of =
        |name: &str| patches.iter().find(|patch| patch.path.ends_with(name)).expect("a patch").body.clone();
    let (adopt, release) = (of("/a"), of("/b"));
    assert_eq!(patches.len(), 2);
    assert_eq!(adopt["metadata"]["finalizers"], json!(["foo/one", "foo/two"]));
    assert_eq!(adopt["metadata"]["ownerReferences"][0]["uid"], "u1");
    assert_eq!(release["metadata"]["$deleteFromPrimitiveList/finalizers"], json!(["foo/one", "foo/two"]));
    assert_eq!(release["metadata"]["uid"], "uid-b");
}

/// OW-T8.
#[tokio::test]
async fn a_namespaced_owner_ignores_other_namespaces() {
    let mut elsewhere = (*pod("a", "web", &Owner::Nobody)).clone();
    elsewhere.metadata.namespace = Some("other".into());
    let (claimed, calls) = claim(false, vec![Arc::new(elsewhere)]).await;
    assert_eq!(claimed, [""; 0]);
    assert_eq!(calls.all(), []);
}

/// OW-T9.
#[tokio::test]
async fn a_cluster_scoped_owner_claims_across_namespaces() {
    let owner: Namespace =
        serde_json::from_value(json!({"metadata": {"name": "n", "uid": "u1"}})).expect("an owner");
    let other = serde_json::to_value(&owner).expect("an owner");
    let (client, calls) = answering(move |call| match call.path.as_str() {
        "/api/v1/namespaces/n" => (200, other.clone()),
        _ => willing(call),
    });
    let mut elsewhere = (*pod("b", "web", &Owner::Nobody)).clone();
    elsewhere.metadata.namespace = Some("other".into());
    let claims = Claims::new(client, &owner, "app=web".parse().expect("a selector")).expect("a named owner");
    let claimed =
        claims.claim([pod("a", "web", &Owner::Nobody), Arc::new(elsewhere)]).await.expect("willing");
    assert_eq!(names(&claimed), ["a", "b"]);
    let mut paths: Vec<_> = calls.of("PATCH").into_iter().map(|call| call.path).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/api/v1/namespaces/default/pods/a", "/api/v1/namespaces/other/pods/b"]);
    assert_eq!(calls.of("GET").len(), 1, "the owner was read once");
}

/// Guarantee 3. The line that it guards: `get_or_init` in `Adoption::allowed`.
#[tokio::test]
async fn whether_the_owner_may_adopt_is_asked_once_and_only_for_an_orphan() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (client, _) = answering(willing);
    let claims = claims_of(client, &set(false)).can_adopt(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Infallible>(()) }
    });
    claims.claim([pod("a", "web", &Owner::Us), pod("b", "db", &Owner::Us)]).await.expect("willing");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let orphans = ["c", "d", "e"].map(|name| pod(name, "web", &Owner::Nobody));
    assert_eq!(claims.claim(orphans).await.expect("willing").len(), 3);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// As the recheck of Kubernetes' controllers (`RecheckDeletionTimestamp`): a read past the cache.
#[tokio::test]
async fn an_owner_that_was_replaced_or_is_being_deleted_or_cannot_be_read_adopts_nothing() {
    for (answer, reason) in [
        (
            (200, json!({"metadata": {"name": "web", "uid": "u9"}})),
            "the owner is gone: its name now belongs to UID \"u9\"",
        ),
        (
            (200, json!({"metadata": {"name": "web", "uid": "u1", "deletionTimestamp": DELETED}})),
            "the owner is being deleted",
        ),
        (refusal(404, "NotFound"), "reading the owner again"),
    ] {
        let (client, calls) =
            answering(move |call| if call.method == "GET" { answer.clone() } else { willing(call) });
        let pods =
            [pod("a", "web", &Owner::Nobody), pod("b", "web", &Owner::Us), pod("c", "web", &Owner::Nobody)];
        let error = claims_of(client, &set(false)).claim(pods).await.expect_err("denied");
        assert_eq!(names(error.claimed()), ["b"]);
        assert_eq!(error.failures().len(), 2);
        assert!(error.failures().iter().all(|failure| failure.is_denied() && failure.is_adoption()));
        assert_eq!(calls.all().len(), 1, "one read, no patch");
        assert_eq!(
            chain(&error)[..4],
            [
                "ReplicaSet default/web (uid u1) could not claim 2 of its dependents: adopting default/a, adopting default/c",
                "adopting default/a",
                "ReplicaSet default/web (uid u1) may not adopt",
                reason,
            ]
        );
    }
}

fn chain<T>(error: &ClaimError<T>) -> Vec<String> {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    std::iter::from_fn(|| {
        let this = next?;
        next = this.source();
        Some(this.to_string())
    })
    .collect()
}

/// Adopts the orphan `a` and releases `b`, with `answer` for every patch and `now` for reading a Pod.
async fn with_patches_answered(
    answer: (u16, Value),
    now: (u16, Value),
) -> Result<Vec<Arc<Pod>>, ClaimError<Pod>> {
    let (client, _) = answering(move |call| match (call.method.as_str(), call.path.contains("/pods/")) {
        ("PATCH", _) => answer.clone(),
        ("GET", true) => now.clone(),
        _ => willing(call),
    });
    let pods = [pod("a", "web", &Owner::Nobody), pod("b", "db", &Owner::Us), pod("c", "web", &Owner::Us)];
    claims_of(client, &set(false)).claim(pods).await
}

/// The response to reading a live Pod with this UID.
fn same(uid: &str) -> (u16, Value) {
    (200, json!({"metadata": {"name": "any", "uid": uid}}))
}

/// Guarantee 5. As Kubernetes' `PodControllerRefManager`: `NotFound` is no error when adopting or releasing,
/// nor is Invalid when releasing.
#[tokio::test]
async fn a_dependent_that_is_gone_is_no_error_and_one_that_fails_does_not_stop_the_others() {
    let gone = with_patches_answered(refusal(404, "NotFound"), refusal(404, "NotFound")).await.expect("gone");
    assert_eq!(names(&gone), ["c"]);

    let error = with_patches_answered(refusal(422, "Invalid"), same("uid-a")).await.expect_err("invalid");
    assert_eq!(names(error.claimed()), ["c"]);
    assert_eq!(error.failures().len(), 1, "releasing what has no reference of ours is done");
    assert!(error.failures()[0].is_adoption());

    let error = with_patches_answered(refusal(500, "InternalError"), refusal(404, "NotFound"))
        .await
        .expect_err("error");
    assert_eq!(names(&error.into_claimed()), ["c"]);
}

/// A status without a body and reason, as a proxy sends it: the code alone counts.
#[tokio::test]
async fn a_not_found_without_a_reason_counts_as_gone() {
    let gone = with_patches_answered((404, json!("gone")), refusal(404, "NotFound")).await.expect("gone");
    assert_eq!(names(&gone), ["c"]);
}

/// Guarantee 4: a conflict is an error while the object lives, and none once it was replaced.
#[tokio::test]
async fn a_conflict_is_an_error_unless_the_object_is_gone() {
    let error = with_patches_answered(refusal(409, "Conflict"), same("uid-a")).await.expect_err("a conflict");
    let failed: Vec<_> =
        error.failures().iter().map(|failure| (failure.key().name(), failure.is_conflict())).collect();
    assert_eq!(failed, [("a", true)], "b was replaced: its UID is another");

    for now in [same("uid-new"), refusal(404, "NotFound")] {
        let gone = with_patches_answered(refusal(409, "Conflict"), now).await.expect("both are gone");
        assert_eq!(names(&gone), ["c"]);
    }
}

#[derive(Debug, Deserialize)]
struct PodView {
    metadata: MetaView,
}

impl Object for PodView {
    type Kind = Pod;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// Views are claimed like whole objects, and patched where their kind is.
#[tokio::test]
async fn views_are_claimed_and_filters_see_only_what_the_selector_matches() {
    let (client, calls) = answering(willing);
    let view = |name, app| {
        Arc::new(serde_json::from_value::<PodView>(pod_json(name, app, &Owner::Nobody)).expect("a view"))
    };
    let pods = [view("a", "web"), view("b", "web"), view("c", "db")];
    let claimed = claims_of(client, &set(false))
        .claim_with(pods, &(), |pod| {
            assert_eq!(pod.metadata.label("app"), Some("web"));
            pod.metadata.name != "b"
        })
        .await
        .expect("willing");
    assert_eq!(names(&claimed), ["a"]);
    assert_eq!(calls.of("PATCH")[0].path, "/api/v1/namespaces/default/pods/a");
}

/// The version precondition is an option: with it, a Pod that was merely touched is a conflict.
#[tokio::test]
async fn a_patch_names_the_resource_version_only_if_asked_to() {
    for (require, version) in [(false, Value::Null), (true, json!("7"))] {
        let (client, calls) = answering(willing);
        let claims = claims_of(client, &set(false)).require_version(require);
        claims.claim([pod("a", "web", &Owner::Nobody)]).await.expect("willing");
        assert_eq!(calls.of("PATCH")[0].body["metadata"]["resourceVersion"], version);
    }
}

/// A kind that knows no strategic merge patches, as custom resources, whatever its group is.
#[tokio::test]
async fn a_kind_without_strategic_patches_gets_merge_patches_of_the_version_that_was_seen() {
    let (client, calls) = answering(|call| match call.method.as_str() {
        "PATCH" if call.headers["content-type"] == "application/strategic-merge-patch+json" => {
            refusal(415, "UnsupportedMediaType")
        }
        _ => willing(call),
    });
    let claims = claims_of(client, &set(false)).concurrency(NonZeroUsize::MIN);
    let claimed = claims.claim([pod("a", "web", &Owner::Nobody), pod("b", "db", &Owner::Us)]).await;
    assert_eq!(names(&claimed.expect("willing")), ["a"]);
    let [refused, adopt, release] = &calls.of("PATCH")[..] else { panic!("three patches: {calls:?}") };
    assert_eq!(refused.path, adopt.path);
    assert_eq!(adopt.body["metadata"]["resourceVersion"], "7");
    assert_eq!(
        release.body,
        json!({"metadata": {"uid": "uid-b", "resourceVersion": "7", "ownerReferences": null}}),
        "the first refusal holds for the whole sync"
    );
}

/// A merge patch of a stale list is refused: the list is read and patched once more, and no sync fails.
#[tokio::test]
async fn a_merge_patch_of_a_stale_list_is_repeated_with_the_present_one() {
    for (now, claimed) in [(Owner::Nobody, true), (Owner::Us, true), (Owner::Another, false)] {
        let patched = matches!(now, Owner::Nobody);
        let (client, calls) =
            answering(move |call| match (call.method.as_str(), call.path.contains("/pods/")) {
                ("GET", true) => {
                    let mut pod = pod_json("a", "web", &now);
                    pod["metadata"]["resourceVersion"] = "9".into();
                    (200, pod)
                }
                ("PATCH", _) if call.headers["content-type"] != "application/merge-patch+json" => {
                    refusal(415, "UnsupportedMediaType")
                }
                ("PATCH", _) if call.body["metadata"]["resourceVersion"] == "7" => refusal(409, "Conflict"),
                _ => willing(call),
            });
        let list = claims_of(client, &set(false)).claim([pod("a", "web", &Owner::Nobody)]).await;
        assert_eq!(!list.expect("willing").is_empty(), claimed);
        let last = calls.of("PATCH").pop().expect("patches");
        assert_eq!(last.body["metadata"]["resourceVersion"] == "9", patched);
    }
}

/// Guarantee 6. The line that it guards: `buffered` in `Claims::claim_with`.
#[tokio::test(start_paused = true)]
async fn adoptions_run_at_once_and_no_more_of_them_than_allowed() {
    let server = ApiServer::builder().controllers(false).start();
    let _delay =
        server.faults().delay(Filter::any().verb(Verb::Patch), Duration::from_millis(20), usize::MAX);
    let (client, start) = (server.client(), Instant::now());
    let pods = (0..320).map(|number| pod(&format!("gone-{number}"), "web", &Owner::Nobody));
    let claims = claims_of(client, &set(false)).can_adopt(|| async { Ok::<_, Infallible>(()) });
    assert_eq!(claims.claim(pods).await.expect("no Pod exists").len(), 0);
    assert_eq!(start.elapsed(), Duration::from_millis(200), "10 times 32");
}

/// Guarantee 7: kube-client sets no deadline of its own.
#[tokio::test(start_paused = true)]
async fn a_patch_without_a_reply_fails_after_its_deadline_and_stops_no_other() {
    let server = ApiServer::builder().controllers(false).start();
    let _held = server.faults().hold(Filter::any().verb(Verb::Patch).name("a"));
    let claims = claims_of(server.client(), &set(false)).can_adopt(|| async { Ok::<_, Infallible>(()) });
    let pods =
        [pod("a", "web", &Owner::Nobody), pod("b", "web", &Owner::Nobody), pod("c", "web", &Owner::Us)];
    let start = Instant::now();
    let error = claims.claim(pods).await.expect_err("no reply");
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(names(error.claimed()), ["c"]);
    assert!(error.failures().len() == 1 && error.failures()[0].is_timeout());
}

/// Reconcilers are spawned: claiming must be `Send` whatever is claimed.
#[test]
fn claiming_can_be_spawned_in_generic_code() {
    fn is_send<T: Object>(
        claims: &Claims,
        objects: Vec<Arc<T>>,
        kind: &<T::Kind as kube_client::Resource>::DynamicType,
    ) {
        fn check(_: impl Future + Send) {}
        check(claims.claim_with(objects, kind, |_| true));
    }
    let _ = is_send::<Pod>;
}
