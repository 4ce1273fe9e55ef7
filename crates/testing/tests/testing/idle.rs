//! `until_idle` waits for everything that can still happen, and for nothing else.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use tokio::time::Instant;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_controller::{
    Action, Controller, Error,
    informer::{InformerFactory, Selection},
};
use trimtab_testing::{TestCluster, reconcile};

use crate::world::{add_copier, copier, create_map};

/// Fails without the comparison with the commits: the queue is empty while the watch lags.
#[tokio::test(start_paused = true)]
async fn an_informer_that_lags_is_awaited() {
    let cluster = TestCluster::start();
    let _running = cluster.run(copier(&cluster, true));
    cluster.until_idle().await;
    let lagging = Filter::any().resource("configmaps").user_agent("controller:copier");
    let _lag = cluster.server().faults().lag_watches(lagging, Duration::from_secs(40));
    create_map(&cluster, "a").await;
    let start = Instant::now();
    cluster.until_idle().await;
    assert!(start.elapsed() >= Duration::from_secs(40), "{:?}", start.elapsed());
    assert_eq!(cluster.commits("secrets").len(), 1);
}

/// An informer is not awaited for objects that it does not select.
#[tokio::test(start_paused = true)]
async fn commits_outside_of_a_selection_are_not_awaited() {
    let cluster = TestCluster::start();
    let manager = copier(&cluster, true);
    let informers = manager.informers();
    let selections = [
        Selection::all().labels("app=web".parse().expect("a selector")),
        Selection::all().fields("metadata.name=other"),
        Selection::all().namespace("elsewhere"),
    ];
    let _selected: Vec<_> = selections.map(|selection| informers.selected::<ConfigMap>(selection)).into();
    let _running = cluster.run(manager);
    create_map(&cluster, "a").await;
    let start = Instant::now();
    cluster.until_idle().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// The same informers lag behind an object that they do select.
#[tokio::test(start_paused = true)]
async fn commits_in_a_selection_are_awaited() {
    for selection in [
        Selection::all().fields("metadata.name=a"),
        Selection::all().namespace("default"),
        Selection::all().namespaces(["default", "elsewhere"]),
    ] {
        let cluster = TestCluster::start();
        let informers = InformerFactory::new(cluster.controller_client("reader"));
        let _maps = informers.selected::<ConfigMap>(selection);
        informers.start();
        cluster.observe([], &informers);
        cluster.until_idle().await;
        let _lag = cluster.server().faults().lag_watches(Filter::any(), Duration::from_secs(20));
        create_map(&cluster, "a").await;
        let start = Instant::now();
        cluster.until_idle().await;
        assert!(start.elapsed() >= Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn keys_in_work_and_retries_that_are_due_are_awaited() {
    let cluster = TestCluster::start();
    let _refused =
        cluster.server().faults().refuse(Filter::any().verb(Verb::Patch), Refusal::unavailable(), 6);
    let _slow = cluster.server().faults().delay(Filter::any().verb(Verb::Patch), Duration::from_secs(7), 9);
    let _running = cluster.run(copier(&cluster, true));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    assert_eq!(cluster.requests().writes().len(), 7, "{}", cluster.requests());
    assert_eq!(cluster.commits("secrets").len(), 1);
}

/// An hour of virtual time is the limit, and the message says what is left.
#[tokio::test(start_paused = true)]
async fn a_controller_that_never_rests_is_reported() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let mut manager = cluster.manager("restless").build().expect("sound settings");
    let maps = manager.informers().informer::<ConfigMap>();
    let restless = |_| async { Ok(Action::requeue_after(Duration::from_secs(5))) };
    manager.controller(Controller::new("restless", &maps).reconciler(restless));
    let _running = cluster.run(manager);
    let error = cluster.try_until_idle(Duration::from_secs(10), Duration::from_secs(60)).await;
    let error = error.expect_err("never idle").to_string();
    assert_eq!(error, "not idle after 60s:\n  controller restless: default/a is due");
    cluster.try_until_idle(Duration::from_secs(1), Duration::from_secs(60)).await.expect("idle for a second");
}

/// A candidate's full queue is no work, as long as somebody else leads; after a crash of the leader it is.
#[tokio::test(start_paused = true)]
async fn a_candidate_is_idle_and_takes_over_after_a_crash() {
    let cluster = TestCluster::start();
    let candidate = |identity: &'static str| {
        let builder = cluster.manager("copier").leader_election("default", "copier");
        let builder = builder.election_settings(move |elector| elector.identity(identity));
        add_copier(builder.build().expect("sound settings"), true)
    };
    let first = cluster.run(candidate("first"));
    cluster.until_idle().await;
    let second = cluster.run(candidate("second"));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    assert_eq!(cluster.commits("secrets").len(), 1);

    first.crash();
    create_map(&cluster, "b").await;
    let start = Instant::now();
    cluster.until_idle().await;
    assert!(start.elapsed() >= Duration::from_secs(10), "the Lease expires first: {:?}", start.elapsed());
    assert_eq!(cluster.commits("secrets").len(), 2);
    second.stop().await.expect("no failure");
    cluster.until_idle().await; // nothing runs
}

#[tokio::test(start_paused = true)]
async fn one_reconcile_alone_sees_the_objects_and_returns_its_result() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let informers = InformerFactory::new(cluster.controller_client("alone"));
    let (maps, secrets) = (informers.informer::<ConfigMap>(), informers.informer::<Secret>());
    let (store, others) = (maps.store().clone(), secrets.store().clone());
    let controller = Controller::new("alone", &maps).reconciler(move |request| {
        let found = (store.get(&request.key).is_some(), others.len());
        async move {
            match found {
                (true, 0) => Ok(Action::requeue_after(Duration::from_secs(9))),
                found => Err(Error::new(format!("{found:?}"))),
            }
        }
    });
    let action = reconcile(&controller, &informers, ("default", "a").into()).await.expect("reconciled");
    assert_eq!(action, Action::requeue_after(Duration::from_secs(9)));
    let error = reconcile(&controller, &informers, ("default", "b").into()).await.expect_err("no such map");
    assert_eq!(error.to_string(), "(false, 0)");
}
