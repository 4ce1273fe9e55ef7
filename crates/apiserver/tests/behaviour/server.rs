//! The server as a whole: it starts in the process, repeats itself under a seed, and stops when dropped.

use kube_client::{
    Error, ResourceExt,
    api::{PostParams, WatchParams},
};
use tower::ServiceExt;
use trimtab_apiserver::ApiServer;

use crate::{
    fixtures::{config_map, config_maps, pod, pods, send},
    watches::next,
};

/// Guarantee 5.
#[tokio::test(start_paused = true)]
async fn two_servers_with_one_seed_do_exactly_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let start = "2026-01-02T03:04:05Z".parse().unwrap();
        let server = ApiServer::builder().seed(7).start_time(start).start();
        let mut commits = server.commits();
        for _ in 0..3 {
            let mut map = config_map("");
            map.metadata.name = None;
            map.metadata.generate_name = Some("map-".into());
            config_maps(&server.client()).create(&PostParams::default(), &map).await.unwrap();
        }
        let committed: Vec<String> =
            std::iter::from_fn(|| commits.try_next()).map(|commit| commit.object.to_string()).collect();
        runs.push(committed);
    }
    assert!(runs[0].len() >= 3);
    assert_eq!(runs[0], runs[1]);
}

/// Guarantee 6.
#[tokio::test(start_paused = true)]
async fn dropping_the_server_ends_watches_and_refuses_requests() {
    let server = ApiServer::start();
    let client = server.client();
    let pods = pods(&client);
    let mut stream = Box::pin(pods.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    drop(server);
    assert_eq!(next(&mut stream).await, "end");
    let refused = pods.create(&PostParams::default(), &pod("web")).await;
    assert!(matches!(refused, Err(Error::Service(_))), "{refused:?}");
}

/// Guarantee 6, for the memory: nothing that a server spawned keeps it alive.
#[tokio::test(start_paused = true)]
async fn hundreds_of_servers_start_work_and_stop_in_one_test() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let mut servers = Vec::new();
    for _ in 0..200 {
        let server = ApiServer::builder().bootstrap(false).start(); // bare: what it holds is not what counts here
        pods(&server.client()).create(&PostParams::default(), &pod("web")).await.unwrap();
        servers.push(server);
    }
    assert!(alive() > before + 200, "each has controllers");
    drop(servers);
    while alive() > before {
        tokio::task::yield_now().await; // aborted tasks end when they would have run
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_is_a_service_that_any_client_can_call() {
    let server = ApiServer::start();
    let request = http::Request::get("/version").body(kube_client::client::Body::empty()).unwrap();
    let answer = server.service().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_new_server_has_the_namespaces_of_every_cluster() {
    let server = ApiServer::start();
    let list = send(&server.client(), "GET", "/api/v1/namespaces").await.unwrap();
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    let maps = config_maps(&server.client());
    assert_eq!(maps.create(&PostParams::default(), &config_map("a")).await.unwrap().name_any(), "a");
}
