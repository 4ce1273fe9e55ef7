//! Assertions on what controllers wrote. Each is shown to fail.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use k8s_openapi::api::core::v1::ConfigMap;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_testing::TestCluster;

use crate::world::{copier, create_map};

/// Returns the message of an assertion that must fail.
fn message(failed: Result<(), Box<dyn std::any::Any + Send>>) -> String {
    let panic = failed.expect_err("the assertion fails");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn failing(assertion: impl FnOnce()) -> String {
    message(std::panic::catch_unwind(AssertUnwindSafe(assertion)))
}

#[tokio::test(start_paused = true)]
async fn writes_are_counted_without_those_of_the_test() {
    let cluster = TestCluster::start();
    let _running = cluster.run(copier(&cluster, true));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    let requests = cluster.requests();
    requests.assert_wrote_once();
    requests.assert_no_conflict();
    requests.of("configmaps").assert_wrote_nothing();
    assert_eq!(
        failing(|| requests.assert_wrote_nothing()),
        "expected no write, but there were 1:\npatch secrets default/a: 201"
    );
    cluster.forget();
    cluster.requests().assert_wrote_nothing();
    assert!(
        failing(|| cluster.requests().assert_wrote_once())
            .starts_with("expected one write, but there were 0")
    );
}

#[tokio::test(start_paused = true)]
async fn a_conflict_and_a_lost_reply_are_shown() {
    let cluster = TestCluster::start();
    let patches = || Filter::any().verb(Verb::Patch);
    let _conflict = cluster.server().faults().refuse(patches(), Refusal::conflict(), 1);
    let _running = cluster.run(copier(&cluster, true));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    assert_eq!(
        failing(|| cluster.requests().assert_no_conflict()),
        "expected no conflict, but there were 1:\npatch secrets default/a: 409"
    );
    cluster.forget();
    let _lost = cluster.server().faults().lose_reply(patches(), 1);
    create_map(&cluster, "b").await;
    cluster.until_idle().await;
    assert!(
        cluster.requests().to_string().contains("patch secrets default/b: no reply"),
        "{}",
        cluster.requests()
    );
    assert_eq!(cluster.commits("secrets").len(), 1, "written once, though a reply was lost");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_writes_only_what_is_missing_settles() {
    let cluster = TestCluster::start();
    let _running = cluster.run(copier(&cluster, true));
    create_map(&cluster, "a").await;
    cluster.assert_settles().await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_writes_every_time_does_not_settle() {
    let cluster = TestCluster::start();
    let running = cluster.run(copier(&cluster, false));
    create_map(&cluster, "a").await;
    let settled = AssertUnwindSafe(cluster.assert_settles()).catch_unwind().await;
    let text = message(settled);
    assert!(
        text.contains("not settled: 1 reconciles without a change wrote:\npatch secrets default/a: 200"),
        "{text}"
    );
    running.stop().await.expect("no failure");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_manager_returns_its_failure() {
    let cluster = TestCluster::start();
    let refused = Filter::any().resource("configmaps");
    let _refused = cluster.server().faults().refuse(refused, Refusal::forbidden(), usize::MAX);
    let manager = cluster.manager("refused").build().expect("sound settings");
    let _maps = manager.informers().informer::<ConfigMap>();
    let running = cluster.run(manager);
    tokio::time::sleep(std::time::Duration::from_secs(121)).await;
    let error = running.stop().await.expect_err("not synced");
    assert_eq!(error.part(), Some("informers"));
}
