//! A run before its workers start, and the state of its keys, with paused time.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{Api, api::PostParams};
use serde_json::json;
use tokio::time::Instant;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{Action, Controller, informer::InformerFactory};
use trimtab_test_support::settle;

async fn create(server: &ApiServer, name: &str) {
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap");
    let maps = Api::namespaced(server.client(), "default");
    maps.create(&PostParams::default(), &map).await.expect("created");
}

#[tokio::test(start_paused = true)]
async fn a_standby_fills_its_queue_and_reconciles_nothing_before_it_runs() {
    let server = ApiServer::start();
    create(&server, "a").await;
    let maps = InformerFactory::new(server.client()).informer::<ConfigMap>();
    let reconciles = Arc::new(AtomicUsize::new(0));
    let count = reconciles.clone();
    let controller = Controller::new("standby", &maps).reconciler(move |_| {
        count.fetch_add(1, SeqCst);
        std::future::ready(Ok(Action::done()))
    });
    let standby = controller.stand_by().await.expect("synced");
    create(&server, "b").await;
    settle(Duration::from_secs(5)).await;
    assert_eq!((controller.status().queued, reconciles.load(SeqCst)), (2, 0));
    assert!(controller.stand_by().await.expect_err("begun already").is_running());

    let start = Instant::now();
    tokio::select! {
        ended = standby.run(pending()) => panic!("ended: {ended:?}"),
        () = settle(Duration::from_millis(1)) => {}
    }
    assert_eq!((reconciles.load(SeqCst), start.elapsed()), (2, Duration::from_millis(1)));
    settle(Duration::from_millis(1)).await; // the workers are aborted
    drop(controller.stand_by().await.expect("the run was dropped"));
    assert_eq!(controller.status().queued, 0, "a dropped standby has no queue");
}
