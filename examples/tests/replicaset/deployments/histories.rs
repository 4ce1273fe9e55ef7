//! Revisions, rollbacks, adoption, collisions, and errors of users.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_controller::ownership::template_hash;
use trimtab_test_support::settle;

use super::cluster::{Cluster, SECOND, deployment, image, template};

const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// Rolls out `v1`, `v2` and `v3`.
async fn three_revisions(more: &serde_json::Value) -> Cluster {
    let cluster = Cluster::start();
    cluster.create(3, more).await;
    settle(20 * SECOND).await;
    for (version, cause) in [("v2", "edit"), ("v3", "again")] {
        let annotations = json!({"cause": cause});
        cluster
            .patch(json!({"metadata": {"annotations": annotations}, "spec": {"template": template(version)}}))
            .await;
        settle(20 * SECOND).await;
    }
    cluster
}

#[tokio::test(start_paused = true)]
async fn as_many_old_sets_are_kept_as_the_limit_says() {
    let cluster = three_revisions(&json!({"revisionHistoryLimit": 1})).await;
    assert_eq!(cluster.images().await, [image("v2", 2, 0, 0), image("v3", 3, 3, 3)]);
    cluster.patch(json!({"spec": {"revisionHistoryLimit": 0}})).await;
    settle(20 * SECOND).await;
    assert_eq!(cluster.images().await, [image("v3", 3, 3, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_takes_template_and_annotations_of_the_revision() {
    let mut cluster = three_revisions(&json!({})).await;
    cluster.events.take_all();
    cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "2"}}})).await;
    settle(30 * SECOND).await;
    let expected = [image("v1", 1, 0, 0), image("v3", 3, 0, 0), image("v2", 4, 3, 3)];
    assert_eq!(cluster.images().await, expected);
    let annotations = cluster.web().await.metadata.annotations.expect("annotations");
    assert_eq!(annotations.get("cause").map(String::as_str), Some("edit"));
    assert!(!annotations.contains_key(ROLLBACK));
    let events = cluster.events.take_all();
    assert_eq!(events[0], "Normal DeploymentRollback Rolled back deployment \"web\" to revision 2");

    cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "0"}}})).await; // the last one
    settle(30 * SECOND).await;
    assert_eq!(cluster.images().await.last(), Some(&image("v3", 5, 3, 3)));
}

/// The template and the rollback come in one patch, before any sync has seen the template: it becomes a revision all the same.
/// The last revision is then the one before it, as upstream's `rollback` makes the set first.
#[tokio::test(start_paused = true)]
async fn a_rollback_of_a_template_without_a_set_makes_its_revision_first() {
    let mut cluster = three_revisions(&json!({})).await;
    for (new, expected) in [("v4", 3), ("v5", 5)] {
        cluster.events.take_all();
        let template = json!({"template": template(new)});
        cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "0"}}, "spec": template})).await;
        settle(30 * SECOND).await;
        let events = cluster.events.take_all();
        let done = format!("Normal DeploymentRollback Rolled back deployment \"web\" to revision {expected}");
        assert!(events.contains(&done), "{events:?}");
        let rows = cluster.images().await;
        assert_eq!(rows[rows.len() - 2..], [image(new, expected + 1, 0, 0), image("v3", expected + 2, 3, 3)]);
    }
}

/// The same with a single revision before: there is a last one.
#[tokio::test(start_paused = true)]
async fn a_rollback_of_the_second_template_without_a_set_goes_to_the_first() {
    let mut cluster = Cluster::start();
    cluster.create(3, &json!({})).await;
    settle(20 * SECOND).await;
    cluster.events.take_all();
    let template = json!({"template": template("v2")});
    cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "0"}}, "spec": template})).await;
    settle(30 * SECOND).await;
    let events = cluster.events.take_all();
    let done = "Normal DeploymentRollback Rolled back deployment \"web\" to revision 1";
    assert!(events.iter().any(|event| event == done), "{events:?}");
    assert_eq!(cluster.images().await, [image("v2", 2, 0, 0), image("v1", 3, 3, 3)]);
}

/// The set of the third template is made for its revision alone while Pods of the first one end.
#[tokio::test(start_paused = true)]
async fn a_rollback_with_recreate_creates_no_pod_while_old_ones_run() {
    let cluster = Cluster::start();
    cluster.create(4, &json!({"strategy": {"type": "Recreate"}})).await;
    settle(20 * SECOND).await;
    let mut commits = cluster.server.commits();
    cluster.set_image("v2").await;
    settle(SECOND / 10).await; // the old Pods end after 200 ms
    assert_eq!((cluster.pods().await.len(), cluster.images().await.len()), (0, 1), "they are being deleted");
    let template = json!({"template": template("v3")});
    cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "0"}}, "spec": template})).await;
    settle(30 * SECOND).await;
    assert_eq!(cluster.images().await, [image("v3", 2, 0, 0), image("v1", 3, 4, 4)]);
    let last = cluster.server.resource_version();
    while let Some(commit) = commits.next().await {
        let is_new = commit.resource == "pods" && commit.object["metadata"]["labels"]["image"] == "v3";
        assert!(!is_new, "{commit:?}");
        if commit.version >= last {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_a_revision_that_is_gone_or_the_same_is_an_event() {
    let mut cluster = three_revisions(&json!({"revisionHistoryLimit": 1})).await;
    for (revision, expected) in [
        ("1", "Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to."),
        (
            "3",
            "Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current \
             deployment \"web\"",
        ),
    ] {
        cluster.events.take_all();
        cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: revision}}})).await;
        settle(10 * SECOND).await;
        assert_eq!(cluster.events.take_all(), [expected]);
        let annotations = cluster.web().await.metadata.annotations.expect("annotations");
        assert!(!annotations.contains_key(ROLLBACK), "the request is gone");
    }
    assert_eq!(cluster.images().await, [image("v2", 2, 0, 0), image("v3", 3, 3, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_new_deployment_adopts_the_set_with_its_template_whatever_its_name() {
    let cluster = Cluster::start();
    let (legacy, older) = (cluster.create_set("legacy", "v1").await, cluster.create_set("older", "v0").await);
    cluster.create(4, &json!({})).await;
    settle(20 * SECOND).await;
    let sets = cluster.sets().list(&ListParams::default()).await.expect("listed").items;
    assert_eq!(sets.len(), 2, "none is created");
    let owner = cluster.web().await.metadata.uid;
    for (set, before, wanted) in [(&sets[0], legacy, 4), (&sets[1], older, 0)] {
        assert_eq!((&set.metadata.uid, set.spec.replicas), (&before.metadata.uid, Some(wanted)));
        let owners = set.metadata.owner_references.as_deref().expect("it is adopted");
        assert_eq!(owners.first().map(|one| &one.uid), owner.as_ref());
    }
    assert_eq!(cluster.pods().await, ["v1"; 4]);
}

/// Upstream's `TestGetReplicaSetsForDeployment`.
#[tokio::test(start_paused = true)]
async fn two_deployments_with_one_selector_keep_their_own_sets() {
    let cluster = Cluster::start();
    cluster.create(1, &json!({})).await;
    settle(20 * SECOND).await;
    let mut other = deployment(2, &json!({"template": template("v2")}));
    other["metadata"]["name"] = json!("other");
    let other = serde_json::from_value(other).expect("a Deployment");
    cluster.deployments().create(&PostParams::default(), &other).await.expect("created");
    settle(20 * SECOND).await;
    assert_eq!(cluster.pods().await, ["v1", "v2", "v2"]);
    for set in cluster.sets().list(&ListParams::default()).await.expect("listed").items {
        let owners = set.metadata.owner_references.as_deref().expect("an owner");
        let name = set.metadata.name.expect("a name");
        assert!(owners.len() == 1 && name.starts_with(&owners[0].name), "{name} {owners:?}");
    }
}

/// Upstream's `TestReentrantRollback`: the sync of a rollback changes the Deployment, and no set before that is seen.
#[tokio::test(start_paused = true)]
async fn a_rollback_writes_the_deployment_before_any_set() {
    let cluster = three_revisions(&json!({})).await;
    cluster.server.request_log().clear();
    cluster.patch(json!({"metadata": {"annotations": {ROLLBACK: "0"}}})).await;
    settle(30 * SECOND).await;
    let requests = cluster.server.request_log().matching(&Filter::any().user_agent("controller"));
    let writes = requests.iter().filter(|one| !matches!(one.verb, Verb::Get | Verb::List | Verb::Watch));
    let writes: Vec<_> = writes.map(|one| (one.resource.clone(), one.subresource.clone())).collect();
    let of_spec =
        |(resource, subresource): &(String, String)| resource == "deployments.apps" && subresource.is_empty();
    assert!(of_spec(&writes[0]), "{writes:?}");
    assert_eq!(writes.iter().filter(|one| of_spec(one)).count(), 1, "once: {writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_leads_to_another_hash() {
    let cluster = Cluster::start();
    // The server completes the template with defaults, and the hash is that of the completed one.
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let web = serde_json::from_value(deployment(2, &json!({}))).expect("a Deployment");
    let template = cluster.deployments().create(&dry, &web).await.expect("valid").spec.template;
    let name = format!("web-{}", template_hash(&template, None).expect("JSON"));
    let stranger: ReplicaSet = serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "other"}},
            "template": {"metadata": {"labels": {"app": "other"}}, "spec": template.spec},
        },
    }))
    .expect("a ReplicaSet");
    cluster.sets().create(&PostParams::default(), &stranger).await.expect("created");
    cluster.create(2, &json!({})).await;
    settle(30 * SECOND).await;
    let web = cluster.web().await;
    assert_eq!(web.status.and_then(|status| status.collision_count), Some(1));
    assert_eq!(cluster.pods().await, ["v1"; 2]);
    assert_eq!(cluster.sets().get(&name).await.expect("kept").spec.replicas, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_no_longer_matches_is_released_and_replaced() {
    let cluster = Cluster::start();
    cluster.create(2, &json!({})).await;
    settle(20 * SECOND).await;
    let set = cluster.sets().list(&ListParams::default()).await.expect("listed").items.remove(0);
    let name = set.metadata.name.expect("a name");
    let patch = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
    cluster.sets().patch(&name, &PatchParams::default(), &patch).await.expect("patched");
    settle(30 * SECOND).await;
    let released = cluster.sets().get(&name).await.expect("kept");
    assert_eq!(released.metadata.owner_references, None);
    // The name of the new set is taken by the released one: a collision.
    assert_eq!(cluster.web().await.status.and_then(|status| status.collision_count), Some(1));
    assert_eq!(cluster.pods().await.len(), 4, "two of each set");
}

#[tokio::test(start_paused = true)]
async fn a_set_that_cannot_be_created_is_a_condition_and_an_event() {
    let mut cluster = Cluster::start();
    let creates = Filter::any().user_agent("controller").verb(Verb::Create).resource("replicasets.apps");
    let refused = cluster.server.faults().refuse(creates, Refusal::forbidden(), usize::MAX);
    cluster.create(2, &json!({"progressDeadlineSeconds": 60})).await;
    settle(SECOND).await;
    assert_eq!(cluster.progressing().await, ("False".to_owned(), "ReplicaSetCreateError".to_owned()));
    let events = cluster.events.take_all();
    assert!(
        events[0].starts_with("Warning ReplicaSetCreateError Failed to create new replica set"),
        "{events:?}"
    );
    refused.release();
    settle(60 * SECOND).await;
    assert_eq!(cluster.pods().await, ["v1"; 2]);
    assert_eq!(cluster.progressing().await.1, "NewReplicaSetAvailable");
}

#[tokio::test(start_paused = true)]
async fn annotations_and_min_ready_seconds_follow_the_deployment() {
    let cluster = Cluster::start();
    cluster.create(2, &json!({})).await;
    settle(20 * SECOND).await;
    cluster.patch(json!({"metadata": {"annotations": {"cause": "x"}}, "spec": {"minReadySeconds": 3}})).await;
    settle(10 * SECOND).await;
    let set = cluster.sets().list(&ListParams::default()).await.expect("listed").items.remove(0);
    assert_eq!(set.spec.min_ready_seconds, Some(3));
    assert_eq!(set.metadata.annotations.expect("annotations").get("cause").map(String::as_str), Some("x"));
    assert_eq!(cluster.images().await, [image("v1", 1, 2, 2)], "no rollout");
}
