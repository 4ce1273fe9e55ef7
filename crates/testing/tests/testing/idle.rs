//! `until_idle` waits for everything that can still happen, and for nothing else.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube_client::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::{Instant, sleep};
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

/// The event of an object that leaves a selection is its deletion there.
#[tokio::test(start_paused = true)]
async fn an_object_that_leaves_a_selection_is_awaited() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    let label = |value: &str| Patch::Merge(json!({"metadata": {"labels": {"app": value}}}));
    maps.patch("a", &PatchParams::default(), &label("web")).await.expect("labelled");
    let informers = InformerFactory::new(cluster.controller_client("reader"));
    let selected =
        informers.selected::<ConfigMap>(Selection::all().labels("app=web".parse().expect("a selector")));
    informers.start();
    cluster.observe([], &informers);
    cluster.until_idle().await;
    assert_eq!(selected.store().len(), 1);
    let _lag = cluster.server().faults().lag_watches(Filter::any(), Duration::from_secs(20));
    maps.patch("a", &PatchParams::default(), &label("db")).await.expect("labelled");
    cluster.until_idle().await;
    assert_eq!(selected.store().len(), 0);
}

/// Without a commit, a store that is not filled yet has nothing to reach.
#[tokio::test(start_paused = true)]
async fn a_first_list_is_awaited() {
    let cluster = TestCluster::start();
    let informers = InformerFactory::new(cluster.controller_client("reader"));
    let secrets = informers.informer::<Secret>();
    let listed = Filter::any().resource("secrets");
    let _slow = cluster.server().faults().delay(listed, Duration::from_secs(9), usize::MAX);
    informers.start();
    cluster.observe([], &informers);
    cluster.until_idle().await;
    assert!(secrets.has_synced());
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_not_awaited() {
    let cluster = TestCluster::start();
    let informers = InformerFactory::new(cluster.controller_client("reader"));
    let websites = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Website"));
    let _websites = informers.informer_with::<DynamicObject>(&websites);
    informers.start();
    cluster.observe([], &informers);
    cluster.try_until_idle(Duration::from_secs(10), Duration::from_secs(60)).await.expect("nothing can come");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_has_not_begun_is_awaited() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let informers = InformerFactory::new(cluster.controller_client("late"));
    let maps = informers.informer::<ConfigMap>();
    let controller = Controller::new("late", &maps).reconciler(|_| async { Ok(Action::done()) });
    let handle = controller.handle();
    cluster.observe([handle.clone()], &informers);
    informers.start();
    tokio::spawn(async move {
        sleep(Duration::from_secs(5)).await;
        controller.run(pending()).await
    });
    cluster.until_idle().await;
    assert_eq!(handle.status().reconciles, 1);
}

/// A key that waits for own writes is in no queue, and its limit may be far away.
#[tokio::test(start_paused = true)]
async fn keys_that_wait_for_own_writes_are_awaited() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let mut manager = cluster.manager("waits").build().expect("sound settings");
    let maps = manager.informers().informer::<ConfigMap>();
    let has_waited = Arc::new(AtomicBool::new(false));
    let waits = move |_| {
        let is_first = !has_waited.swap(true, SeqCst);
        async move {
            if is_first { Err(Error::waiting(Duration::from_secs(300), "pods")) } else { Ok(Action::done()) }
        }
    };
    let controller = Controller::new("waits", &maps).reconciler(waits);
    let handle = controller.handle();
    manager.controller(controller);
    let _running = cluster.run(manager);
    cluster.until_idle().await;
    assert_eq!(handle.status().reconciles, 2);
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

/// Before its first attempt has an answer, a candidate has no controller that could be busy.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_knows_of_no_leader_is_awaited() {
    let cluster = TestCluster::start();
    create_map(&cluster, "a").await;
    let slow = Filter::any().resource("leases.coordination.k8s.io");
    let _slow = cluster.server().faults().delay(slow, Duration::from_secs(5), usize::MAX);
    let builder = cluster.manager("copier").leader_election("default", "copier");
    let _running = cluster.run(add_copier(builder.build().expect("sound settings"), true));
    cluster.until_idle().await;
    assert_eq!(cluster.commits("secrets").len(), 1);
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
